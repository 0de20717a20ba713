"""Labels, texts and embeddings as JSON Lines: one object a line, in UTF-8. Blank lines are passed over."""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data import phrases
from relabel.data.formats import dimensions, strings
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.sequential import Sequential, step
from relabel.data.formats.table import Chunk, Table
from relabel.errors import UserError

BLOCK = 1 << 22
"""Bytes of a chunk."""

FIRST = 100
"""Lines whose fields are taken for those of the file."""


def header(path: Path) -> tuple[str, ...]:
    """Give the fields of the first lines. Raises UserError where one of them is no object."""
    return tuple(dict.fromkeys(name for record in itertools.islice(_sound(path), FIRST) for name in record))


def read(path: Path, wanted: Sequence[str]) -> Table:
    """Read the wanted fields, of those that the file has, as strings: numbers as JSON writes them, null and no field as "".

    Raises UserError where a line is no object, or a wanted field holds a list or an object.
    """
    names = header(path)
    values: dict[str, list[str]] = {name: [] for name in dict.fromkeys(wanted) if name in names}
    few = {name: strings.Few() for name in values}
    rows = 0
    for record in _sound(path):
        _add(values, record, path)
        for name, column in values.items():
            column[-1] = few[name].one(column[-1])
        rows += 1
    return Table(rows, names, {name: np.array(column, np.object_) for name, column in values.items()})


def chunks(path: Path, wanted: Sequence[str]) -> Iterator[Chunk]:
    """Read as `read` does, some rows at a time."""
    names = [name for name in dict.fromkeys(wanted) if name in header(path)]
    size, seen = path.stat().st_size, 0
    with path.open("rb") as file:
        while lines := file.readlines(BLOCK):
            seen += sum(map(len, lines))
            values: dict[str, list[str]] = {name: [] for name in names}
            for record in map(_object, filter(bytes.strip, lines)):
                if record is None:
                    raise UserError(_no_objects(path))
                _add(values, record, path)
            yield Chunk(values, seen / size)


def embeddings(path: Path, taken: Collection[str], rows: int) -> Matrix | None:
    """Open the embeddings among the fields, a list or one number for each dimension; None where the first line has none.

    The file is read once more as they are copied. Raises UserError, with the last row, where a line has no such list or
    numbers.
    """
    first = {name: value for name, value in next(_sound(path), {}).items() if name not in taken}
    lists = [name for name in dimensions.LISTS if isinstance(first.get(name), list) and first[name]]
    if lists:
        width, where = len(first[lists[0]]), f"column `{lists[0]}`"
        copy = Sequential(rows, lambda: _blocks(path, lists[0], width)).copy
        return Matrix(rows, width, copy, where)
    names = dimensions.numbered(name for name, value in first.items() if type(value) in (int, float))
    if not names:
        return None
    copy = Sequential(rows, lambda: _blocks(path, names, len(names))).copy
    return Matrix(rows, len(names), copy, dimensions.described(names))


def records(path: Path) -> Iterator[dict[str, Any] | None]:
    """Give the object of each line, None where a line is none."""
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield _object(line)


def string(value: Any) -> str | None:
    """Say a value as a string, None where it is a list or an object; half a character of UTF-16 becomes a question mark."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if value is None:
        return ""
    return None if isinstance(value, list | dict) else json.dumps(value)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _sound(path: Path) -> Iterator[dict[str, Any]]:
    """Give the objects. Raises UserError, at the first line that is none, with all of them."""
    for record in records(path):
        if record is None:
            raise UserError(_no_objects(path))
        yield record


def _no_objects(path: Path) -> str:
    """Say which lines are no objects; slow, and only for a file that is refused already."""
    wrong = [row for row, each in enumerate(records(path)) if each is None]
    return f"no JSON object in UTF-8 in {phrases.rows(wrong)}: write one object on each line"


def _add(values: dict[str, list[str]], record: dict[str, Any], path: Path) -> None:
    """Add a record to the columns. Raises UserError, with all such rows, where a value is a list or an object."""
    for name, column in values.items():
        value = string(record.get(name))
        if value is None:
            wrong = [row for row, each in enumerate(_sound(path)) if any(string(each.get(n)) is None for n in values)]
            raise UserError(
                f"a list or an object where a text or a number is expected, in {phrases.rows(wrong)}: "
                f"the fields read are {phrases.names([*values])}"
            )
        column.append(value)


def _blocks(path: Path, names: str | Sequence[str], width: int) -> Iterator[NDArray[np.float32]]:
    """Give the vectors, a block at a time; a row without one is zeros, and at the end a UserError."""
    wrong: list[int] = []
    found = _sound(path)
    start = 0
    while chunk := [*itertools.islice(found, step(width))]:
        block = np.zeros((len(chunk), width), np.float32)
        for row, record in enumerate(chunk):
            vector = _vector(
                record.get(names) if isinstance(names, str) else [record.get(name) for name in names], width
            )
            if vector is None:
                wrong.append(start + row)
            else:
                block[row] = vector
        start += len(chunk)
        yield block
    if wrong:
        what = (
            f"list of {width:,} numbers in `{names}`"
            if isinstance(names, str)
            else f"numbers in `{names[0]}` to `{names[-1]}`"
        )
        raise UserError(f"no {what}, as row 0 has, in {phrases.rows(wrong)}: embed all rows with the same model")


def _vector(values: Any, width: int) -> NDArray[np.float32] | None:
    """Give a list of numbers as a vector, null as NaN; None where it is something else."""
    if not isinstance(values, list) or len(values) != width or not {*map(type, values)} <= {int, float, type(None)}:
        return None
    try:
        with np.errstate(over="ignore"):
            return np.array(values, np.float64).astype(np.float32)
    except OverflowError:  # a whole number of more digits than a float has
        return np.full(width, np.inf, np.float32)
