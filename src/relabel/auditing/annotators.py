"""Several annotators: what each row's label is, how good each annotator is, and which rows to label next.

With probabilities of a model, cleanlab's CROWDLAB weighs the annotators and the model, and its ActiveLab tells the rows to
label next. Without, the majority decides, and the annotators' agreement with each other tells how good they are.
Letters: N rows, M annotators, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import confident
from relabel.auditing.probabilities import checked
from relabel.errors import AlgorithmError

PRIOR_ROWS = 10.0
"""Rows that each annotator is taken to have shared with the pool, with its agreement, beside the own ones."""

SUREST = 0.99
"""The highest accuracy that agreement is taken for: no vote settles a row alone."""

SWEEPS = 50
"""Of the fit of skills; ten settle three digits."""

TIE = 1e-9
"""Weight of the votes in probabilities that would otherwise tie: far below any difference that counts."""

Z = 1.959963984540054
"""Of a 95% interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the labels of several annotators come to.

    consensus:  (N,) int64 class, -1 for a row that nobody labelled.
    quality:    (N,) float64, how surely the consensus is right; NaN for a row that nobody labelled.
    agreement:  (N,) share of the row's annotators that gave the consensus; NaN as above.
    count:      (N,) int64 labels of the row.
    tied:       (N,) bool, no label had more votes than every other.
    score:      (N,) float64; the lower, the more another label of this row would tell.
    order:      (n,) rows to label next, the most useful first; rows that nobody labelled are in it where there is a model.
    annotators: what is known of each.
    """

    consensus: NDArray[np.int64]
    quality: NDArray[np.float64]
    agreement: NDArray[np.float64]
    count: NDArray[np.int64]
    tied: NDArray[np.bool_]
    score: NDArray[np.float64]
    order: NDArray[np.intp]
    annotators: Annotators


@dataclass(frozen=True, slots=True, eq=False)
class Annotators:
    """What is known of M annotators.

    quality:   (M,) float64: cleanlab's score with a model, else the accuracy.
    accuracy:  (M,) float64, share of right labels that their agreement with each other implies.
    labels:    (M,) int64, rows that each labelled.
    shared:    (M,) int64, those of them that someone else labelled too: with none, quality rests on the model or the pool alone.
    agreement: (M,) share of the shared rows on which the annotator gave the consensus; NaN with none.
    low, high: (M,) its 95% interval (Wilson); 0 to 1 with none.
    """

    quality: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    labels: NDArray[np.int64]
    shared: NDArray[np.int64]
    agreement: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def judge(labels: NDArray[np.int64], classes: int, probability: NDArray[np.floating] | None = None) -> Judgement:
    """Judge labels (N, M), -1 where an annotator did not label a row; each annotator labelled one row or more.

    probability: (N, C) of a model that was not trained on the rows it scores, or None.

    With it: consensus, quality and annotators' quality by CROWDLAB on calibrated probabilities, scores by ActiveLab.
    Where no row has two labels nothing can be compared: the consensus is the given label, its quality what the model
    says of it, and an annotator's quality the mean of that, as it also is for one who shares no row with others.

    Without it: consensus is the majority. A tie goes to the side that is likelier in view of its annotators' accuracy,
    then to the class that is given more often, then to the first. Quality is P(consensus | votes), with errors that
    are equally likely for every class and independent between annotators; accuracy as `accuracies` says. The score is
    the quality.

    Raises UserError where probabilities are none, AlgorithmError where labels are no such table.
    """
    _check(labels, classes)
    count = (labels >= 0).sum(axis=1)
    votes = _votes(labels, classes)
    accuracy = accuracies(labels, classes)
    voted = posterior(labels, accuracy, votes.sum(axis=0))
    if probability is None:
        consensus, quality, score = *_majority(votes, voted), np.full(count.size, np.nan)
        score[count > 0] = quality[count > 0]
        annotators_quality = accuracy
    else:
        untied = _untied(checked(probability, count.size, classes), voted)
        crowd = confident.crowd(labels, untied)
        consensus, quality, score, annotators_quality = crowd.consensus, crowd.quality, crowd.score, crowd.annotators
    known = count > 0
    agreement = np.full(count.size, np.nan)
    agreement[known] = votes[known, consensus[known]] / count[known]
    most = votes.max(axis=1, keepdims=True)
    return Judgement(
        consensus=consensus,
        quality=quality,
        agreement=agreement,
        count=count,
        tied=known & ((votes == most).sum(axis=1) > 1),
        score=score,
        order=_next(score, count),
        annotators=_annotators(labels, consensus, count, annotators_quality, accuracy),
    )


def accuracies(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Give the accuracy (M,) of annotators that their agreement with each other implies.

    Two annotators who are right with probability q and r, and else err to each other class alike, agree with probability
    1/C + (C-1)/C g h, with g = (q - 1/C) C/(C-1) the skill of one, h of the other. So the excess of agreement over chance,
    pair by pair, is a product of two skills: they are fitted by least squares, and of each annotator every shared row counts
    once, however many others labelled it. Few shared rows are drawn towards the pool (PRIOR_ROWS), none means the pool's.
    All are chance, 1/C, where the pool agrees no more than by chance, and half-way from chance to SUREST where no row is
    shared: then nothing is known.
    """
    chance = 1 / classes
    same, pairs = _pairs(labels, classes)
    if not pairs.any():
        return np.full(len(pairs), (SUREST + chance) / 2)
    excess = (same - chance * pairs) / (1 - chance)
    pool = math.sqrt(max(excess.sum() / pairs.sum(), 0.0))
    skill = np.full(len(pairs), pool)
    for _ in range(SWEEPS if pool else 0):
        for m in range(skill.size):
            fitted = excess[m] @ skill + PRIOR_ROWS * pool**3
            skill[m] = np.clip(fitted / (pairs[m] @ skill**2 + PRIOR_ROWS * pool**2), 0.0, 1.0)
    accuracy: NDArray[np.float64] = (chance + (1 - chance) * skill).clip(max=SUREST)
    return accuracy


