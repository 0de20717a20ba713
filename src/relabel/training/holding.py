"""Features held whole on a device, in their own precision: batches are then gathered there, and a step waits for no copy.

8,000,000 rows of 768 numbers in float16 are 12 GB, which a GPU of today has; widened to float32 they are the same numbers.
Letters: N rows, D width.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor

from relabel.data.examples import Features, Typed

SHARE = 0.8
"""Part of a device's free memory that features may take; the rest is for weights, batches and what the libraries keep."""
BLOCK_BYTES = 1 << 28
"""Bytes of float32 that are brought over at a time."""


def free(device: torch.device) -> int:
    """Give the bytes that are free on a device; without bound where it does not tell."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else sys.maxsize


def held(features: Features, device: torch.device, room: int) -> Tensor | None:
    """Copy features to a device, (N, D) in float16 where they are kept so, else in float32; None where `room` bytes are too few.

    A row that is gathered from it and widened has the bits that `features.take` gives.
    """
    rows, width = features.shape
    dtype = torch.float16 if isinstance(features, Typed) and features.dtype == np.float16 else torch.float32
    if rows * width * dtype.itemsize > SHARE * room:
        return None
    whole = torch.empty(features.shape, dtype=dtype, device=device)
    step = max(1, BLOCK_BYTES // (4 * width))
    for first in range(0, rows, step):
        block = np.arange(first, min(first + step, rows))
        whole[first : first + block.size].copy_(torch.from_numpy(features.take(block)))
    return whole
