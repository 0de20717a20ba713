"""The records of a CSV text as they stand, so that one cell can be changed and every other byte stays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

CELL = r'(?:"[^"]*+(?:""[^"]*+)*+"[^,\r\n]*+|[^,\r\n]*+)'
RECORD = re.compile(rf"({CELL}(?:,{CELL})*+)((?:\r\n|\r|\n)*+)")
"""One record, then its line end and the blank lines after it."""

CELLS = re.compile(rf"(?:^|,)({CELL})")
SPECIAL = re.compile(r'[,"\r\n]')
BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Records:
    """A CSV text in pieces: `head + "".join(rows)` is the text.

    header: names of the columns.
    head:   the first record as it stands, with what precedes it and its line end.
    rows:   the other records (N) as they stand, each with its line end and the blank lines after it.
    """

    header: tuple[str, ...]
    head: str
    rows: tuple[str, ...]

    def values(self, column: str) -> list[str]:
        """Give a column (N); the first, where several have this name. Raises ValueError where none has."""
        place = self.header.index(column)
        return [_meant(_cells(row)[place]) for row in self.rows]


def split(text: str) -> Records:
    """Divide a CSV text, with a header and of as many values in each record, into its records."""
    start = len(BOM) if text.startswith(BOM) else 0
    pieces = [match[0] for match in RECORD.finditer(text, start) if match[0]]
    head, *rows = pieces or [""]
    return Records(tuple(map(_meant, _cells(_bare(head)))), text[:start] + head, tuple(rows))


def replaced(row: str, place: int, value: str) -> str:
    """Give a record with another value in the cell `place`, quoted where the old one was or it must be."""
    cells, end = _cells(row), row[len(_bare(row)) :]
    cells[place] = _written(value, quoted=cells[place].startswith('"'))
    return ",".join(cells) + end


def like(row: str, header: tuple[str, ...], values: Mapping[str, str]) -> str:
    """Make a record of values by column, quoted as `row` is, with its kind of line end; what is not given is empty."""
    written = [
        _written(values[name], quoted=cell.startswith('"')) if name in values else ""
        for name, cell in zip(header, _cells(row), strict=True)
    ]
    return ",".join(written) + newline(row)


def ended(row: str, end: str) -> str:
    """Give a record with a line end, which the last one of a file may lack."""
    return row if row.endswith(("\n", "\r")) else row + end


def newline(row: str) -> str:
    """Give the line end of a record, "" where it has none."""
    found = re.match(r"\r\n|\r|\n", row[len(_bare(row)) :])
    return found[0] if found else ""


def _bare(row: str) -> str:
    """A record without its line end."""
    match = RECORD.match(row)
    return match[1] if match else ""


def _cells(row: str) -> list[str]:
    return CELLS.findall(_bare(row))


def _meant(cell: str) -> str:
    if not cell.startswith('"'):
        return cell
    closed = cell.rindex('"')  # what follows a closed quote belongs to the value
    return cell[1:closed].replace('""', '"') + cell[closed + 1 :]


def _written(value: str, *, quoted: bool) -> str:
    return '"' + value.replace('"', '""') + '"' if quoted or SPECIAL.search(value) else value
