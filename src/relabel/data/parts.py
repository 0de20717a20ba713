"""One label file, with its embeddings where it has any, opened, and what can be said against it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import formats, labels, metadata, phrases, text_column
from relabel.data.examples import Split
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import Table, TableFormat
from relabel.data.layout import Source
from relabel.data.texts import Arena, Texts
from relabel.errors import DISK_ERRNOS, UserError
from relabel.settings import TrainSettings

Strings = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What one source holds; None where it has no such column, or could not be read, which is then among the problems.

    name, matrix_name: the two files as `channel/name`; the same one twice where embeddings stand in the label file.
    labels, ids: (n,) str; texts: (n,).
    problems: what is wrong with either file, each problem beginning with the file's name.
    metadata: name -> (n,) str of the other columns asked for, of those that the file has.
    """

    split: Split
    name: str
    matrix_name: str
    labels: Strings | None
    texts: Texts | None
    ids: Strings | None
    matrix: Matrix | None
    header: tuple[str, ...]
    problems: tuple[str, ...]
    metadata: Mapping[str, Strings] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows (n) of the label file, 0 where it could not be read."""
        return 0 if self.labels is None else int(self.labels.size)


def opened(source: Source, settings: TrainSettings, arena: Arena | None = None) -> Part:
    """Read a label file and open its embeddings; what is wrong with either is in the part's `problems`.

    arena: takes the texts; without it they have one of their own, in memory.
    """
    problems: list[str] = []
    table: Table | None = None
    matrix: Matrix | None = None
    texts: Texts | None = None
    others = metadata.names(settings)
    with _noting(problems, source.table):
        reader = formats.table(_checked(source.table_path))
        column = text_column.found(reader.header(source.table_path), settings)
        wanted = (settings.label_column, settings.id_column, *others)
        table = reader.read(source.table_path, wanted)
        _check_labels(table, settings.label_column)
        texts = _texts(reader, source.table_path, column, table, arena or Arena())
        if source.matrix_path is None:
            matrix = reader.embeddings(source.table_path, (*wanted, column), table.rows)
    if source.matrix_path is not None:
        with _noting(problems, source.matrix or source.table):
            matrix = formats.matrix(_checked(source.matrix_path))
            if table is not None and table.rows != matrix.rows:
                raise UserError(
                    f"{matrix.rows:,} embeddings, but {source.table} has {table.rows:,} rows: give each row one embedding"
                )
    values = table.values if table else {}
    return Part(
        split=source.split,
        name=source.table,
        matrix_name=source.matrix or source.table,
        labels=values.get(settings.label_column),
        texts=texts,
        ids=values.get(settings.id_column),
        matrix=matrix,
        header=table.header if table else (),
        problems=tuple(problems),
        metadata={name: values[name] for name in others if name in values},
    )


def _texts(reader: TableFormat, path: Path, column: str, table: Table, arena: Arena) -> Texts | None:
    """Read the texts by themselves, some rows at a time: with all of them as strings a file of millions would not fit into memory."""
    if column not in table.header:
        return None
    texts = arena.put(text for chunk in reader.chunks(path, [column]) for text in chunk.values[column])
    if len(texts) != table.rows:
        raise UserError(f"{table.rows:,} rows at first, then {len(texts):,}: do not change the data of a running job")
    return texts


def _check_labels(table: Table, column: str) -> None:
    """Raise UserError where a file has no rows, no labels, or something else in their place."""
    if column not in table.values:
        raise UserError(
            f"no column `{column}` of labels, only {phrases.names(table.header)}: set label_column, or add the header"
        )
    if table.rows == 0:
        raise UserError("no rows: there is nothing but names of columns")
    if (empty := np.flatnonzero(labels.empty(table.values[column]))).size:
        raise UserError(f"the label is empty in {phrases.rows(empty.tolist())}: label these rows, or leave them out")


def _checked(path: Path) -> Path:
    if path.is_file() and path.stat().st_size == 0:
        raise UserError("the file is empty (0 bytes): was it written to its end?")
    return path


@contextmanager
def _noting(problems: list[str], name: str) -> Iterator[None]:
    """Turn what the reading of one file raises into problems that begin with its name."""
    try:
        yield
    except UserError as error:
        problems += [f"{name}: {problem}" for problem in error.problems]
    except OSError as error:
        if error.errno in DISK_ERRNOS:
            raise
        problems.append(f"{name}: it cannot be read: {error.strerror or type(error).__name__}")
