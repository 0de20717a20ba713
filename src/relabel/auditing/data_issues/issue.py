"""What a search for issues of data gives: rows, figures and a sentence for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Issue:
    """One kind of issue.

    name:     what it is called in files.
    count:    how many there are: sets, rows, classes, slices, pairs of classes or splits, as `unit` says.
    sentence: for people.
    rows:     (n,) the rows concerned, worst first; a row may stand in several parts.
    score:    (n,) float64, higher is worse; what it is, each module says.
    part:     (n,) int64, the set, slice, pair or split that the row belongs to, from 0, in the order of the figures; -1 for none.
    figures:  values for JSON.
    """

    name: str
    count: int
    unit: str
    sentence: str
    rows: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    score: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    part: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    figures: Mapping[str, Any] = field(default_factory=dict)


def percent(share: float) -> str:
    """Say a share.

    >>> percent(0.1234)
    '12.3%'
    """
    return f"{100 * share:.1f}%"
