"""Mean and deviation of each member's own training rows.

Letters: M members, N rows, D inputs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Features
from relabel.training.member import Member

BLOCK = 512
"""Rows summed at once: their float64 values stay in the processor's cache."""


def moments(features: Features, members: Sequence[Member]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give mean and deviation (M, D) of each member's rows, in one pass over the features.

    Sums run in float64 over values less the first block's mean, so large offsets cost no digits. A column that does not vary has
    deviation 1. Members that learn from the same rows share the work.
    """
    total, width = features.shape
    distinct, place = _distinct(members)
    learns = np.zeros((len(distinct), total), dtype=bool)
    for line, rows in zip(learns, distinct, strict=True):
        line[rows] = True
    used = np.flatnonzero(learns.any(axis=0))
    shift = features.take(used[:BLOCK]).mean(axis=0, dtype=np.float64)
    first = np.zeros((len(distinct), width))
    second = np.zeros((len(distinct), width))
    for start in range(0, used.size, BLOCK):
        block = used[start : start + BLOCK]
        values = features.take(block) - shift  # (b, D) float64
        chosen = learns[:, block].astype(np.float64)
        first += chosen @ values
        second += chosen @ np.square(values, out=values)
    count = learns.sum(axis=1)[:, None]
    mean = first / count
    deviation = np.sqrt(np.maximum(second / count - mean**2, 0))
    constant = deviation <= 1e-6 * (1 + np.abs(shift))
    return (mean + shift)[place], np.where(constant, 1.0, deviation)[place]


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
