"""Features as torch wants them: on the device of the network, gathered by row number."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relabel.data.examples import Dense, Features


class Inputs:
    """Batches of rows. An array in memory is shared with torch, not copied; anything else is read through `Features.take`."""

    def __init__(self, features: Features, dtype: torch.dtype) -> None:
        self._features, self._dtype = features, dtype
        self._device = torch.device("cpu")
        self._whole = _shared(features)

    def to(self, device: torch.device) -> None:
        """Hold the array, where it is in memory, on this device from now on."""
        self._device = device
        if self._whole is not None:
            self._whole = self._whole.to(device)

    def rows(self, numbers: NDArray[np.int64]) -> Tensor:
        """Bring row numbers to where `take` wants them."""
        return torch.from_numpy(numbers).to(self._device if self._whole is not None else "cpu")

    def take(self, rows: Tensor) -> Tensor:
        """Gather rows (M, B) into a new tensor (M, B, D)."""
        if self._whole is not None:
            batch = self._whole.index_select(0, rows.flatten())
        else:
            batch = torch.from_numpy(self._features.take(rows.flatten().numpy()))
        return batch.view(*rows.shape, -1).to(self._device, self._dtype)


def _shared(features: Features) -> Tensor | None:
    if not isinstance(features, Dense) or isinstance(features.array, np.memmap) or not features.array.flags.writeable:
        return None
    return torch.from_numpy(features.array)
