"""Rows that wait for a label: embeddings of one file, with texts, ids and labels where they are known.

    pool.npy or pool.pt                 embeddings alone
    pool.csv beside one of the two      texts, ids and labels, all optional; either file may be named
    pool.csv alone                      embeddings in its columns, but for those of texts, ids and labels
    pool.parquet, pool.jsonl            in place of the .csv; alone, with embeddings in columns of their own

Letters: N rows, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks, embeddings, formats, labels, phrases
from relabel.data.examples import Split
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import Table
from relabel.data.parts import Part
from relabel.errors import UserError
from relabel.settings import TrainSettings

Strings = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Rows in the order of their file.

    vectors: (N, D) float32, finite.
    labels:  (N,) int64 into the classes asked for, -1 where there is none.
    ids, texts: (N,) str, None where there is no such column.
    """

    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]
    ids: Strings | None
    texts: Strings | None


def read(path: Path, settings: TrainSettings, *, classes: tuple[str, ...], width: int) -> Pool:
    """Read the rows for a model with these classes and this width.

    settings: names of the columns.

    Raises UserError with all problems, which begin with the file's name.
    """
    part = _opened(path, settings)
    problems = [*checks.widths([part], width, "the model"), *checks.repeated_ids([part])]
    codes = np.full(part.matrix.rows if part.matrix else 0, labels.UNLABELLED)
    if part.labels is not None:
        encoded = labels.encode(part.labels)
        problems += checks.no_labels([part], encoded)
        if unknown := [name for name in encoded.classes if name not in classes]:
            problems.append(
                f"{part.name}: the model does not know the label {phrases.names(unknown)}, "
                f"its classes are {phrases.names(classes)}: give labels by these names, or none"
            )
        else:
            codes = np.array([*map(classes.index, encoded.classes), labels.UNLABELLED], dtype=np.int64)[encoded.codes]
    if problems:
        raise UserError(*problems, *embeddings.scanned([part]))
    vectors, problems = embeddings.gathered([part])
    if vectors is None or problems:
        raise UserError(*problems)
    return Pool(vectors, codes, part.ids, part.texts)


def _opened(path: Path, settings: TrainSettings) -> Part:
    """Open the file that is named, and the one that belongs to it."""
    table_path, matrix_path = _pair(path)
    names = (settings.label_column, settings.text_column, settings.id_column)
    try:
        table = Table(0, (), {}) if table_path is None else formats.table(table_path).read(table_path, names)
        matrix = _own(path, names, table) if matrix_path is None else formats.matrix(matrix_path)
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    if table_path is not None and table.rows != matrix.rows:
        raise UserError(
            f"{path.name}: {matrix.rows:,} embeddings, but {table.rows:,} rows in the {table_path.suffix} beside: give each row one embedding"
        )
    if not matrix.rows:
        raise UserError(f"{path.name}: no rows: there is nothing to choose from")
    given, texts, ids = map(table.values.get, names)
    return Part(Split.TRAIN, path.name, path.name, given, texts, ids, matrix, table.header, ())


def _pair(path: Path) -> tuple[Path | None, Path | None]:
    """Give the label file and the file of embeddings, of which one was named."""
    suffix = path.suffix.lower()
    if suffix in formats.MATRICES:
        tables = [beside for beside in map(path.with_suffix, formats.TABLES) if beside.is_file()]
        return (tables[0] if tables else None), path
    if suffix not in formats.TABLES:
        raise UserError(f"{path.name}: give embeddings as {', '.join((*formats.MATRICES, *formats.TABLES))}")
    found = [each for each in map(path.with_suffix, formats.MATRICES) if each.is_file()]
    if len(found) > 1:
        raise UserError(f"{path.name}: {phrases.names([each.name for each in found])} lie beside it: name one of these")
    return path, found[0] if found else None


def _own(path: Path, names: tuple[str, ...], table: Table) -> Matrix:
    """Open the embeddings in the columns of a table that has none beside it."""
    if path.suffix.lower() == ".csv":
        header = formats.csv.header(path)
        return _numbers(formats.csv.read(path, header), [name for name in header if name not in names])
    matrix = formats.table(path).embeddings(path, names, table.rows)
    if matrix is None:
        raise UserError("no columns of embeddings: put them beside it, as .npy, or into its columns")
    return matrix


def _numbers(table: Table, columns: list[str]) -> Matrix:
    """Take columns as embeddings."""
    array = np.empty((table.rows, len(columns)), dtype=np.float32)
    for place, name in enumerate(columns):
        try:
            with np.errstate(over="ignore"):
                array[:, place] = table.values[name].astype(np.float64)
        except ValueError:
            raise UserError(
                f"the column {phrases.name(name)} holds no numbers: put embeddings beside it, as .npy, or in all its other columns"
            ) from None
    if not columns:
        raise UserError("no columns of embeddings: put them beside it, as .npy, or into its columns")

    def copy(start: int, out: NDArray[np.float32]) -> None:
        out[:] = array[start : start + len(out)]

    return Matrix(table.rows, len(columns), copy)
