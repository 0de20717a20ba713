"""Embeddings of a file that is read from its beginning."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]

CELLS = 1 << 20
"""Numbers read at a time."""


class Sequential:
    """What copies rows out of blocks that come one after another; rows before those of the last call start the file again.

    rows:   N of all blocks.
    blocks: gives an iterator over the file, each block (b, D). It may raise UserError at its end, once it has seen all
            that is wrong; it is asked for its end with the last row.
    """

    def __init__(self, rows: int, blocks: Callable[[], Iterator[Block]]) -> None:
        self.rows, self.blocks = rows, blocks
        self.first = 0  # the row that the current block begins with
        self.block: Block = np.empty((0, 0), np.float32)
        self.left = blocks()

    def copy(self, start: int, out: NDArray[np.float32]) -> None:
        """Fill `out` (b, D) with the rows from `start` on."""
        if start < self.first:
            self.first, self.block, self.left = 0, self.block[:0], self.blocks()
        filled = 0
        while filled < len(out):
            at = start + filled - self.first
            if at >= len(self.block):
                self.first += len(self.block)
                self.block = next(self.left)
                continue
            taken = self.block[at : at + len(out) - filled]
            out[filled : filled + len(taken)] = taken
            filled += len(taken)
        if start + filled == self.rows:
            next(self.left, None)


def step(width: int) -> int:
    """Rows of a block."""
    return max(1, CELLS // max(width, 1))
