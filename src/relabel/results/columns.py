"""Columns of the findings, as arrow arrays, and the two ways in which tables of them are written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from relabel import files
from relabel.auditing.policies import Decision
from relabel.data.examples import Split
from relabel.data.stretches import stretches
from relabel.results.findings import Findings

SPLITS = [split.name.lower() for split in Split]
DECISIONS = [decision.name.lower() for decision in Decision]
SPECIAL = set(',"\r\n')

PART = 1 << 20
"""Rows of a table that are made and written at a time: a row group of Parquet, as it is by default."""


def parts(rows: int) -> Iterator[slice]:
    """Divide the rows of a table; one without rows has one part, for its header."""
    yield from stretches(rows, PART) if rows else [slice(0, 0)]


def named(codes: NDArray[np.integer], names: list[str]) -> pa.Array:
    """Turn codes (n,) into names; -1 is null."""
    known = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(known, pa.array(names, pa.string()))


def place(findings: Findings, rows: NDArray[np.intp] | slice = slice(None)) -> dict[str, pa.Array]:
    """Say where rows came from: file and row, the record's number in it from 0, and id."""
    examples = findings.examples
    return {
        "file": named(examples.file[rows], list(examples.files)),
        "row": pa.array(examples.row[rows]),
        "id": pa.array(examples.ids[rows], pa.string()),
    }


def text(findings: Findings, rows: NDArray[np.intp] | slice = slice(None)) -> dict[str, pa.Array]:
    """Give the text under the name of its column in the data; nothing where no file has texts."""
    if findings.examples.texts is None:
        return {}
    return {findings.settings.text_column: pa.array(findings.examples.texts[rows], pa.string())}


def classes(findings: Findings, codes: NDArray[np.int64]) -> pa.Array:
    """Turn labels (n,) into class names."""
    return named(codes, list(findings.examples.classes))


def rounded(values: NDArray[np.floating]) -> pa.Array:
    """Give values to six decimals, for people."""
    return pa.array(np.round(values, 6))


def write_csv(path: Path, made: Iterable[Mapping[str, pa.Array]]) -> None:
    """Write the parts of a table with a header, atomically; texts are quoted, numbers are not."""
    tables = (pa.table(dict(columns)) for columns in made)
    first = next(tables)
    header = "needed" if any(SPECIAL & set(name) for name in first.column_names) else "none"
    options = pa.csv.WriteOptions(quoting_header=header)
    with (
        files.replacing(path) as temporary,
        pa.csv.CSVWriter(temporary, first.schema, write_options=options) as writer,
    ):
        for table in chain([first], tables):
            writer.write_table(table)


def read_csv(path: Path) -> list[dict[str, Any]]:
    """Read a table back, a dictionary of strings per line."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_parquet(path: Path, made: Iterable[Mapping[str, pa.Array]]) -> None:
    """Write the parts of a table, atomically."""
    tables = (pa.table(dict(columns)) for columns in made)
    first = next(tables)
    with (
        files.replacing(path) as temporary,
        pa.parquet.ParquetWriter(temporary, first.schema, compression="zstd") as writer,
    ):
        for table in chain([first], tables):
            writer.write_table(table)
