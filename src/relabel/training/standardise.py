"""Mean and deviation of each member's own training rows.

Letters: M members, N rows, D inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.data import passes
from relabel.data.examples import Features
from relabel.training.member import Member

BLOCK = 512
"""Neighbouring rows that are summed at once: their float64 values stay in the processor's cache."""


def moments(features: Features, members: Sequence[Member]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and deviation (M, D) of each member's rows, in one pass over the features.

    Sums run in float64 over values less the first block's mean, so large offsets cost no digits. A column that does not vary has
    deviation 1. Members that learn from the same rows share the work. To the last bit a member's moments are its own, whoever else is there:
    the borders of blocks depend on the rows' numbers alone, and each set of rows is multiplied by itself.
    """
    total, width = features.shape
    distinct, place = _distinct(members)
    learns = np.zeros((len(distinct), total), dtype=bool)
    for line, own in zip(learns, distinct, strict=True):
        line[own] = True
    shift = features.take(np.arange(min(BLOCK, total))).mean(axis=0, dtype=np.float64)
    first = np.zeros((len(distinct), width))
    second = np.zeros((len(distinct), width))
    rows = _whole_blocks(np.logical_or.reduce(learns))
    for block, vectors in passes.blocks(features, rows, BLOCK):
        values = vectors - shift  # (b, D) float64
        squares = np.square(values)
        for m, chosen in enumerate(learns[:, block].astype(np.float64)):
            if chosen.any():
                first[m] += chosen @ values
                second[m] += chosen @ squares
    first, second = passes.summed(features, first, second)
    count = learns.sum(axis=1)[:, None]
    mean = first / count
    deviation = np.sqrt(np.maximum(second / count - mean**2, 0))
    constant = deviation <= 1e-6 * (1 + np.abs(shift))
    return (mean + shift)[place], np.where(constant, 1.0, deviation)[place]


def _whole_blocks(used: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give all rows of the blocks that have a row in use (N,), so that a block is the same for every member."""
    blocks = np.add.reduceat(used, np.arange(0, used.size, BLOCK)) > 0
    return np.flatnonzero(np.repeat(blocks, BLOCK)[: used.size])


def _distinct(members: Sequence[Member]) -> tuple[list[NDArray[np.int32]], list[int]]:
    """Give the distinct row sets, and for each member the place of its own."""
    places: dict[bytes, int] = {}
    distinct: list[NDArray[np.int32]] = []
    place = []
    for member in members:
        key = member.rows.tobytes()
        if key not in places:
            places[key] = len(distinct)
            distinct.append(member.rows)
        place.append(places[key])
    return distinct, place
