"""The embeddings of all parts in one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks
from relabel.data.formats.matrix import Matrix
from relabel.data.parts import Part
from relabel.errors import UserError

BLOCK_BYTES = 1 << 24


def gathered(parts: Sequence[Part]) -> tuple[NDArray[np.float32] | None, list[str]]:
    """Read every embedding, one part after another, into one (N, D) float32 in memory; say which rows are no numbers.

    All parts must have embeddings of one width, or none has any, and then there is None.
    """
    matrices = [part.matrix for part in parts if part.matrix is not None]
    if not matrices:
        return None, []
    array = np.empty((sum(m.rows for m in matrices), matrices[0].width), np.float32)
    problems: list[str] = []
    end = 0
    for part, matrix in zip(parts, matrices, strict=True):
        start, end = end, end + matrix.rows
        problems += _read(part, matrix, array[start:end])
    return array, problems


def scanned(parts: Sequence[Part]) -> list[str]:
    """Say which rows are no numbers, and keep nothing: for parts that do not fit together."""
    return [problem for part in parts if part.matrix is not None for problem in _read(part, part.matrix, None)]


def reordered(array: NDArray[np.float32], order: NDArray[np.intp], kept: int) -> None:
    """Give the rows of an array (N, D) a new order, in place.

    order: (N,) where each row comes from; its first `kept` entries must rise, so that those rows only ever move forward
    and none is overwritten before it is read. The others are held in memory for a moment.
    """
    held = array[order[kept:]]
    step = _step(array.shape[1])
    for start in range(0, kept, step):
        end = min(start + step, kept)
        array[start:end] = array[order[start:end]]
    array[kept:] = held


def _read(part: Part, matrix: Matrix, out: NDArray[np.float32] | None) -> list[str]:
    """Fill `out` (n, D), if given, and say what is wrong with the rows."""
    try:
        return [*checks.bad_rows(part, _filled(matrix, out))]
    except UserError as error:
        return [f"{part.matrix_name}: {problem}" for problem in error.problems]


def _filled(matrix: Matrix, out: NDArray[np.float32] | None) -> NDArray[np.intp]:
    """Fill `out` (n, D), if given, and return the rows that are not finite."""
    step = _step(matrix.width)
    scratch = np.empty((min(step, matrix.rows) if out is None else 0, matrix.width), np.float32)
    bad = [np.empty(0, np.intp)]
    for start in range(0, matrix.rows, step):
        end = min(start + step, matrix.rows)
        block = scratch[: end - start] if out is None else out[start:end]
        matrix.copy(start, block)
        bad.append(np.flatnonzero(~np.isfinite(block).all(axis=1)) + start)
    return np.concatenate(bad)


def _step(width: int) -> int:
    return max(1, BLOCK_BYTES // (4 * width))
