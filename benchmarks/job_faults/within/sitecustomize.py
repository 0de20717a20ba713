"""What goes wrong inside a training process.

The interpreter finds this file because its folder is on the path, and does what the variable JOB_FAULT says, in the process that trains alone.
Moments are events, each time that the process opens, renames or removes something below the folder of its job; or times after one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRAINING = ["-m", "relabel", "train"]
WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.truncate")
HOUR = 3600.0


class Watcher:
    """Counts events; notes each in a file where one is named, and does the fault when its time has come.

    event: number of the event, from 1; 0 is the beginning of the process.
    after: seconds after it.
    file:  end of the names of the files whose openings count; all where it is "".
    """

    def __init__(self, fault: dict[str, Any]) -> None:
        self._root, self._event, self._after = fault["root"], fault.get("event", -1), fault.get("after", 0.0)
        self._file = fault.get("file", "")
        self._do: Callable[[], None] = ACTS[fault.get("act", "nothing")](fault)
        self._log = os.open(fault["events"], os.O_WRONLY | os.O_CREAT) if "events" in fault else None
        self._began, self._count = time.monotonic(), 0
        self._act_at(0)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one of the interpreter's audit events."""
        if event not in WATCHED or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        path = os.fsdecode(arguments[0])
        if not path.startswith(self._root) or (self._file and not (event == "open" and path.endswith(self._file))):
            return
        self._count += 1
        if self._log is not None:
            os.write(self._log, f"{time.monotonic() - self._began:.3f}\t{event}\t{path}\n".encode())
        self._act_at(self._count)

    def _act_at(self, count: int) -> None:
        if count == self._event and self._after:
            threading.Thread(target=self._act_later, daemon=True).start()
        elif count == self._event:
            self._do()

    def _act_later(self) -> None:
        time.sleep(self._after)
        self._do()


def nothing(_: dict[str, Any]) -> Callable[[], None]:
    """Let all be well."""
    return lambda: None


def signalled(fault: dict[str, Any]) -> Callable[[], None]:
    """Send a signal: to this process, to its parent as the platform does, or to both at once."""

    def send() -> None:
        match fault["target"]:
            case "process":
                os.kill(os.getpid(), signal.SIGKILL)
            case "container":
                os.killpg(os.getpgid(0), signal.SIGKILL)
            case "parent":
                os.kill(os.getppid(), signal.SIGTERM)

    return send


def removed(fault: dict[str, Any]) -> Callable[[], None]:
    """Take a file away."""
    return lambda: os.unlink(fault["victim"])  # noqa: PTH108


def cut(fault: dict[str, Any]) -> Callable[[], None]:
    """Cut a file short, in its place."""
    return lambda: os.truncate(fault["victim"], fault["size"])


def jumping(fault: dict[str, Any]) -> Callable[[], None]:
    """Shift the clock of the process by so many hours, from the event on."""
    now, shift = time.time, [0.0]
    shifted: Any = lambda: now() + shift[0]  # noqa: E731
    time.time = shifted
    time.time_ns = lambda: int(shifted() * 1e9)
    _shift_datetime(shifted)

    def jump() -> None:
        shift[0] = fault["hours"] * HOUR

    return jump


def _shift_datetime(now: Callable[[], float]) -> None:
    import datetime as dt  # noqa: PLC0415  # not where no clock jumps

    class Shifted(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Shifted:
            return cls.fromtimestamp(now(), tz)

        @classmethod
        def utcnow(cls) -> Shifted:
            return cls.fromtimestamp(now(), dt.UTC).replace(tzinfo=None)

    dt.datetime = Shifted  # type: ignore[misc]


ACTS = {"nothing": nothing, "signal": signalled, "remove": removed, "cut": cut, "jump": jumping}

if sys.orig_argv[1:4] == TRAINING and "JOB_FAULT" in os.environ:
    sys.addaudithook(Watcher(json.loads(Path(os.environ["JOB_FAULT"]).read_text())).hear)
