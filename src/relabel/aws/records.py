"""A set to be transformed: its records as JSON Lines, one a line whatever is in them, and their labels, which are kept here.

Batch transform cuts files at line ends and sends some lines at a time, so a CSV file as it is would lose its header after the first request,
and a text with a line break would be torn.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relabel.aws.models import Described
from relabel.errors import UserError

ENDINGS = (".csv", ".jsonl")
TEXTS = ("text", "review", "sentence", "content")
FEATURES = ("features", *TEXTS)
IDS = ("id", "row", "file")


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a line of JSON without its label, and the label as it is written, "" where it has none."""

    line: str
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns or keys: of the label, and of the text ("" is the first of `TEXTS` that is there)."""

    label: str = "label"
    text: str = ""


def files_of(place: Path) -> dict[str, Path]:
    """List the files of a set by their names below the folder. Raises UserError where there is none that can be read."""
    if place.is_file():
        found = {place.name: place}
    else:
        found = {
            path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if path.suffix in ENDINGS
        }
    if not found or any(path.suffix not in ENDINGS for path in found.values()):
        raise UserError(f"{place}: no set: give a file or a folder of {' or '.join(ENDINGS)} files")
    return found


def read(path: Path, takes: Described, columns: Columns) -> Iterator[Record]:
    """Read a file record by record.

    Raises UserError with the file and the line of what does not fit; nothing of a record is shown.
    """
    csv.field_size_limit(min(sys.maxsize, 1 << 31))
    with path.open(encoding="utf-8-sig", newline="") as file, _told(path):
        yield from (_of_table if path.suffix == ".csv" else _of_lines)(file, takes, columns)


def _of_table(file: Any, takes: Described, columns: Columns) -> Iterator[Record]:
    reader = csv.reader(file)
    first = next(reader, None)
    if first is None:
        raise UserError("no line")
    names = _header(first, takes, columns)
    label = names.index(columns.label) if columns.label in names else None
    places = _places(names, takes, columns)
    rows = reader if names else _chained(first, reader)
    for cells in rows:
        if len(cells) != len(first):
            raise UserError(f"line {reader.line_num}: {len(cells)} fields where the first line has {len(first)}")
        given = cells[label].strip() if label is not None else ""
        if takes.width is None:
            yield Record(json.dumps({"text": cells[places[0]]}), given)
        else:
            yield Record(_vector([cells[place] for place in places], reader.line_num), given)


def _header(first: Sequence[str], takes: Described, columns: Columns) -> Sequence[str]:
    """Give the first line where it is names, else nothing."""
    said = {columns.label, columns.text, *TEXTS, *IDS}
    if {cell.strip() for cell in first} & said - {""}:
        return [cell.strip() for cell in first]
    if takes.width is None:
        return []
    return [] if all(_number(cell) is not None for cell in first) else [cell.strip() for cell in first]


def _places(names: Sequence[str], takes: Described, columns: Columns) -> Sequence[int]:
    """Give the columns of what the model takes."""
    if takes.width is None:
        if not names:
            return (0,)
        wanted = [columns.text] if columns.text else [name for name in TEXTS if name in names][:1]
        if not wanted or wanted[0] not in names:
            raise UserError(f"no column of texts among {len(names)} columns: name it with --text-column")
        return (names.index(wanted[0]),)
    places = [n for n, name in enumerate(names) if name not in {columns.label, columns.text, *TEXTS, *IDS}]
    if names and len(places) != takes.width:
        raise UserError(f"{len(places)} columns beside label, text and id, and the model takes {takes.width} numbers")
    return places or range(takes.width)


def _vector(cells: Sequence[str], line: int) -> str:
    values = [_number(cell) for cell in cells]
    if None in values:
        raise UserError(f"line {line}, field {values.index(None) + 1} of the vector: no finite number")
    return json.dumps({"features": values})


def _of_lines(file: Any, takes: Described, columns: Columns) -> Iterator[Record]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except ValueError:
            raise UserError(f"line {number}: no JSON") from None
        if not isinstance(said, dict):
            said = {"text" if takes.width is None else "features": said}
        label = said.get(columns.label)
        content = next((said[key] for key in (columns.text, *FEATURES) if key in said), None)
        if content is None:
            raise UserError(f"line {number}: none of the keys {', '.join(FEATURES)}")
        key = "text" if isinstance(content, str) else "features"
        yield Record(json.dumps({key: content}), "" if label is None else str(label).strip())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _chained(first: list[str], rest: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rest


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Name the file in what is wrong with it."""
    try:
        yield
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: no UTF-8: write it so") from None
    except csv.Error as error:
        raise UserError(f"{path.name}: no CSV ({error})") from None
