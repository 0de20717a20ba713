"""The embeddings of all parts as one, made in one pass over each file: whether they are numbers, their keys, and where they are to lie.

Letters: N rows of all parts, n rows of one, D width, b rows of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks, identity, keys
from relabel.data.examples import Dense, Features
from relabel.data.formats.matrix import Matrix
from relabel.data.keys import Keys
from relabel.data.parts import Part
from relabel.data.room import Room
from relabel.data.spool import Spool
from relabel.data.stored import Stored, Stretch
from relabel.errors import UserError

BLOCK_BYTES = 1 << 22
"""Of float32, read at a time; what stays in the processor's cache is fastest."""

Block = NDArray[np.float32]
Seen = Callable[[int, Block], None]
"""What is done with each block: (number of its first row in the part, vectors (b, D))."""


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """What was read of all parts; all None where no part has embeddings.

    features: (N, D), in memory as float32 or on disk.
    keys:     (N, 2) of each vector (see `keys`).
    hashes:   (N, 2) of each vector and its text (see `identity`); the same array as `keys` where none differs.
    """

    features: Features | None = None
    keys: Keys | None = None
    hashes: Keys | None = None


def read(parts: Sequence[Part], room: Room | None = None) -> tuple[Embeddings, list[str]]:
    """Read every embedding once, one part after another; say which rows are no numbers, and what else is wrong.

    room: how many bytes may lie in memory. More stays in its file or, where that cannot be read row by row, goes to one of ours, as
          float16 if it is that. Without room all goes into memory. The values are the same wherever they lie.

    All parts must have embeddings of one width, or none has any. Nothing is given where something is wrong.
    """
    pairs = [(part, part.matrix) for part in parts if part.matrix is not None]
    if not pairs:
        return Embeddings(), []
    rows, width = sum(matrix.rows for _, matrix in pairs), pairs[0][1].width
    array = np.empty((rows, width), np.float32) if room is None or room.holds(rows, width) else None
    marks, stretches = _Marks(rows), list[Stretch]()
    problems: list[str] = []
    start = 0
    for part, matrix in pairs:
        out = None if array is None else array[start : start + matrix.rows]
        spool = None if room is None or array is not None else _spool(matrix, room)
        problems += _read(part, matrix, out, marks.of(part, start), *([_added(spool)] if spool else []))
        stretches += [found for found in (spool.stretch() if spool else matrix.lies,) if found is not None]
        start += matrix.rows
    if problems:
        return Embeddings(), problems
    features = Dense(array) if array is not None else Stored(stretches, roomy=_roomy(stretches, room))
    return Embeddings(features, marks.keys, marks.hashes), []


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


class _Marks:
    """Keys and hashes of rows (N) as they are read; hashes that are the keys take no memory of their own."""

    def __init__(self, rows: int) -> None:
        self.keys: Keys = np.empty((rows, 2), np.uint64)
        self.hashes = self.keys

    def of(self, part: Part, first: int) -> Seen:
        """Give what is done with the blocks of a part, of which the first row is row `first` of all."""

        def add(start: int, block: Block) -> None:
            here = slice(first + start, first + start + len(block))
            own = keys.of_vectors(block)
            texts = None if part.texts is None else part.texts[start : start + len(block)]
            differs = texts is not None or bool((np.signbit(block) & (block == 0)).any())
            if differs and self.hashes is self.keys:
                self.hashes = self.keys.copy()
            self.keys[here] = own
            self.hashes[here] = identity.of_block(block, texts) if differs else own

        return add


def _roomy(stretches: Sequence[Stretch], room: Room | None) -> bool:
    """Whether the system can keep all of them at hand."""
    return room is None or room.keeps(sum(stretch.rows * stretch.row_bytes for stretch in stretches))


def _added(spool: Spool) -> Seen:
    return lambda _start, block: spool.add(block)


def _spool(matrix: Matrix, room: Room) -> Spool | None:
    """Open a file of ours for a matrix that cannot be read row by row where it lies; its type holds all values."""
    if matrix.lies is not None and matrix.lies.path is not None and room.is_near(matrix.lies.path):
        return None
    return Spool(room, matrix.width, np.dtype(np.float16 if matrix.half else np.float32))


def _read(part: Part, matrix: Matrix, out: Block | None, *seen: Seen) -> list[str]:
    """Fill `out` (n, D), if given, show every block, and say what is wrong with the rows."""
    try:
        return [*checks.bad_rows(part, _filled(matrix, out, seen))]
    except UserError as error:
        return [f"{part.matrix_name}: {problem}" for problem in error.problems]


def _filled(matrix: Matrix, out: Block | None, seen: Sequence[Seen]) -> NDArray[np.intp]:
    """Fill `out` (n, D), if given, and return the rows that are not finite."""
    step = _step(matrix.width)
    scratch = np.empty((min(step, matrix.rows) if out is None else 0, matrix.width), np.float32)
    bad = [np.empty(0, np.intp)]
    for start in range(0, matrix.rows, step):
        end = min(start + step, matrix.rows)
        block = scratch[: end - start] if out is None else out[start:end]
        matrix.copy(start, block)
        bad.append(np.flatnonzero(~np.isfinite(block).all(axis=1)) + start)
        for show in seen:
            show(start, block)
    return np.concatenate(bad)


def _step(width: int) -> int:
    return max(1, BLOCK_BYTES // (4 * width))
