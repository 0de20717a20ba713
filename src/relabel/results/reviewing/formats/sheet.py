"""Comma-separated values, for a spreadsheet: people write into the columns `answer` and `reviewer`."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from relabel.data import phrases
from relabel.errors import UserError
from relabel.results.reviewing.entries import FIELDS, Entry, Reading

BOM = "\ufeff"
DELIMITERS = ",;\t"
"""What spreadsheets put between values, by the country they are set to."""

FREE = ("text", "row_id")
"""Columns that hold whatever somebody sent."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""

LONGEST = 1 << 24
"""Characters of a value; Python's own limit is that of a short text."""


def write(records: Sequence[dict[str, Any]], _classes: Sequence[str]) -> bytes:
    """Write a header and a line for each question; the mark at the head tells spreadsheets that this is UTF-8."""
    lines = [[_harmless(record[name]) if name in FREE else record[name] for name in FIELDS] for record in records]
    return _written([list(FIELDS), *lines], ",").encode()


def answered(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
    """Write a line for each answer."""
    return write(records, classes)


def companions(_classes: Sequence[str]) -> dict[str, bytes]:
    """Need nothing beside the file."""
    return {}


def read(data: bytes, _attribute: str = "") -> Reading:
    """Read answers by the names of the columns, in any order; `row_hash` and `answer` must be there.

    Raises UserError where they are not, or the text is no UTF-8.
    """
    found = Reading()
    header, lines = _parsed(data)
    if missing := [name for name in ("row_hash", "answer") if name not in header]:
        raise UserError(
            f"no column {phrases.names(missing)}, only {phrases.names(header)}: give both, as the exported file has them"
        )
    for record, (number, values) in enumerate(lines):
        where = f"line {number}"
        if len(values) != len(header):
            found.torn[record] = (where, "more or fewer values than the header")
            continue
        said = dict(zip(header, values, strict=True))
        row = said.get("row", "").strip()
        if row and not (row.isascii() and row.isdecimal()):
            found.torn[record] = (where, "a `row` that is no number")
            continue
        answer = said["answer"].strip()
        found.entries.append(
            Entry(
                record=record,
                where=where,
                choices=(answer,) if answer else (),
                reviewer=said.get("reviewer", "").strip(),
                time=said.get("time", "").strip(),
                row_hash=said["row_hash"].strip(),
                file=said.get("file", "").strip(),
                row=int(row) if row else None,
                text=said.get("text"),
                why=said.get("why", "").strip(),
            )
        )
    return found


def cut(data: bytes, records: Collection[int]) -> bytes:
    """Give the header and these records."""
    header, lines = _parsed(data)
    kept = [values for record, (_, values) in enumerate(lines) if record in records]
    return _written([header, *kept], _delimiter(data.decode("utf-8-sig"))).encode()


def _parsed(data: bytes) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and each record with the number of its first line, from 1."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"byte 0x{data[error.start]:02x} at offset {error.start:,} is no UTF-8: save the file as UTF-8"
        ) from None
    with _long_values():
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        header = [name.strip() for name in next(rows, [])]
        return header, list(_numbered(rows, start=rows.line_num + 1))


def _numbered(rows: Any, start: int) -> Iterator[tuple[int, list[str]]]:
    """Give the records that are not empty lines; one may stand on several lines."""
    for values in rows:
        if values:
            yield start, values
        start = rows.line_num + 1


def _harmless(value: str) -> str:
    """Keep a spreadsheet from running what a stranger wrote as a formula."""
    return f"'{value}" if value.startswith(FORMULAS) else value


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(DELIMITERS, key=head.count)


def _written(lines: Sequence[Sequence[Any]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows(lines)  # else a lone carriage return would go unquoted
    return BOM + text.getvalue()


@contextmanager
def _long_values() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)
