"""The rows that figures are about, and what models that did not see them make of them.

Letters: N rows, n rows that count, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues.survey import Opinion, counted
from relabel.data.examples import Examples
from relabel.evaluation import metrics


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows that count: labelled, not left out, each group of equal rows once.

    rows:  (n,) rising.
    loss:  (n,) float64, -ln of the probability of the given label.
    right: (n,) bool, whether the given label is the likeliest.
    wrong: (n,) float64, probability that the given label is wrong.
    """

    rows: NDArray[np.intp]
    loss: NDArray[np.float64]
    right: NDArray[np.bool_]
    wrong: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Overall:
    """Figures of all rows that count: what slices of them compare with."""

    rows: int
    loss: float
    accuracy: float


def judge(examples: Examples, opinion: Opinion) -> Judged:
    """Judge the rows that count."""
    rows = counted(examples)
    labels, probability = examples.labels[rows], opinion.probability[rows]
    return Judged(
        rows, metrics.log_losses(labels, probability), probability.argmax(axis=1) == labels, opinion.wrong[rows]
    )


def overall(judged: Judged) -> Overall:
    """Give the means over all rows that count."""
    return Overall(judged.rows.size, float(judged.loss.mean()), float(judged.right.mean()))
