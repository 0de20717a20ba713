"""The labelled rows nearest to each doubtful one: what speaks for its label and what against.

Letters: N rows, n doubtful rows, p pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.auditing.neighbours import Search, View

MOST = 5000
"""Doubtful rows whose neighbours are given, the worst."""

EACH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """Pairs of a doubtful row and a labelled row near it: the worst row first, of each row the nearest first.

    row, neighbour: (p,) int64.
    similarity:     (p,) float32, cosine of the standardised vectors.
    """

    row: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    similarity: NDArray[np.float32]


def find(
    view: View,
    doubtful: NDArray[np.intp],
    labelled: NDArray[np.intp],
    group: NDArray[np.int64],
    *,
    search: Search,
    seed: int,
) -> Company:
    """Find up to EACH neighbours of the first MOST doubtful rows (n,), of other duplicate groups than their own.

    labelled: rows that may be neighbours, one of each group.
    group:    (N,).
    """
    asked = doubtful[:MOST]
    if not asked.size or not labelled.size:
        return Company(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    found, cosine = neighbours.nearest(view.points, asked, labelled, neighbours=EACH + 1, search=search, seed=seed)
    other = (found >= 0) & (group[found] != group[asked][:, None])
    kept = other & (other.cumsum(axis=1) <= EACH)
    return Company(np.repeat(asked, kept.sum(axis=1)).astype(np.int64), found[kept], cosine[kept])
