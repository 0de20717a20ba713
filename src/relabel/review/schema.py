"""The file of decisions: its tables, whose it is, and what is said where it cannot be had."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from relabel.data import phrases
from relabel.errors import PlatformError, UserError

APPLICATION = 0x726C_6276
"""Tells SQLite's tools, and us, whose file it is."""

SCHEMA = 1
TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  once TEXT NOT NULL UNIQUE,
  row_hash TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  answer TEXT,
  why TEXT NOT NULL,
  time TEXT NOT NULL,
  seconds REAL NOT NULL
);
CREATE TABLE withdrawals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  decision INTEGER NOT NULL UNIQUE REFERENCES decisions (id),
  time TEXT NOT NULL
);
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions stay'); END;
CREATE TRIGGER decisions_hold BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions stay'); END;
CREATE TRIGGER withdrawals_stay BEFORE DELETE ON withdrawals BEGIN SELECT RAISE(ABORT, 'withdrawals stay'); END;
CREATE TRIGGER withdrawals_hold BEFORE UPDATE ON withdrawals BEGIN SELECT RAISE(ABORT, 'withdrawals stay'); END;
"""


def about(data: str, classes: Sequence[str]) -> dict[str, str]:
    """Give what a store is of: the digest and the classes of the data."""
    return {"data": data, "classes": json.dumps(list(classes), ensure_ascii=False)}


def make_or_check(database: sqlite3.Connection, name: str, expected: Mapping[str, str]) -> None:
    """Make the tables of an empty file; refuse one that is not of these data."""
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        for statement in _statements(TABLES):
            database.execute(statement)
        database.executemany("INSERT INTO about VALUES (?, ?)", expected.items())
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {SCHEMA}")
        return
    check(database, name, expected)


def check(database: sqlite3.Connection, name: str, expected: Mapping[str, str]) -> None:
    """Refuse a file that is no store, or not of these data."""
    (application,), (schema,) = (
        database.execute(f"PRAGMA {of}").fetchone() for of in ("application_id", "user_version")
    )
    if application != APPLICATION:
        raise is_none(name)
    if schema != SCHEMA:
        raise UserError(
            f"{name}: written by version {schema} of the page, this one reads {SCHEMA}: take the later relabel"
        )
    known = dict(database.execute("SELECT name, value FROM about").fetchall())
    if known["data"] != expected["data"]:
        raise UserError(
            f"{name}: decisions on other data than these results are of: give their results, or another --store"
        )
    if known["classes"] != expected["classes"]:
        theirs = phrases.names(json.loads(known["classes"]))
        raise UserError(f"{name}: decisions among other classes, {theirs}: give their results, or another --store")


def _statements(script: str) -> list[str]:
    """Cut a script into its statements: `executescript` would end the transaction first."""
    statements, last = [], ""
    for line in script.strip().splitlines():
        last += line + "\n"
        if sqlite3.complete_statement(last):
            statements.append(last)
            last = ""
    return statements


def not_writable(path: Path) -> UserError:
    """Say that a store cannot be written."""
    return UserError(
        f"{path}: decisions cannot be kept there: give a file in a folder that can be written with --store"
    )


def is_none(name: str) -> UserError:
    """Say that a file is no store."""
    return UserError(f"{name}: no file of decisions: give another with --store")


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another program holds the file."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_held(path: Path) -> PlatformError:
    """Say that another program holds a store."""
    return PlatformError(f"{path}: another program has been writing there: end it, or try again")
