"""Do the labels of test carry the noise that was learned from the labels of train?

Only then may that noise be undone in what is measured on test: on cleaner labels, undoing it makes any gain look larger than it is.
Letters: N rows, C classes.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIMIT = 3.0
"""Standard deviations of chance from which on labels are taken to be of another kind."""


@dataclass(frozen=True, slots=True)
class Carried:
    """How often labels of test are not the likeliest given ones.

    observed: share of the test labels.
    expected: what it would be with the noise of train, and with predictions as good as on train.
    away:     standard deviations of chance between the two; below 0 where test is cleaner.
    """

    observed: float
    expected: float
    away: float

    @property
    def alike(self) -> bool:
        """Whether nothing speaks against the same noise."""
        return abs(self.away) <= LIMIT

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {**dataclasses.asdict(self), "alike": self.alike}


def judge(
    labels: NDArray[np.int64],
    probability: NDArray[np.float64],
    training: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> Carried:
    """Compare rows of test with rows of train, marked in (N,), which are labelled; where there are none, nothing speaks against the noise.

    probability: (N, C) of each given label, P(given | x) with the noise of train, by models that did not see the row. What it says wrongly
    on train it is taken to say wrongly on test too.
    """
    if not training.any() or not test.any():
        return Carried(0.0, 0.0, 0.0)
    other = (probability.argmax(axis=1) != labels).astype(np.float64)
    chance = 1.0 - probability.max(axis=1)
    scale = other[training].mean() / max(float(chance[training].mean()), np.finfo(np.float64).tiny)
    rows = int(test.sum())
    expected = float(np.clip(scale * chance[test].mean(), 0.0, 1.0))
    observed = float(other[test].mean())
    spread = math.sqrt(max(expected * (1 - expected), 1 / rows) * (1 / rows + 1 / int(training.sum())))
    return Carried(observed, expected, (observed - expected) / spread)
