"""Labels and texts as comma-separated values in UTF-8, with a header.

Every value is a string as it stands: `NA` and `null` are texts.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from relabel.data import phrases
from relabel.data.formats import dimensions, strings
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.sequential import Sequential
from relabel.data.formats.table import Chunk, Table
from relabel.errors import UserError

BLOCK = 1 << 24
"""Bytes parsed at a time, and so the longest value."""
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read(path: Path, wanted: Sequence[str]) -> Table:
    """Read the wanted columns, of those that the file has. Values may hold commas, quotes and newlines.

    Raises UserError where there is no header, a wanted column is there twice, rows have more or fewer values than the
    header, or bytes are no UTF-8.
    """
    names = header(path)
    columns = _columns(names, wanted)
    parsed = _parsed(path, columns or names[:1])  # the rows are counted even where no column is wanted
    return Table(parsed.num_rows, names, {name: strings.joined(parsed[name]) for name in columns})


def chunks(path: Path, wanted: Sequence[str], *, names: Sequence[str] = (), encoding: str = "utf8") -> Iterator[Chunk]:
    """Read as `read` does, some rows at a time.

    names:    of the columns, where the file has no header.
    encoding: of a file that is no UTF-8.
    """
    present = names or header(path)
    columns = _columns(present, wanted)
    try:
        for batch, done in _streamed(path, dict.fromkeys(columns, pa.string()), names=names, encoding=encoding):
            yield Chunk({name: batch[name].to_pylist() for name in columns}, done)
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        raise UserError(_refusal(path, str(error), names, encoding)) from None


def embeddings(path: Path, taken: Collection[str], rows: int) -> Matrix | None:
    """Open the embeddings among the columns, one column of numbers for each dimension; None where the first row has none.

    The file is read once more as they are copied. Raises UserError where a column that is named for embeddings has lists, and,
    as rows are copied, where a value is no number.
    """
    first = [(name, value) for name, value in zip(header(path), _first(path), strict=False) if name not in taken]
    lists = [name for name, value in first if name in dimensions.LISTS and value.lstrip().startswith("[")]
    if lists:
        raise UserError(
            f"the column `{lists[0]}` holds lists, and CSV has no form for them: "
            "save the table as .parquet or .jsonl, or the embeddings as .npy beside it"
        )
    names = dimensions.numbered(name for name, value in first if _is_number(value))
    if not names:
        return None
    copy = Sequential(rows, lambda: _blocks(path, names)).copy
    return Matrix(rows, len(names), copy, dimensions.described(names))


def header(path: Path) -> tuple[str, ...]:
    """Give the names of the columns. Raises UserError where there is no header."""
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


def _columns(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Give the wanted columns that are there. Raises UserError where one is there twice."""
    columns = [name for name in dict.fromkeys(wanted) if name in names]
    if twice := [name for name in columns if names.count(name) > 1]:
        raise UserError(f"column {phrases.names(twice)} is there more than once: keep one")
    return columns


def _first(path: Path) -> list[str]:
    """Give the values of the first row, [] where there is none."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return next((row for row in rows if row), [])


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _blocks(path: Path, names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """Give columns of numbers, (b, D) at a time; an empty cell is NaN."""
    try:
        for batch, _ in _streamed(path, dict.fromkeys(names, pa.float64())):
            columns = [batch[name].to_numpy(zero_copy_only=False) for name in names]
            with np.errstate(over="ignore"):
                yield np.stack(columns, axis=1).astype(np.float32)
    except pa.ArrowInvalid:
        raise UserError(_no_numbers(path, names)) from None


def _streamed(
    path: Path, columns: Mapping[str, pa.DataType], *, names: Sequence[str] = (), encoding: str = "utf8"
) -> Iterator[tuple[pa.RecordBatch, float]]:
    """Give some rows at a time, and the share of the file that has been read; `names` where it has no header."""
    size = path.stat().st_size
    with path.open("rb") as file:
        reader = pa.csv.open_csv(
            file,
            read_options=pa.csv.ReadOptions(block_size=BLOCK, column_names=[*names], encoding=encoding),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(include_columns=[*columns], column_types=columns),
        )
        for batch in reader:
            yield batch, file.tell() / size


def _no_numbers(path: Path, names: Sequence[str]) -> str:
    """Say which rows have something else among their numbers; slow, and only for a file that is refused already."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        wrong = [n for n, row in enumerate(rows) if not all(not row[name] or _is_number(row[name]) for name in names)]
    where = f" in {phrases.rows(wrong)}" if wrong else ""
    return f"no number in one of the {dimensions.described(tuple(names))}, which are embeddings{where}: mend these rows, or rename the columns"


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


def _refusal(path: Path, message: str, names: Sequence[str] = (), encoding: str = "utf8") -> str:
    """Say in our words why the parser gave up: its own words quote the row."""
    if "Empty CSV" in message:
        return "no rows: the file ends with its header"
    undecodable = _undecodable(path) if encoding == "utf8" else ""
    if undecodable or "straddl" in message:
        return undecodable or f"a value is longer than {BLOCK >> 20} MiB: a quote is opened and never closed"
    return _torn_rows(path, names, encoding)


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


def _torn_rows(path: Path, names: Sequence[str], encoding: str) -> str:
    """Say which rows do not fit the header; slow, and only for a file that is refused already."""
    with path.open(encoding="utf-8-sig" if encoding == "utf8" else encoding, newline="") as file:
        rows = csv.reader(file)
        width = len(names or next(rows))
        try:
            torn = [row for row, values in enumerate(values for values in rows if values) if len(values) != width]
        except csv.Error:
            torn = []
    where = f" in {phrases.rows(torn)}" if torn else ""
    remedy = "quote values that hold commas, quotes or newlines, and close every quote"
    expected = f"the {width} columns" if names else f"the header's {width}"
    return f"more or fewer values than {expected}{where}: {remedy}"
