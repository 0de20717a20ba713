"""Rows of a source into tables, one for each split, as they come."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from relabel import files
from relabel.data.examples import Split

ROWS = 1 << 15
"""Rows of one piece of a Parquet file."""


class Writer(Protocol):
    """Takes rows, each of as many strings as there are columns."""

    def __call__(self, row: Sequence[str]) -> None:
        """Add a row."""
        ...


@contextmanager
def written(folder: Path, suffix: str, columns: Sequence[str]) -> Iterator[Mapping[Split, Writer]]:
    """Write `train`, `dev` and `test` of one format; all take their places when the block ends well, and none when it does not."""
    with ExitStack() as stack:
        temporary = {split: stack.enter_context(files.replacing(folder / name(split, suffix))) for split in Split}
        with ExitStack() as writing:
            yield {split: writing.enter_context(FORMATS[suffix](path, columns)) for split, path in temporary.items()}


def name(split: Split, suffix: str) -> str:
    """Give the name of a split's table."""
    return f"{split.name.lower()}.{suffix}"


@contextmanager
def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    schema = pa.schema([(column, pa.string()) for column in columns])
    rows: list[Sequence[str]] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as file:

        def flush() -> None:
            arrays = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            file.write_table(pa.table(arrays, schema=schema))
            rows.clear()

        def add(row: Sequence[str]) -> None:
            rows.append(row)
            if len(rows) == ROWS:
                flush()

        yield add
        if rows:
            flush()


@contextmanager
def _csv(path: Path, columns: Sequence[str]) -> Iterator[Writer]:
    with path.open("w", newline="", encoding="utf-8") as file:
        # Every value is quoted: a lone carriage return would end a row for some readers.
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(columns)

        def add(row: Sequence[str]) -> None:
            writer.writerow(row)

        yield add


FORMATS: Mapping[str, Callable[[Path, Sequence[str]], AbstractContextManager[Writer]]] = {
    "parquet": _parquet,
    "csv": _csv,
}
