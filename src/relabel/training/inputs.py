"""Features as torch wants them: on the device of the network, gathered by row number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.data.examples import Dense, Features
from relabel.data.stored import Warm
from relabel.training import holding
from relabel.training.sampler import BLOCK_ROWS

AHEAD = 1 << 26
"""Bytes of float32 that are gathered at once, of rows on disk."""

BLOCKS = 4
"""Blocks of the sampler that members may be in at a time."""


class Inputs:
    """Batches of rows. An array in memory is shared with torch, not copied; anything else is read through `Features.take`."""

    def __init__(self, features: Features, dtype: torch.dtype) -> None:
        self._features, self._dtype = features, dtype
        self._device = torch.device("cpu")
        self._whole = _shared(features)
        self._warmed: deque[int] = deque()

    def to(self, device: torch.device) -> None:
        """Hold all rows on this device from now on, where it is no processor and has room for them; else they are brought over batch by batch."""
        self._device = device
        if device.type != "cpu":
            self._whole = holding.held(self._features, device, holding.free(device))

    def rows(self, numbers: NDArray[np.int64]) -> Tensor:
        """Bring row numbers to where `take` wants them."""
        return torch.from_numpy(numbers).to(self._device if self._whole is not None else "cpu")

    def steps(self, rows: NDArray[np.int64]) -> Iterator[Tensor]:
        """Yield the rows (K, M, B) of each step as (M, B, D): rows on disk are read for many steps at once."""
        if self._whole is not None:
            yield from map(self.take, self.rows(rows))
            return
        self._warm(rows)
        size = 4 * self._features.shape[1] * rows[0].size
        some = max(1, AHEAD // max(size, 1))
        for first in range(0, len(rows), some):
            yield from self.take(torch.from_numpy(rows[first : first + some]))

    def _warm(self, rows: NDArray[np.int64]) -> None:
        """Have blocks that these rows are drawn from read once from beginning to end: alone, row by row, that would take a disk far longer."""
        if not isinstance(self._features, Warm):
            return
        needed = np.unique(rows // BLOCK_ROWS).tolist()
        for block in needed:
            if block not in self._warmed:
                self._warmed.append(block)
                self._features.warm(self._block(block))
        for block in [block for block in self._warmed if block not in needed][: max(0, len(self._warmed) - BLOCKS)]:
            self._warmed.remove(block)
            self._features.cool(self._block(block))

    def _block(self, number: int) -> NDArray[np.int64]:
        first = number * BLOCK_ROWS
        return np.arange(first, min(first + BLOCK_ROWS, self._features.shape[0]))

    def take(self, rows: Tensor) -> Tensor:
        """Gather rows (..., B) into a new tensor (..., B, D)."""
        if self._whole is not None:
            batch = self._whole.index_select(0, rows.flatten())
        else:
            batch = torch.from_numpy(self._features.take(rows.flatten().numpy()))
        return batch.view(*rows.shape, self._features.shape[1]).to(self._device, self._dtype)


def _shared(features: Features) -> Tensor | None:
    if not isinstance(features, Dense) or isinstance(features.array, np.memmap) or not features.array.flags.writeable:
        return None
    return torch.from_numpy(features.array)
