"""What was done in a loop: a file that only grows, one JSON object a line, on the disk before a step counts as done.

A step writes its files first, each whole or not there, and its line last. So what has a line is done, and what has none is done again: every
step may be repeated. The end of a file that was torn by a loss of power is cut off by the next line, and nothing else is ever taken out.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relabel.errors import UserError

NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that was done.

    step:  what, such as `collect`. round: in which round, 0 before the first.
    time:  ISO 8601 in UTC. who: the person or machine.
    facts: what came of it. files: path below the loop's folder -> SHA-256 of what it held.
    """

    step: str
    round: int
    time: str
    who: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """The journal of one folder.

    now: tells the time as ISO 8601. who: whose name stands beside what is done.
    """

    def __init__(self, folder: Path, now: Callable[[], str], who: str) -> None:
        self.folder, self._now, self._who = folder, now, who
        self.path = folder / NAME
        self.held: tuple[int, ...] = ()
        """The lock's file while it is held: a process that gets it too keeps it to its own end."""

    def events(self) -> list[Event]:
        """Read all that was done, in order.

        Raises UserError where a line before the last is no event: the file was changed by hand.
        """
        lines = self.path.read_bytes().split(b"\n") if self.path.is_file() else []
        events = []
        for number, line in enumerate(lines[:-1], 1):  # what stands behind the last line end was torn
            try:
                events.append(Event(**json.loads(line)))
            except (ValueError, TypeError):
                raise UserError(f"{NAME}: line {number} is no event: put the file back as it was") from None
        return events

    def last(self, step: str, number: int | None = None) -> Event | None:
        """Give the last event of a step, of a round where one is named."""
        found = [each for each in self.events() if each.step == step and number in (None, each.round)]
        return found[-1] if found else None

    def write(self, step: str, number: int, facts: Mapping[str, Any], paths: Iterator[Path] | list[Path]) -> Event:
        """Say that a step was done, with the hashes of its files (those of a folder are all below it)."""
        hashes = {path.relative_to(self.folder).as_posix(): sha256(path) for path in _all(paths)}
        event = Event(step, number, self._now(), self._who, dict(facts), hashes)
        line = json.dumps(_plain(event), ensure_ascii=False, allow_nan=False) + "\n"
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # answers come while a job runs
            file.truncate(_whole(self.path))
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        return event

    @contextmanager
    def alone(self, part: str = "loop") -> Iterator[None]:
        """Keep other processes from changing a part of the loop meanwhile. Raises UserError where one does.

        part: `loop`, or `answers`, which people give while a job runs for hours.
        """
        with (self.folder / f"{part}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"{self.folder}: another command works on this loop: wait for its end") from None
            self.held = (lock.fileno(),)
            try:
                yield
            finally:
                self.held = ()


def sha256(path: Path) -> str:
    """Give the hash of a file, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("step", "round", "time", "who", "facts", "files")}


def _whole(path: Path) -> int:
    """Count the bytes up to the last line end."""
    return path.read_bytes().rfind(b"\n") + 1


def _all(paths: Iterator[Path] | list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
