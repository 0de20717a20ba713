"""Embeddings that are made or copied by this job: in memory where they may lie there, else in a file of ours.

Letters: N rows, D width, b rows of a block.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Dense
from relabel.data.room import Room
from relabel.data.stored import Stored, Stretch


class Spool:
    """A file of ours that takes rows of width D, one block after another; it is gone with the process.

    dtype: as which they are written.

    Raises OSError where the disk is full or broken, PlatformError where the room's folder takes no files.
    """

    def __init__(self, room: Room, width: int, dtype: np.dtype[np.floating]) -> None:
        self._room, self._width, self._dtype = room, width, dtype
        self._file, self._rows = room.file(), 0

    def add(self, block: NDArray[np.floating]) -> None:
        """Write rows (b, D)."""
        self._room.append(self._file, np.ascontiguousarray(block, self._dtype).data.cast("B"))
        self._rows += len(block)

    def stretch(self) -> Stretch:
        """Give all rows as they lie there."""
        return Stretch(self._file, 0, self._dtype, self._rows, self._width)


def spooled(
    blocks: Iterable[NDArray[np.floating]], width: int, room: Room, dtype: np.dtype[np.floating], *, roomy: bool = True
) -> Stored:
    """Give the rows of all blocks (b, D), at least one row, as features on disk.

    roomy: see `Stored`. Raises what Spool raises.
    """
    spool = Spool(room, width, dtype)
    for block in blocks:
        spool.add(block)
    return Stored([spool.stretch()], roomy=roomy)


def laid(
    blocks: Iterable[NDArray[np.floating]], rows: int, width: int, room: Room | None, dtype: np.dtype[np.floating]
) -> Dense | Stored:
    """Give the rows (N, D) of all blocks (b, D): as float32 in memory where they fit there, else as `dtype` on disk.

    room: how many bytes may lie in memory; without room all do.

    Raises what Spool raises.
    """
    if room is not None and not room.holds(rows, width):
        return spooled(blocks, width, room, dtype, roomy=room.keeps(rows * width * dtype.itemsize))
    out, start = np.empty((rows, width), np.float32), 0
    for block in blocks:
        out[start : start + len(block)] = block
        start += len(block)
    return Dense(out)
