"""Labels, texts and embeddings as Parquet, read a few rows at a time: what is held is what is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from relabel.data import phrases
from relabel.data.formats import dimensions, strings
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.sequential import Sequential, step
from relabel.data.formats.table import Chunk, Table
from relabel.errors import UserError

ROWS = 1 << 16
"""Rows whose strings are made at a time."""


def header(path: Path) -> tuple[str, ...]:
    """Give the names of the columns. Raises UserError where the file is truncated or no Parquet."""
    with _file(path) as file:
        return tuple(file.schema_arrow.names)


def read(path: Path, wanted: Sequence[str]) -> Table:
    """Read the wanted columns, of those that the file has, as strings: numbers as they are written, a missing value as "".

    Raises UserError where the file is truncated or no Parquet, a wanted column is there twice, or holds neither texts nor
    numbers.
    """
    with _file(path) as file:
        columns = _columns(file.schema_arrow, wanted)
        pieces: dict[str, list[NDArray[np.object_]]] = {name: [np.empty(0, np.object_)] for name in columns}
        for batch in file.iter_batches(ROWS, columns=columns) if columns else ():
            for name in columns:
                pieces[name].append(strings.shared(_strings(name, batch[name])))
        values = {name: np.concatenate(own) for name, own in pieces.items()}
        return Table(file.metadata.num_rows, tuple(file.schema_arrow.names), values)


def chunks(path: Path, wanted: Sequence[str]) -> Iterator[Chunk]:
    """Read as `read` does, some rows at a time."""
    with _file(path) as file:
        columns = _columns(file.schema_arrow, wanted)
        seen = 0
        for batch in file.iter_batches(ROWS, columns=columns):
            seen += len(batch)
            yield Chunk(
                {name: _strings(name, batch[name]).to_pylist() for name in columns}, seen / file.metadata.num_rows
            )


def embeddings(path: Path, taken: Collection[str], rows: int) -> Matrix | None:
    """Open the embeddings among the columns, of lists or of one dimension each; None where there are none.

    Their values may be float16, float32, float64 or integers. Raises UserError, at the latest with the last row, where
    lists are of several widths or missing.
    """
    with _file(path) as file:
        fields = {field.name: field.type for field in file.schema_arrow if field.name not in taken}
        lists = [name for name in dimensions.LISTS if _is_list(fields.get(name))]
        if lists and rows:
            width = _width(file, lists[0])
            copy = Sequential(rows, lambda: _of_lists(path, lists[0], width)).copy
            return Matrix(rows, width, copy, f"column `{lists[0]}`", half=_is_half(fields[lists[0]].value_type))
        names = dimensions.numbered(name for name, kind in fields.items() if _is_number(kind))
        if not names:
            return None
        copy = Sequential(rows, lambda: _of_columns(path, names)).copy
        half = all(_is_half(fields[name]) for name in names)
        return Matrix(rows, len(names), copy, dimensions.described(names), half=half)


@contextmanager
def _file(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError("no Parquet can be read from it: it is truncated, or of another format") from None


def _columns(schema: pa.Schema, wanted: Sequence[str]) -> list[str]:
    """Give the wanted columns that are there. Raises UserError where one is there twice or cannot be said in words."""
    columns = [name for name in dict.fromkeys(wanted) if name in schema.names]
    if twice := [name for name in columns if schema.names.count(name) > 1]:
        raise UserError(f"column {phrases.names(twice)} is there more than once: keep one")
    for name in columns:
        kind = schema.field(name).type
        if pa.types.is_nested(kind.value_type if pa.types.is_dictionary(kind) else kind):
            raise UserError(f"the column `{name}` holds {kind}: give texts or numbers")
    return columns


def _strings(name: str, column: pa.Array) -> pa.Array:
    try:
        return pc.fill_null(column.cast(pa.string()), "")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # their words quote the value
        raise UserError(
            f"the column `{name}` holds {column.type} that is no text in UTF-8: give texts or numbers"
        ) from None


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _is_half(kind: pa.DataType) -> bool:
    return bool(pa.types.is_float16(kind))


def _is_list(kind: pa.DataType | None) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return kind is not None and any(is_kind(kind) for is_kind in lists) and _is_number(kind.value_type)


def _width(file: pq.ParquetFile, name: str) -> int:
    """Give the width of the first list."""
    for batch in file.iter_batches(1, columns=[name]):
        width = pc.list_value_length(batch[name])[0].as_py()
        if width:
            return int(width)
        break
    raise UserError(
        f"the column `{name}` has no list, or an empty one, in row 0 (counted from 0): embed this row, or leave it out"
    )


def _of_lists(path: Path, name: str, width: int) -> Iterator[NDArray[np.float32]]:
    """Give the lists, a block at a time; a list of another width is zeros, and at the end a UserError."""
    wrong: list[int] = []
    start = 0
    with _file(path) as file:
        for batch in file.iter_batches(step(width), columns=[name]):
            column = batch[name]
            right = pc.fill_null(pc.equal(pc.list_value_length(column), width), False)
            wrong += (np.flatnonzero(~right.to_numpy(zero_copy_only=False)) + start).tolist()
            block = np.zeros((len(column), width), np.float32)
            block[right.to_numpy(zero_copy_only=False)] = _floats(column.filter(right).flatten()).reshape(-1, width)
            start += len(column)
            yield block
    if wrong:
        raise UserError(
            f"the column `{name}` has no list of {width:,} numbers, as row 0 has, in {phrases.rows(wrong)}: embed all rows with the same model"
        )


def _of_columns(path: Path, names: tuple[str, ...]) -> Iterator[NDArray[np.float32]]:
    with _file(path) as file:
        for batch in file.iter_batches(step(len(names)), columns=[*names]):
            yield np.stack([_floats(batch[name]) for name in names], axis=1)


def _floats(column: pa.Array) -> NDArray[np.float32]:
    """Give numbers, NaN where one is missing; what is beyond float32 becomes infinite."""
    with np.errstate(over="ignore"):
        values: NDArray[np.float32] = column.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
    return values
