"""Decisions of people in one SQLite file, which only grows: what was said once is never changed, and what is taken back is marked so.

A rollback journal rather than a write-ahead log: between two decisions the journal is empty, so the review is one file that can be copied, and
network folders will do. With `TRUNCATE` and `synchronous=FULL` the database and the end of the journal are on the disk before COMMIT returns,
so what is confirmed survives a loss of power.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from relabel.errors import PlatformError, UserError
from relabel.review import schema

NAME = "review.sqlite"
"""Where nobody said another."""

BUSY = 3.0
"""Seconds that a decision waits for another process that is writing, and others in this process for it."""

SELECT = (
    "SELECT d.id, d.row_hash, d.reviewer, d.answer, d.why, d.time, d.seconds, coalesce(w.time, '') "
    "FROM decisions d LEFT JOIN withdrawals w ON w.decision = d.id "
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of a row.

    once:    a name for this very decision; saying it again, after an answer that got lost, changes nothing.
    answer:  a class, NEITHER, or None where the person skips.
    why:     why it was asked, "" where the person looked it up.
    seconds: from the moment that the card was seen.
    """

    once: str
    row_hash: str
    reviewer: str
    answer: str | None
    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said, as it stands in the file.

    id:        grows with every decision. time: ISO 8601 in UTC with microseconds; a later decision of the same person has a later one.
    withdrawn: when it was taken back, "" while it stands.
    """

    id: int
    row_hash: str
    reviewer: str
    answer: str | None
    why: str
    time: str
    seconds: float
    withdrawn: str


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a store somebody has seen."""

    decision: int = 0
    withdrawal: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What came after a mark: decisions in order, the ids of those that were taken back, and the mark after them."""

    decisions: tuple[Decision, ...]
    withdrawn: tuple[int, ...]
    mark: Mark


def now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Store:
    """The decisions on the data of one job. For threads and processes alike; open it after a fork, not before.

    data, classes: digest and classes of the audited data.

    Raises UserError where the file is another job's, of a later version, none of ours, or cannot be written; PlatformError where another
    program holds it.
    """

    def __init__(self, path: Path, data: str, classes: Sequence[str], clock: Callable[[], datetime] = now) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()
        try:
            # autocommit: transactions begin and end where we say so
            self._database = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        except sqlite3.Error:
            raise schema.not_writable(path) from None
        try:
            self._begin(schema.about(data, classes))
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing waits to be written."""
        self._database.close()

    def add(self, said: Said, instead: Collection[str] = ()) -> Decision:
        """Keep a decision; it is on the disk when this returns. Said a second time, it is the decision that is there already.

        instead: names of earlier decisions of the person on the row; those that were kept are taken back in the same moment.

        Raises PlatformError where it could not be kept.
        """
        with self._writing() as database:
            known = self._one("WHERE d.once = ?", said.once)
            if known is None:
                values = (
                    said.once,
                    said.row_hash,
                    said.reviewer,
                    said.answer,
                    said.why,
                    self._time(said.reviewer),
                    said.seconds,
                )
                database.execute(
                    "INSERT INTO decisions (once, row_hash, reviewer, answer, why, time, seconds) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
                known = self._one("WHERE d.once = ?", said.once)
                for once in instead:
                    before = self._one(
                        "WHERE d.once = ? AND d.reviewer = ? AND d.row_hash = ?", once, said.reviewer, said.row_hash
                    )
                    if before is not None and not before.withdrawn and once != said.once:
                        self._take_back(before)
        assert known is not None  # noqa: S101  # it was written above
        return known

    def withdraw(self, decision: int, reviewer: str) -> Decision | None:
        """Take a person's own decision back; a second time it changes nothing. None where the person has no such decision.

        Raises PlatformError where that could not be kept.
        """
        with self._writing():
            known = self._one("WHERE d.id = ? AND d.reviewer = ?", decision, reviewer)
            if known is not None and not known.withdrawn:
                self._take_back(known)
                known = self._one("WHERE d.id = ?", decision)
        return known

    def all(self) -> tuple[Decision, ...]:
        """Give every decision, in order."""
        with self._reading() as database:
            return tuple(Decision(*row) for row in database.execute(SELECT + "ORDER BY d.id"))

    def since(self, mark: Mark) -> News:
        """Give what was decided and taken back after a mark, by whatever process."""
        with self._reading() as database:
            found = database.execute(SELECT + "WHERE d.id > ? ORDER BY d.id", (mark.decision,)).fetchall()
            back = database.execute(
                "SELECT id, decision FROM withdrawals WHERE id > ? ORDER BY id", (mark.withdrawal,)
            ).fetchall()
        seen = Mark(found[-1][0] if found else mark.decision, back[-1][0] if back else mark.withdrawal)
        decisions = tuple(Decision(*row) for row in found)
        return News(decisions, tuple(decision for _, decision in back), seen)

    def _one(self, where: str, *values: object) -> Decision | None:
        row = self._database.execute(SELECT + where, values).fetchone()
        return None if row is None else Decision(*row)

    def _take_back(self, decision: Decision) -> None:
        values = (decision.id, self._time(decision.reviewer))
        self._database.execute("INSERT INTO withdrawals (decision, time) VALUES (?, ?)", values)

    def _time(self, reviewer: str) -> str:
        """Give the time, later than every earlier decision of a person even where the clock was set back: the latest counts.

        Of this person alone, so that a clock which was ahead for a while does not date what everybody says from then on.
        """
        last = "SELECT time FROM decisions WHERE reviewer = ? ORDER BY id DESC LIMIT 1"
        row = self._database.execute(last, (reviewer,)).fetchone()
        moment = self._clock().astimezone(UTC)
        if row is not None:
            moment = max(moment, datetime.fromisoformat(row[0]) + timedelta(microseconds=1))
        return moment.isoformat(timespec="microseconds")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the file for one transaction, which is on the disk at its end."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield self._database
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                raise PlatformError(f"{self.path.name}: the decision was not kept ({error}): try again") from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Hold the file for reads that belong together."""
        with self._lock:
            try:
                self._database.execute("BEGIN")
                yield self._database
            except sqlite3.Error as error:
                raise PlatformError(
                    f"{self.path.name}: the decisions cannot be read now ({error}): try again"
                ) from error
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")  # nothing was written

    def _begin(self, expected: dict[str, str]) -> None:
        try:
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.execute("PRAGMA journal_mode = TRUNCATE")
            self._database.execute("PRAGMA synchronous = FULL")
            with self._lock:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    schema.make_or_check(self._database, self.path.name, expected)
                    self._database.execute("COMMIT")
                finally:
                    if self._database.in_transaction:
                        self._database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            if schema.is_busy(error):
                raise schema.is_held(self.path) from None
            raise schema.not_writable(self.path) from None
        except sqlite3.DatabaseError:
            raise schema.is_none(self.path.name) from None


def read(path: Path, data: str, classes: Sequence[str]) -> tuple[Decision, ...]:
    """Give every decision of a store, in order, and write nothing; no store is made where there is none.

    Opened to be written all the same: SQLite must undo what a server that was killed had half written.

    Raises UserError as Store does, PlatformError where another program holds the file.
    """
    expected = schema.about(data, classes)
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY, isolation_level=None)
        with closing(database):
            database.execute("PRAGMA query_only = ON")
            schema.check(database, path.name, expected)
            return tuple(Decision(*row) for row in database.execute(SELECT + "ORDER BY d.id"))
    except sqlite3.OperationalError as error:
        if schema.is_busy(error):
            raise schema.is_held(path) from None
        raise UserError(f"{path}: the decisions cannot be read: is it the file that the page was given?") from None
    except sqlite3.DatabaseError:
        raise schema.is_none(path.name) from None
