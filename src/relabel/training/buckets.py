"""Which texts a member sees in which step: batches of like lengths, in an order that follows from (seed, epoch).

Letters: B batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

POOL = 50
"""Batches among whose texts those of like lengths go together."""
ORDER_STREAM = 4
"""Keeps a seed's order of texts apart from its other random streams."""


def steps(rows: NDArray[np.int32], batch_size: int) -> int:
    """Count the batches of an epoch."""
    return -(-rows.size // batch_size)


def batches(
    rows: NDArray[np.int32], lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[NDArray[np.int32]]:
    """Deal the rows (n,), whose texts have these lengths (n,), into the batches (B,) of an epoch; one of them may be smaller.

    The texts come in a random order, POOL batches of them at a time are sorted by length, and the batches come in a random order.
    """
    rng = np.random.default_rng((seed, ORDER_STREAM, epoch))
    order = rng.permutation(rows.size)
    dealt: list[NDArray[np.int32]] = []
    for start in range(0, order.size, POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        dealt += [rows[pool[first : first + batch_size]] for first in range(0, pool.size, batch_size)]
    return [dealt[n] for n in rng.permutation(len(dealt))]


def stream(
    rows: NDArray[np.int32], lengths: NDArray[np.int64], batch_size: int, *, seed: int, epochs: int, start: int = 0
) -> Iterator[NDArray[np.int32]]:
    """Yield the batches of all epochs from step `start` on."""
    per_epoch = steps(rows, batch_size)
    for epoch in range(start // per_epoch, epochs):
        yield from batches(rows, lengths, batch_size, seed, epoch)[max(0, start - epoch * per_epoch) :]
