"""Stopping at a safe point: a signal sets a flag, and the job asks for it where stopping costs nothing."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """A signal asked the job to end, and it reached a safe point. No failure: nothing is to be explained or mended.

    said: of another host that was asked, and this one ends with it.

    Not an Exception, so that code which catches those lets it through.
    """

    def __init__(self, signum: int, said: str = "") -> None:
        self.signum = signum
        super().__init__(said or f"stopped by {signal.Signals(signum).name}")

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells say it."""
        return 128 + self.signum


def end_at_once() -> None:
    """End with 0 at a SIGTERM, until somebody else listens: what has only just started has nothing in hand.

    The first process of a container is spared the signal's usual effect, so that it would go unheard.
    """
    signal.signal(signal.SIGTERM, lambda _signum, _frame: os._exit(0))


class Stop:
    """Listens for SIGTERM and SIGINT while its block runs; only in the main thread, as Python demands.

    >>> with Stop() as stop:
    ...     stop.check()  # hand `stop.check` down to whatever takes long

    The first signal counts. Further ones neither hurry nor change it: whoever cannot wait sends SIGKILL.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._before: dict[int, Any] = {}

    def check(self) -> None:
        """Raise Stopped where a signal has come."""
        if self.signum is not None:
            raise Stopped(self.signum)

    def __enter__(self) -> Self:
        self._before = {signum: signal.signal(signum, self._heard) for signum in STOPPING}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the former handlers back.

        Lightning hears SIGTERM too and leaves its loop with a SystemExit that says success: that is a stop as well.
        """
        for signum, before in self._before.items():
            signal.signal(signum, signal.SIG_DFL if before is None else before)
        if isinstance(error, SystemExit):
            self.check()

    def _heard(self, signum: int, _: FrameType | None) -> None:
        if self.signum is None:
            self.signum = signum


def ignore() -> None:
    """Let signals come too late: what this process was asked for is done, and its exit code must say so while it leaves."""
    for signum in STOPPING:
        signal.signal(signum, signal.SIG_IGN)
