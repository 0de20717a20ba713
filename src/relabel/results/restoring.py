"""A CSV file of labels in which changes are taken back: which row of the data each record is, and the text with what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from relabel.data import labels, phrases
from relabel.data.formats import csv, records
from relabel.data.formats.records import Records
from relabel.errors import UserError
from relabel.results.changes import SHARE, WEIGHT, Change
from relabel.results.undo import Listing, Undoing
from relabel.settings import TrainSettings

PLACE = ("file", "row")
"""Columns that say where a row of the data stands, as every table of the results has them."""


def read(path: Path) -> Records:
    """Read a CSV file in its records, once the reader of label files has found it sound.

    Raises UserError where it is not.
    """
    with _named(path):
        table = csv.read(path, [])
        found = records.split(path.read_bytes().decode())
        if found.header != table.header or len(found.rows) != table.rows:
            raise UserError("rows cannot be told apart: take out empty lines at the head, and close every quote")
    return found


def listing(
    path: Path, found: Records, changes: Sequence[Change], settings: TrainSettings, own: str | None = None
) -> Listing:
    """Say which row of the data each record of a table is.

    By the columns `file` and `row` where it has them, as cleaned.csv does; else by its number, in a label file with all
    its rows.

    own: the table is this file of the journal, with all its rows.

    Raises UserError where there are no labels, or it cannot be told which file of the data this is.
    """
    header = found.header
    if settings.label_column not in header:
        with _named(path):
            raise UserError(f"no column `{settings.label_column}`, only {phrases.names(header)}: set --label-column")
    placed = own is None and {*PLACE} <= {*header}
    with _named(path):
        places = _placed(found, changes) if placed else _numbered(found, changes, path.name, own)
    return Listing(
        name=path.name,
        places=places,
        labels=_spelled(found.values(settings.label_column)),
        texts=_column(found, settings.text_column),
        ids=_column(found, "id" if placed else settings.id_column),
        complete=not placed,
        in_part=_in_part(found) if placed else (),
    )


def rows_named(path: Path, changes: Sequence[Change]) -> set[tuple[str, int] | str]:
    """Read which rows a person means: (file, row), or ids where the table has no column `row`.

    Raises UserError where it cannot be told, or none of them was changed.
    """
    found = read(path)
    rows: set[tuple[str, int] | str] = set()
    with _named(path):
        if "row" in found.header:
            rows.update(zip(_files(found, changes), _row_numbers(found), strict=True))
        elif "id" in found.header:
            rows.update(name for name in found.values("id") if name)
        else:
            raise UserError(f"only the columns {phrases.names(found.header)}: give file and row, or id")
        if rows.isdisjoint(name for change in changes for name in (change.place, change.id)):
            raise UserError(f"none of its {len(rows):,} rows is among the {len(changes):,} changes of the journal")
    return rows


def restored(found: Records, undoing: Undoing, settings: TrainSettings) -> str:
    """Give the text of the table with what comes back; every other byte is as it was."""
    place, end = found.header.index(settings.label_column), records.newline(found.head)
    rows = [
        _whole(records.replaced(row, place, undoing.labels[n]), found.header, undoing.labels[n])
        if n in undoing.labels
        else row
        for n, row in enumerate(found.rows)
    ]
    pieces, start = [found.head], 0
    for n, change in undoing.back:
        pieces += [records.ended(row, end) for row in rows[start:n]]
        values = {
            "file": change.file,
            "row": str(change.row),
            "id": change.id,
            settings.label_column: change.old_label,
            settings.text_column: change.text or "",
        }
        pieces.append(records.ended(records.like(rows[0], found.header, values), end))
        start = n
    return "".join([*pieces, *rows[start:]])


def _whole(row: str, header: Sequence[str], label: str) -> str:
    """Give a record that counts for its label alone and as a whole."""
    for place, name in enumerate(header):
        if name == WEIGHT:
            row = records.replaced(row, place, "1")
        elif name.startswith(SHARE):
            row = records.replaced(row, place, "1" if name == SHARE + label else "0")
    return row


def _in_part(found: Records) -> set[int]:
    """Records whose weight is not 1, or that have soft labels."""
    columns = [found.values(name) for name in found.header if name == WEIGHT or name.startswith(SHARE)]
    return {n for n, values in enumerate(zip(*columns, strict=True)) if not {*values} <= {"0", "1"}}


def _placed(found: Records, changes: Sequence[Change]) -> list[tuple[str, int]]:
    """The places that the table itself names."""
    files = found.values("file")
    journal = {change.file for change in changes}
    stay = {change.file for change in changes if change.new_label is not None}
    if stay and stay.isdisjoint(files):
        raise UserError(
            f"rows of {phrases.names(sorted({*files}))}, and the journal names {phrases.names(sorted(journal))}: "
            "give the labels and the journal of one job"
        )
    return list(zip(files, _row_numbers(found), strict=True))


def _numbered(found: Records, changes: Sequence[Change], name: str, own: str | None) -> list[tuple[str, int]]:
    """The places of all rows of one file of the data."""
    journal = sorted({change.file for change in changes})
    matching = [file for file in journal if (file == own if own else Path(file).name == name)]
    if journal and len(matching) != 1:
        seen = "several" if matching else "none"
        raise UserError(f"{seen} of the files of the journal ({phrases.names(journal)}): say which it is with --file")
    return [(matching[0] if matching else name, n) for n in range(len(found.rows))]


def _files(found: Records, changes: Sequence[Change]) -> Sequence[str]:
    """The file of every record; the journal's only one where the table does not say it."""
    if "file" in found.header:
        return found.values("file")
    journal = sorted({change.file for change in changes})
    if len(journal) > 1:
        raise UserError(f"no column `file`, and the journal names {phrases.names(journal)}: add it")
    return (journal or [""]) * len(found.rows)


def _row_numbers(found: Records) -> list[int]:
    values = found.values("row")
    if wrong := [n for n, value in enumerate(values) if not (value.isascii() and value.isdecimal())]:
        raise UserError(f"the column `row` holds no number in {phrases.rows(wrong)}: it must name a row of the data")
    return [int(value) for value in values]


def _spelled(values: list[str]) -> list[str]:
    """Give labels as the job writes them: whole numbers in one spelling, no spaces around names."""
    encoded = labels.encode(np.array(values, dtype=np.object_))
    return [
        encoded.classes[code] if code >= 0 else value.strip()
        for code, value in zip(encoded.codes.tolist(), values, strict=True)
    ]


def _column(found: Records, name: str) -> list[str] | None:
    return found.values(name) if name in found.header else None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin every problem with the file's name."""
    try:
        yield
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
