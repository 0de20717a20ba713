"""Questions that somebody is looking at, so that two people are asked different ones. Held in memory: a lease that is lost costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

SECONDS = 150.0
"""How long a lease holds without a word of its holder; the page speaks every 20 s, in the background every minute."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who looks at a question, and until when, in seconds of the clock."""

    holder: str
    until: float


class Leases:
    """Question -> lease. Not for several threads at once: its owner holds a lock."""

    def __init__(self, clock: Callable[[], float], seconds: float = SECONDS) -> None:
        self._clock = clock
        self._seconds = seconds
        self._of: dict[int, Lease] = {}

    def take(self, question: int, holder: str) -> None:
        """Give a question to a holder, from now on."""
        self._of[question] = Lease(holder, self._clock() + self._seconds)

    def hold(self, questions: Iterable[int], holder: str) -> None:
        """Let a holder keep those that nobody else has, and let go of all its others."""
        kept = {question for question in questions if self.free(question, holder)}
        for question in [one for one, lease in self._of.items() if lease.holder == holder and one not in kept]:
            del self._of[question]
        for question in kept:
            self.take(question, holder)

    def release(self, question: int, holder: str) -> None:
        """Let a question go, if the holder has it."""
        if (lease := self._of.get(question)) is not None and lease.holder == holder:
            del self._of[question]

    def free(self, question: int, holder: str) -> bool:
        """Tell whether a holder may have a question: nobody else has."""
        lease = self._of.get(question)
        return lease is None or lease.holder == holder or lease.until <= self._clock()
