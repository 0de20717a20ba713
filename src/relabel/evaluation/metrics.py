"""Metrics of one model on labelled rows. Every figure is over rows, never a mean of batch means.

Letters: n rows, C classes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.errors import AlgorithmError

BINS = 15
"""Equal-width bins of the top probability, for the calibration error."""

SMALLEST = 1e-15
"""Probabilities are clipped here before their logarithm: no single row costs more than 34.5."""


@dataclass(frozen=True, slots=True, eq=False)
class PerClass:
    """One figure per class, each (C,).

    precision, recall, f1: float64; 0 where there is nothing to divide by.
    support:               rows of the class.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Figures of one model on `rows` labelled rows, or the means of several models' figures on the same rows.

    accuracy:  share of rows whose likeliest class is the label.
    macro_f1:  mean F1 over the classes that occur among labels or predictions.
    log_loss:  mean of -log P(label), natural logarithm, probabilities clipped at SMALLEST.
    ece:       expected calibration error: |accuracy - mean top probability| of each of BINS bins, weighted by rows.
    confusion: (C, C) rows with label i that were predicted j: int64, or float64 for means of counts.
    """

    accuracy: float
    macro_f1: float
    log_loss: float
    ece: float
    per_class: PerClass
    confusion: NDArray[np.int64] | NDArray[np.float64]
    rows: int

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        flat = {name: getattr(self, name) for name in ("accuracy", "macro_f1", "log_loss", "ece", "rows")}
        per_class = {f.name: getattr(self.per_class, f.name).tolist() for f in dataclasses.fields(PerClass)}
        return {**flat, "per_class": per_class, "confusion": self.confusion.tolist()}


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows whose top probability lies from `low` to `high`: how many, the mean of it, and the share of them that is right."""

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def score(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> Scores:
    """Score probabilities (n, C) on labels (n,), 0 to C-1.

    Raises AlgorithmError where a row is unlabelled, a shape differs, or there is no row.
    """
    check(labels, probability)
    rows, classes = probability.shape
    predicted = probability.argmax(axis=1)
    confusion = np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    found, support, named = np.diagonal(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = f1_of(found, support, named)
    return Scores(
        accuracy=float(found.sum() / rows),
        macro_f1=float(np.nanmean(f1)),
        log_loss=float(log_losses(labels, probability).mean()),
        ece=float(np.abs(np.bincount(*calibration_gaps(labels, probability), minlength=BINS)).sum() / rows),
        per_class=PerClass(found / named.clip(min=1), found / support.clip(min=1), np.nan_to_num(f1), support),
        confusion=confusion,
        rows=rows,
    )


def mean(scores: tuple[Scores, ...]) -> Scores:
    """Average every figure over several models that were scored on the same rows."""
    per_class = [s.per_class for s in scores]
    return Scores(
        accuracy=float(np.mean([s.accuracy for s in scores])),
        macro_f1=float(np.mean([s.macro_f1 for s in scores])),
        log_loss=float(np.mean([s.log_loss for s in scores])),
        ece=float(np.mean([s.ece for s in scores])),
        per_class=PerClass(
            precision=np.mean([c.precision for c in per_class], axis=0),
            recall=np.mean([c.recall for c in per_class], axis=0),
            f1=np.mean([c.f1 for c in per_class], axis=0),
            support=per_class[0].support,
        ),
        confusion=np.mean([s.confusion for s in scores], axis=0),
        rows=scores[0].rows,
    )


def check(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> None:
    """Raise AlgorithmError unless labels (n,) are classes of probability (n, C), with n above 0."""
    if probability.ndim != 2 or labels.shape != probability.shape[:1] or not labels.size:  # noqa: PLR2004 (two axes)
        raise AlgorithmError(f"labels {labels.shape} do not fit probabilities {probability.shape}, or are empty")
    outside = int(((labels < 0) | (labels >= probability.shape[1])).sum())
    if outside:
        raise AlgorithmError(
            f"{outside} of {labels.size} rows are unlabelled or of no known class: they cannot be scored"
        )


def f1_of(found: NDArray[Any], support: NDArray[Any], named: NDArray[Any]) -> NDArray[np.float64]:
    """F1 from counts of equal shapes: rows rightly named, rows of the class, rows named so; NaN for an absent class."""
    both = np.asarray(support + named, dtype=np.float64)
    f1: NDArray[np.float64] = np.divide(2.0 * found, both, out=np.full(both.shape, np.nan), where=both > 0)
    return f1


def log_losses(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """-log P(label) of each row (n,)."""
    own = np.take_along_axis(probability, labels[:, None], axis=1)[:, 0].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(own.clip(SMALLEST, 1.0))
    return losses


def calibration_gaps(
    labels: NDArray[np.int64], probability: NDArray[np.floating]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The bin of each row's top probability (n,), and whether the row is right less that probability (n,)."""
    top = probability.max(axis=1).astype(np.float64)
    place = (top * BINS).astype(np.intp).clip(max=BINS - 1)
    return place, (probability.argmax(axis=1) == labels) - top


def reliability(labels: NDArray[np.int64], probability: NDArray[np.floating]) -> tuple[Bin, ...]:
    """Give the bins of the calibration error that hold any row, for labels (n,) and probability (n, C).

    Raises AlgorithmError where a row is unlabelled, a shape differs, or there is no row.
    """
    check(labels, probability)
    place, gap = calibration_gaps(labels, probability)
    top = probability.max(axis=1).astype(np.float64)
    rows = np.bincount(place, minlength=BINS)
    confidence, right = (np.bincount(place, weights, minlength=BINS) for weights in (top, gap + top))
    return tuple(
        Bin(n / BINS, (n + 1) / BINS, int(rows[n]), float(confidence[n] / rows[n]), float(right[n] / rows[n]))
        for n in np.flatnonzero(rows).tolist()
    )