def posterior(
    labels: NDArray[np.int64], accuracy: NDArray[np.float64], given: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Give P(class | votes) (N, C) for labels (N, M) of annotators with accuracy (M,); given: (C,) labels of each class."""
    classes = given.size
    logs = np.tile(np.log((given + 1) / (given.sum() + classes)), (len(labels), 1))
    gain = np.log(accuracy) - np.log((1 - accuracy) / (classes - 1))
    for m in range(labels.shape[1]):
        rows = np.flatnonzero(labels[:, m] >= 0)
        logs[rows, labels[rows, m]] += gain[m]
    logs -= logs.max(axis=1, keepdims=True)
    weight = np.exp(logs)
    normal: NDArray[np.float64] = weight / weight.sum(axis=1, keepdims=True)
    return normal


def interval(hits: NDArray[np.int64], count: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give Wilson's 95% interval of a share, for hits and count (M,); 0 to 1 where the count is 0."""
    n = np.maximum(count, 1)
    share, spread = hits / n, Z**2 / n
    middle = share + spread / 2
    half = np.sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return np.where(count > 0, low.clip(min=0), 0.0), np.where(count > 0, high.clip(max=1), 1.0)


def _check(labels: NDArray[np.int64], classes: int) -> None:
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or classes < 2:  # noqa: PLR2004 (two axes, two classes)
        raise AlgorithmError(
            f"labels are {labels.dtype} {labels.shape} of {classes} classes, expected int (rows, annotators)"
        )
    if (labels < -1).any() or (labels >= classes).any() or not (labels >= 0).any(axis=0).all():
        raise AlgorithmError(f"labels are not all from -1 to {classes - 1}, or an annotator has none")


def _votes(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Labels of each class in each row: (N, C)."""
    return np.stack([(labels == c).sum(axis=1) for c in range(classes)], axis=1)


def _pairs(labels: NDArray[np.int64], classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For two annotators (M, M), on how many rows they gave the same label, and any; 0 for one with oneself.

    A row of k labels counts 1 / (k - 1) for each pair, and so once for each annotator.
    """
    given = (labels >= 0).astype(np.float64)
    weight = 1 / np.maximum(given.sum(axis=1, keepdims=True) - 1, 1)
    each = [(labels == c).astype(np.float64) for c in range(classes)]
    same = np.sum([one.T @ (one * weight) for one in each], axis=0)
    pairs = given.T @ (given * weight)
    np.fill_diagonal(same, 0.0)
    np.fill_diagonal(pairs, 0.0)
    return same, pairs


def _majority(votes: NDArray[np.int64], voted: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The class of each row (N,) with most votes, of several the likeliest, and its probability; -1 and NaN without votes."""
    leading = votes == votes.max(axis=1, keepdims=True)
    consensus = np.where(leading, voted, -1.0).argmax(axis=1)
    quality = np.take_along_axis(voted, consensus[:, None], axis=1)[:, 0]
    none = votes.sum(axis=1) == 0
    return np.where(none, -1, consensus), np.where(none, np.nan, quality)


def _untied(probability: NDArray[np.float64], voted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities (N, C) in which classes that tie differ a little, by the votes and then by their order.

    cleanlab breaks what still ties by chance.
    """
    order = np.linspace(1.0, 0.0, probability.shape[1]) / 1000
    moved = (1 - TIE) * probability + TIE * (voted + order)
    normal: NDArray[np.float64] = moved / moved.sum(axis=1, keepdims=True)
    return normal


def _next(score: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows that have a score, the lowest first, then those with fewer labels, then by position."""
    rows = np.flatnonzero(~np.isnan(score))
    ordered: NDArray[np.intp] = rows[np.lexsort((rows, count[rows], score[rows]))]
    return ordered


def _annotators(
    labels: NDArray[np.int64],
    consensus: NDArray[np.int64],
    count: NDArray[np.int64],
    quality: NDArray[np.float64],
    accuracy: NDArray[np.float64],
) -> Annotators:
    shared = (labels >= 0) & (count > 1)[:, None]
    hits = (shared & (labels == consensus[:, None])).sum(axis=0)
    compared = shared.sum(axis=0)
    low, high = interval(hits, compared)
    return Annotators(
        quality=quality,
        accuracy=accuracy,
        labels=(labels >= 0).sum(axis=0),
        shared=compared,
        agreement=np.where(compared > 0, hits / np.maximum(compared, 1), np.nan),
        low=low,
        high=high,
    )
