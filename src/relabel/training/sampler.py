"""Which rows a member sees in which step.

The order of the rows is a pure function of (seed, epoch, block): blocks of neighbouring rows come in an order that all members
share, so what has to be read at a time is one block, and inside a block each seed has its own order. A member's stream is that order less the
rows it does not learn from, in batches of B; only the last batch of an epoch may be ragged.

Of rows that lie on several hosts a block has its share of each file, so that all hosts have work in every batch; which rows come together
depends on the files, not on the number of hosts.

Letters: M members, B batch rows, K steps of a chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.training.member import Member

BLOCK_ROWS = 1 << 18
ORDER_STREAM = 2
"""Keeps a seed's row order apart from its other random streams."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """K consecutive steps of all members.

    start:   number of its first step.
    rows:    (K, M, B) int64; where a batch is ragged or a member has ended, some row of weight 0.
    targets: (K, M, B) int64, or (K, M, B, C) float32 where a member has probabilities for targets.
    weights: (K, M, B) float64: weight of each row's loss divided by the rows of its batch, 0 where there is none.
    """

    start: int
    rows: NDArray[np.int64]
    targets: NDArray[np.int64] | NDArray[np.float32]
    weights: NDArray[np.float64]


def order(
    total: int, seed: int, epoch: int, block_rows: int = BLOCK_ROWS, mixed: NDArray[np.integer] | None = None
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows 0..total-1 block by block in this epoch's order.

    mixed: (total,) rows in the order of which stretches are blocks, where there are several; None is the order of their numbers.
    """
    blocks = -(-total // block_rows)
    for block in np.random.default_rng((epoch, blocks)).permutation(blocks):
        first = int(block) * block_rows
        size = min(block_rows, total - first)
        rng = np.random.default_rng((seed, ORDER_STREAM, epoch, int(block)))
        drawn = first + rng.permutation(size)
        yield drawn if mixed is None or blocks == 1 else mixed[drawn].astype(np.int64)


def steps(member: Member, batch_size: int, epochs: int) -> int:
    """Count the steps of a member: its batches per epoch, times the epochs."""
    return -(-len(member.rows) // batch_size) * epochs


def batches(
    member: Member, batch_size: int, epochs: int, start: int = 0, mixed: NDArray[np.integer] | None = None
) -> Iterator[NDArray[np.int64]]:
    """Yield the member's batches (B,) from step `start` on; the last of each epoch may be shorter."""
    per_epoch = steps(member, batch_size, 1)
    for epoch in range(start // per_epoch, epochs):
        skip = max(0, start - epoch * per_epoch) * batch_size
        left = np.empty(0, dtype=np.int64)
        for block in order(member.targets.shape[0], member.seed, epoch, mixed=mixed):
            left = np.concatenate([left, _own(member, block)])
            passed = min(skip, left.size)
            skip, left = skip - passed, left[passed:]
            whole = left.size - left.size % batch_size
            yield from left[:whole].reshape(-1, batch_size)
            left = left[whole:]
        if left.size:
            yield left


def _own(member: Member, block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of the rows of a block those that the member learns from: looked up, for a mark on each of millions of rows is dear for each member."""
    place = np.searchsorted(member.rows, block)
    own: NDArray[np.int64] = block[member.rows[np.minimum(place, member.rows.size - 1)] == block]
    return own


def chunks(
    members: Sequence[Member],
    batch_size: int,
    epochs: int,
    size: int,
    start: int = 0,
    *,
    mixed: NDArray[np.integer] | None = None,
) -> Iterator[Chunk]:
    """Yield the steps of all members, `size` at a time, from step `start` (a multiple of `size`) until the longest member ends."""
    total = max(steps(member, batch_size, epochs) for member in members)
    streams = [batches(member, batch_size, epochs, start, mixed) for member in members]
    for first in range(start, total, size):
        count = min(size, total - first)
        rows = np.zeros((count, len(members), batch_size), dtype=np.int64)
        weights = np.zeros(rows.shape)
        for m, (member, stream) in enumerate(zip(members, streams, strict=True)):
            rows[:, m] = member.rows[0]  # what pads a batch must be a row with a target
            for k in range(count):
                batch = next(stream, None)
                if batch is None:
                    break
                rows[k, m, : batch.size] = batch
                weights[k, m, : batch.size] = member.weights[batch] / batch.size
        yield Chunk(first, rows, _targets(members, rows), weights)


def _targets(members: Sequence[Member], rows: NDArray[np.int64]) -> NDArray[np.int64] | NDArray[np.float32]:
    """The targets of rows (K, M, B): classes, or probabilities of all members as soon as one has them."""
    classes = max((member.targets.shape[1] for member in members if member.targets.ndim > 1), default=0)
    unit = np.eye(classes, dtype=np.float32)
    targets = np.empty((*rows.shape, classes) if classes else rows.shape, np.float32 if classes else np.int64)
    for m, member in enumerate(members):
        own = member.targets[rows[:, m]]
        targets[:, m] = unit[own] if own.ndim < targets.ndim - 1 else own
    return targets
