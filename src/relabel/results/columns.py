"""Columns of the findings, as arrow arrays, and the two ways in which tables of them are written."""

from __future__ import annotations

import csv
from collections.abc import Mapping
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
from relabel.results.findings import Findings

SPLITS = [split.name.lower() for split in Split]
DECISIONS = [decision.name.lower() for decision in Decision]
SPECIAL = set(',"\r\n')


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


def write_csv(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Write a table with a header, atomically; texts are quoted, numbers are not."""
    header = "needed" if any(SPECIAL & set(name) for name in columns) else "none"
    with files.replacing(path) as temporary:
        pa.csv.write_csv(pa.table(dict(columns)), temporary, pa.csv.WriteOptions(quoting_header=header))


def read_csv(path: Path) -> list[dict[str, Any]]:
    """Read a table back, a dictionary of strings per line."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_parquet(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Write a table, atomically."""
    with files.replacing(path) as temporary:
        pa.parquet.write_table(pa.table(dict(columns)), temporary, compression="zstd")
