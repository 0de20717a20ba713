"""Rows that wait for a label: embeddings or texts of one file, with ids and labels where they are known.

    pool.npy or pool.pt                 embeddings alone
    pool.csv beside one of the two      texts, ids and labels, all optional; either file may be named
    pool.csv alone                      embeddings in its columns, but for those of texts, ids and labels
    pool.parquet, pool.jsonl            in place of the .csv; alone, with embeddings in columns of their own
    pool.txt                            texts alone, one on each line

For a model that takes texts embeddings are optional, and those of a .csv stand in columns that are named for them, as in data for training.

Letters: N rows, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks, embeddings, formats, labels, phrases, text_column
from relabel.data.examples import Split
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import Table
from relabel.data.parts import Part
from relabel.data.texts import Texts
from relabel.errors import UserError
from relabel.settings import TrainSettings

Strings = NDArray[np.object_]

LINES = ".txt"
"""Suffix of texts alone, one on each line."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Rows in the order of their file.

    vectors: (N, D) float32, finite; None where there are texts alone.
    labels:  (N,) int64 into the classes asked for, -1 where there is none.
    ids, texts: (N,) str, None where there is no such column.
    """

    vectors: NDArray[np.float32] | None
    labels: NDArray[np.int64]
    ids: Strings | None
    texts: Strings | None


def read(
    path: Path, settings: TrainSettings, *, classes: tuple[str, ...], width: int | None, texts: bool = False
) -> Pool:
    """Read the rows for a model with these classes.

    settings: names of the columns.
    width:    D of the vectors that the model takes; None where it takes texts alone.
    texts:    whether it takes texts.

    Where the model has nothing else to go by, every row has a text. Raises UserError with all problems, which begin with the file's name.
    """
    part = _opened(path, settings, texts=texts)
    problems = [*_unfit(part, width, settings), *checks.widths([part], width or 0, "the model")]
    problems += checks.repeated_ids([part])
    codes = np.full(_rows(part), labels.UNLABELLED)
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
    if problems:
        raise UserError(*problems)
    return Pool(vectors, codes, part.ids, None if part.texts is None else np.array(part.texts[:], np.object_))


def _opened(path: Path, settings: TrainSettings, *, texts: bool) -> Part:
    """Open the file that is named, and the one that belongs to it."""
    table_path, matrix_path = _pair(path)
    try:
        table, names = _table(table_path, settings)
        matrix = _own(path, names, table, texts=texts) if matrix_path is None else formats.matrix(matrix_path)
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    if table_path is not None and matrix is not None and table.rows != matrix.rows:
        raise UserError(
            f"{path.name}: {matrix.rows:,} embeddings, but {table.rows:,} rows in the {table_path.suffix} beside: give each row one embedding"
        )
    given, column, ids = map(table.values.get, names)
    if not (table.rows or (matrix and matrix.rows)):
        raise UserError(f"{path.name}: no rows: there is nothing to choose from")
    words = None if column is None else Texts.of(column)
    return Part(Split.TRAIN, path.name, path.name, given, words, ids, matrix, table.header, ())


def _rows(part: Part) -> int:
    """Count the rows (N), 0 where there are neither embeddings nor texts."""
    if part.matrix is not None:
        return part.matrix.rows
    return 0 if part.texts is None else len(part.texts)


def _table(path: Path | None, settings: TrainSettings) -> tuple[Table, tuple[str, str, str]]:
    """Read what is known of the rows beside their embeddings, and name the columns of labels, texts and ids."""
    names = (settings.label_column, settings.text_column, settings.id_column)
    if path is None:
        return Table(0, (), {}), names
    if path.suffix.lower() == LINES:
        lines = np.array(_lines(path), np.object_)
        return Table(lines.size, (names[1],), {names[1]: lines}), names
    names = (names[0], text_column.found(formats.table(path).header(path), settings), names[2])
    return formats.table(path).read(path, names), names


def _lines(path: Path) -> list[str]:
    """Read the texts of a file that has one on each line."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("another encoding than UTF-8: save it as UTF-8") from None
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _unfit(part: Part, width: int | None, settings: TrainSettings) -> Iterator[str]:
    """Say what a model lacks that takes texts: alone, or where there are no embeddings."""
    if part.matrix is not None and width is not None:
        return
    if part.texts is None:
        seen = f"only {phrases.names(part.header)}" if part.header else "only embeddings"
        yield (
            f"{part.name}: the model takes texts, and there are none (no column `{settings.text_column}`, {seen}): "
            f"set text_column, or give texts in a table, or as {LINES} with one on each line"
        )
    elif empty := [row for row, text in enumerate(part.texts) if not text.strip()]:
        yield f"{part.name}: no text in {phrases.rows(empty)}: leave these rows out"


def _pair(path: Path) -> tuple[Path | None, Path | None]:
    """Give the label file and the file of embeddings, of which one was named."""
    suffix = path.suffix.lower()
    if suffix in formats.MATRICES:
        tables = [beside for beside in map(path.with_suffix, formats.TABLES) if beside.is_file()]
        return (tables[0] if tables else None), path
    if suffix == LINES:
        return path, None
    if suffix not in formats.TABLES:
        known = ", ".join((*formats.MATRICES, *formats.TABLES))
        raise UserError(
            f"{path.name}: give embeddings as {known}; or texts, for a model that takes them, as {LINES} too"
        )
    found = [each for each in map(path.with_suffix, formats.MATRICES) if each.is_file()]
    if len(found) > 1:
        raise UserError(f"{path.name}: {phrases.names([each.name for each in found])} lie beside it: name one of these")
    return path, found[0] if found else None


def _own(path: Path, names: tuple[str, ...], table: Table, *, texts: bool) -> Matrix | None:
    """Open the embeddings in the columns of a table that has none beside it; where texts are enough, None if it has none."""
    suffix = path.suffix.lower()
    if texts:
        return None if suffix == LINES else formats.table(path).embeddings(path, names, table.rows)
    if suffix == LINES:
        raise UserError("texts alone, and the model takes embeddings: give these, as .npy")
    if suffix == ".csv":
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
