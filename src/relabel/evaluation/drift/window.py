"""One window against the reference: has what comes in changed, has what is predicted?

Three tests share an error of `alpha`, by Holm's procedure (1979), which holds however they depend on each other: the inputs, by a classifier
(`told_apart`); the top probability, by Kolmogorov and Smirnov; the classes predicted, by the population stability index, of which the p comes
from deals. All else that is said of a window, such as which measure moved most, describes and does not decide.
Letters: m, n rows of reference and window, d numbers of a row, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from relabel.evaluation.drift import stability
from relabel.evaluation.drift.stability import Stability
from relabel.evaluation.drift.told_apart import DEALS, told_apart

INPUTS, CONFIDENCE, CLASSES = "inputs", "confidence", "classes"
"""Names of the three tests."""

CLASS_DEALS = 1999
"""Of class shares, which are quick."""


ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as they are compared, each once.

    seen:        (n, d) float32, by a model's reference.
    probability: (n, C) float32.
    """

    seen: NDArray[np.float32]
    probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.seen)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Rows:
        """Give some of the rows."""
        return Rows(self.seen[rows], self.probability[rows])

    def shares(self) -> NDArray[np.int64]:
        """Count the rows predicted as each class (C,)."""
        return np.bincount(self.probability.argmax(axis=1), minlength=self.probability.shape[1])

    def confidence(self) -> NDArray[np.float32]:
        """Give the top probability (n,)."""
        return np.asarray(self.probability.max(axis=1))


@dataclass(frozen=True, slots=True)
class Moved:
    """How far one measure has moved: its name, Kolmogorov and Smirnov's distance with its p, the stability index."""

    name: str
    distance: float
    p: float
    stability: Stability


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What one window comes to.

    p:       test -> p, corrected for there being three: the window drifted where the smallest is at most `alpha`.
    auc:     how well its rows are told from the reference's.
    classes: stability of the classes predicted.
    moved:   measures, the one that moved most first.
    score:   (n,) of each row, the share of the reference that looks less like this window.
    order:   (n,) the rows, those that look least like the reference first.
    """

    p: Mapping[str, float]
    auc: float
    classes: Stability
    moved: tuple[Moved, ...]
    score: NDArray[np.float64]
    order: NDArray[np.intp]

    def drifted(self, alpha: float) -> bool:
        """Tell whether the window is surely unlike the reference."""
        return min(self.p.values()) <= alpha


def judge(
    reference: Rows, window: Rows, names: Sequence[str], rng: np.random.Generator, *, deals: int = DEALS
) -> Judged:
    """Hold a window against the reference.

    names: of the d numbers of a row.
    deals: of the classifier's; its p is 3 / (1 + deals) at least.
    """
    inputs = told_apart(reference.seen, window.seen, rng, deals=deals)
    moved = [_moved(name, reference.seen[:, place], window.seen[:, place]) for place, name in enumerate(names)]
    confidence = _moved("top probability", reference.confidence(), window.confidence())
    classes = stability.of(reference.shares(), window.shares())
    plain = {INPUTS: inputs.p, CONFIDENCE: confidence.p, CLASSES: _shares_p(reference, window, rng)}
    ranked = sorted([*moved, confidence], key=lambda one: (one.p, -one.distance))
    return Judged(holm(plain), inputs.auc, classes, tuple(ranked), inputs.score, inputs.order)


def holm(plain: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for how many they are (Holm 1979).

    >>> holm({"a": 0.25, "b": 0.125})
    {'a': 0.25, 'b': 0.25}
    """
    found, worst = {}, 0.0
    for place, name in enumerate(sorted(plain, key=plain.__getitem__)):
        worst = max(worst, min(1.0, (len(plain) - place) * plain[name]))
        found[name] = worst
    return {name: found[name] for name in plain}


def _moved(name: str, reference: NDArray[np.float32], window: NDArray[np.float32]) -> Moved:
    test = ks_2samp(reference, window, method="asymp")
    inner = stability.edges(reference)
    index = stability.of(stability.counts(reference, inner), stability.counts(window, inner))
    return Moved(name, float(test.statistic), float(test.pvalue), index)


def _shares_p(reference: Rows, window: Rows, rng: np.random.Generator) -> float:
    """Give the share of deals of the same rows whose stability index is as large; exact for few rows and rare classes."""
    here, there = reference.shares(), window.shares()
    both = here + there
    seen = stability.index(here, there)
    dealt = rng.multivariate_hypergeometric(both, int(there.sum()), CLASS_DEALS, method="marginals")
    as_large = stability.index(both - dealt, dealt) >= seen - ROUNDING
    return float((1 + as_large.sum()) / (1 + CLASS_DEALS))
