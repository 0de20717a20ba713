"""Labels and texts as comma-separated values in UTF-8, with a header.

Every value is a string as it stands: `NA` and `null` are texts.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from relabel.data import phrases
from relabel.data.formats.table import Table
from relabel.errors import UserError

BLOCK = 1 << 24
"""Bytes parsed at a time, and so the longest value."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(path: Path, wanted: Sequence[str]) -> Table:
    """Read the wanted columns, of those that the file has. Values may hold commas, quotes and newlines.

    Raises UserError where there is no header, a wanted column is there twice, rows have more or fewer values than the
    header, or bytes are no UTF-8.
    """
    header = _header(path)
    columns = [name for name in dict.fromkeys(wanted) if name in header]
    twice = [name for name in columns if header.count(name) > 1]
    if twice:
        raise UserError(f"column {phrases.names(twice)} is there more than once: keep one")
    parsed = _parsed(path, columns or header[:1])  # the rows are counted even where no column is wanted
    return Table(parsed.num_rows, header, {name: parsed[name].to_numpy() for name in columns})


def _header(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        if file.read(2) in UTF16:
            raise UserError("the text is UTF-16: save the file as UTF-8")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        try:
            return tuple(next(csv.reader(file)))
        except (StopIteration, csv.Error):
            raise UserError(
                "no header can be read: the first line must name the columns, with commas between"
            ) from None


def _parsed(path: Path, columns: Sequence[str]) -> pa.Table:
    """Give the columns as strings."""
    try:
        return pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(block_size=BLOCK),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                include_columns=columns, column_types=dict.fromkeys(columns, pa.string())
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        raise UserError(_refusal(path, str(error))) from None


def _refusal(path: Path, message: str) -> str:
    """Say in our words why the parser gave up: its own words quote the row."""
    if "Empty CSV" in message:
        return "no rows: the file ends with its header"
    undecodable = _undecodable(path)
    if undecodable or "straddl" in message:
        return undecodable or f"a value is longer than {BLOCK >> 20} MiB: a quote is opened and never closed"
    return _torn_rows(path)


def _undecodable(path: Path) -> str:
    """Say where the first bytes are that are no UTF-8, "" if all are."""
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"offset {error.start:,} (line {line:,})"
        return f"byte 0x{data[error.start]:02x} at {where} is no UTF-8: save the file as UTF-8"
    return ""


def _torn_rows(path: Path) -> str:
    """Say which rows do not fit the header; slow, and only for a file that is refused already."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        width = len(next(rows))
        try:
            torn = [row for row, values in enumerate(values for values in rows if values) if len(values) != width]
        except csv.Error:
            torn = []
    where = f" in {phrases.rows(torn)}" if torn else ""
    remedy = "quote values that hold commas, quotes or newlines, and close every quote"
    return f"more or fewer values than the header's {width}{where}: {remedy}"
