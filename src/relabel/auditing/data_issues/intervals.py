"""Intervals that hold together: wider the more of them are looked at (Bonferroni).

Letters: L looks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

ERROR = 0.05
"""The chance that any of the intervals of one issue misses."""


def z(looks: int) -> float:
    """Give the deviations of a two-sided interval that is one of `looks`."""
    return float(norm.ppf(1 - ERROR / (2 * max(looks, 1))))


def share(hits: float, count: float, looks: int) -> tuple[float, float]:
    """Give the interval of a share (Wilson 1927); 0 to 1 where the count is 0."""
    if not count:
        return 0.0, 1.0
    rate, spread = hits / count, z(looks) ** 2 / count
    middle, half = rate + spread / 2, math.sqrt(spread * (rate * (1 - rate) + spread / 4))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def difference(hits: tuple[float, float], counts: tuple[float, float], looks: int) -> tuple[float, float]:
    """Give the interval of the second share less the first (Newcombe 1998)."""
    first, second = (hit / count for hit, count in zip(hits, counts, strict=True))
    (low_1, high_1), (low_2, high_2) = (share(hit, count, looks) for hit, count in zip(hits, counts, strict=True))
    gap = second - first
    return gap - math.hypot(second - low_2, high_1 - first), gap + math.hypot(high_2 - second, first - low_1)


def auc(negative: NDArray[np.float64], positive: NDArray[np.float64]) -> tuple[float, float]:
    """Give the chance that a positive row scores above a negative one, and its variance (DeLong et al. 1988).

    Each side has two rows or more.
    """
    n, p = negative.size, positive.size
    ranks = rankdata(np.concatenate([negative, positive]))
    above = (ranks[n:] - rankdata(positive)) / n  # for each positive row, the share of negative rows below it
    below = 1 - (ranks[:n] - rankdata(negative)) / p
    return float(above.mean()), float(above.var(ddof=1) / p + below.var(ddof=1) / n)
