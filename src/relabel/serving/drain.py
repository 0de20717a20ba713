"""Stopping without losing a request: the server first says so at /ping and goes on answering, and stops when it has become quiet.

The state lies in memory that the server's process shares with its workers, so it must be made before they are forked.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

LONGEST = 15.0
"""Seconds after which it ends even though requests still come; those in hand get the rest of the platform's 30 s."""
QUIET = 2.0
"""Seconds without a request after which it ends."""
PINGS = 15.0
"""Seconds: whoever asked /ping within them before the drain is expected to ask again, and should hear of it before the end."""
PING_PERIOD = 6.0
"""Seconds that such a next ping is waited for; the platform asks every 5."""

NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of a drain, in seconds of one clock.

    began:   when it was asked for.
    request: when the last request for predictions came.
    ping:    when /ping was last asked.
    """

    began: float = NEVER
    request: float = NEVER
    ping: float = NEVER

    def over(self, now: float) -> bool:
        """Tell whether the server may stop: nobody is left who could send more, or the time is over."""
        if self.began == NEVER:
            return False
        quiet = now - max(self.began, self.request) > QUIET
        untold = self.began - PINGS < self.ping < self.began and now - self.began < PING_PERIOD
        return now - self.began > LONGEST or (quiet and not untold)


class Drain:
    """One drain, seen by all processes of a server."""

    _PLACES = struct.Struct("ddd")
    _ACTIVE = _PLACES.size
    """Place of a byte that is 1 from the beginning on: it is asked for at every request."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shared = mmap.mmap(-1, self._ACTIVE + 1)
        self._PLACES.pack_into(self._shared, 0, NEVER, NEVER, NEVER)

    def begin(self) -> None:
        """Start it, once."""
        if not self.active():
            self._note(0)
            self._shared[self._ACTIVE] = 1

    def requested(self) -> None:
        """Note that a request for predictions has come."""
        self._note(1)

    def pinged(self) -> None:
        """Note that /ping was asked."""
        self._note(2)

    def active(self) -> bool:
        """Whether it has begun."""
        return self._shared[self._ACTIVE] == 1

    def over(self) -> bool:
        """Whether the server may stop now."""
        return Times(*self._PLACES.unpack_from(self._shared)).over(self._clock())

    def _note(self, place: int) -> None:
        struct.pack_into("d", self._shared, 8 * place, self._clock())
