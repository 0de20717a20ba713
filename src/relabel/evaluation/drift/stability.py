"""The population stability index, with what it comes to by luck alone.

The index of two samples in b bins is the sum of (p - q) log(p / q). By folklore below 0.1 nothing has changed and above 0.25 much has. But of
samples of m and n rows from one population it is about (1/m + 1/n) times a chi-squared of b - 1 degrees of freedom (Yurdakul and Naranjo 2020):
of ten bins and 100 rows each it exceeds 0.1 every second time, and of 100,000 rows each 0.001 is no luck. So an index stands with its p here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

BINS = 10
HALF = 0.5
"""Added to each count, so that an empty bin costs no infinity (Jeffreys)."""


@dataclass(frozen=True, slots=True)
class Stability:
    """An index, the chance `p` of one as large by luck, and the value `limit` that luck exceeds with the chance that was asked for."""

    index: float
    p: float
    limit: float


def edges(values: NDArray[np.floating], bins: int = BINS) -> NDArray[np.float64]:
    """Give the inner edges (b - 1,) of bins with like shares of the reference's values (m,); fewer where values repeat."""
    inner = np.quantile(values, np.arange(1, bins) / bins)
    return np.unique(np.asarray(inner, np.float64))


def counts(values: NDArray[np.floating], inner: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count values (n,) in each bin (b,); a value on an edge lies below it."""
    return np.bincount(np.searchsorted(inner, values, side="left"), minlength=inner.size + 1)


def index(reference: NDArray[np.int64], window: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the index of counts (…, b) of the reference and of windows; bins that are empty in both say nothing."""
    held = (reference + window) > 0
    p, q = (_shares(each, held) for each in (reference, window))
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def of(reference: NDArray[np.int64], window: NDArray[np.int64], *, error: float = 0.05) -> Stability:
    """Compare counts (b,) of the reference with those of a window.

    error: the chance with which luck exceeds `limit`.
    """
    scale = 1 / max(reference.sum(), 1) + 1 / max(window.sum(), 1)
    freedom = max(int(((reference + window) > 0).sum()) - 1, 1)
    found = float(index(reference, window))
    return Stability(found, float(chi2.sf(found / scale, freedom)), float(scale * chi2.isf(error, freedom)))


def _shares(counts: NDArray[np.int64], held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give shares (…, b); those of bins that do not count are 1, of which the logarithm is 0."""
    raised = np.where(held, counts + HALF, 0.0)
    return np.where(held, raised / raised.sum(axis=-1, keepdims=True).clip(min=HALF), 1.0)
