"""The audit of all labels: from out-of-fold probabilities to what is wrong, how surely, and how much of it.

Letters: N rows, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import noise, posterior, probabilities
from relabel.auditing.noise import NoiseRates
from relabel.errors import AlgorithmError

UNDOUBTED = -1000.0
"""Margin of a row that cannot be wrong, far below any other's."""


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """What one pass found.

    probability: (N, C) float64, as given, checked and normalised.
    clean:       (N, C) float64, P(true j | x, given label); rows sum to 1.
    posterior:   (N,) float64, probability that the given label is wrong; 0 for trusted and unlabelled rows.
    suggested:   (N,) int64, the likeliest true label; for a flagged row the likeliest other one.
    flagged:     (N,) bool.
    margin:      (N,) float64, finite; breaks ties of the posterior, higher is worse.
    expected:    how many labels of the training rows are wrong: the sum of their posterior.
    temperature: by how much the probabilities were softened; 1 is not at all.
    noise:       the rates that all this follows from.
    """

    probability: NDArray[np.float64]
    clean: NDArray[np.float64]
    posterior: NDArray[np.float64]
    suggested: NDArray[np.int64]
    flagged: NDArray[np.bool_]
    margin: NDArray[np.float64]
    expected: float
    temperature: float
    noise: NoiseRates


def examine(
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    *,
    training: NDArray[np.bool_],
    trusted: NDArray[np.bool_],
    first: Audit | None = None,
) -> Audit:
    """Audit labels (N,), -1 for unlabelled, with probabilities (N, C) of models that never saw the row they score.

    training: (N,) rows that were cross-validated. All that is learned, the noise rates, the temperature and the expected
              number of errors, is learned on those of them that have a label and are not trusted.
    trusted:  (N,) labels that people verified: never doubted.
    first:    none for the first pass: probabilities are of *given* labels, and the noise is undone. For the second pass
              the first's Audit: probabilities come from models trained without its worst rows, so they are taken for
              those of *true* labels, and its noise rates hold on.

    In both passes probabilities that are surer than the labels bear out are softened first. Flagged are as many of the
    training rows as errors are expected, the worst, and all other rows that are at least as bad as the last of them.

    Raises UserError where probabilities are none, AlgorithmError where shapes do not fit or labels are no classes.
    """
    classes = _check(labels, probability, training, trusted)
    checked = probabilities.checked(probability, labels.size, classes)
    doubted = (labels >= 0) & ~trusted
    learning = doubted & training
    rates = noise.estimate(labels[learning], checked[learning]) if first is None else first.noise
    through = np.eye(classes) if first is None else rates.given_true
    temperature = posterior.temperature(labels[learning], checked[learning], through)
    soft = posterior.softened(checked, temperature)
    eta = posterior.true_given_input(soft, rates.given_true) if first is None else soft
    clean = posterior.true_given_both(eta, labels, rates.given_true)
    clean[trusted] = np.eye(classes)[labels[trusted]]
    wrong = np.where(doubted, _other_than_given(clean, labels), 0.0)
    margin = np.full(labels.size, UNDOUBTED)
    margin[doubted] = posterior.margin(soft[doubted], labels[doubted], rates.given_true)
    expected = math.fsum(wrong[learning])
    flagged = _flagged(wrong, margin, learning, doubted, round(expected))
    return Audit(
        probability=checked,
        clean=clean,
        posterior=wrong,
        suggested=_suggested(clean, labels, flagged),
        flagged=flagged,
        margin=margin,
        expected=expected,
        temperature=temperature,
        noise=rates,
    )


def worst(audit: Audit, training: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the rows to leave out of the training folds of the second pass: the flagged ones of the training rows (N,)."""
    return np.flatnonzero(audit.flagged & training)


def worst_first(
    posterior: NDArray[np.float64], margin: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Order rows by posterior (N,), then margin (N,), then position, the worst first."""
    ordered: NDArray[np.intp] = rows[np.lexsort((rows, -margin[rows], -posterior[rows]))]
    return ordered


def _check(
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    training: NDArray[np.bool_],
    trusted: NDArray[np.bool_],
) -> int:
    """Give the number of classes, or raise AlgorithmError."""
    if probability.ndim != 2 or probability.shape[1] < 2:  # noqa: PLR2004 (two axes, two classes)
        raise AlgorithmError(f"probabilities have the shape {probability.shape}, expected (rows, 2 or more classes)")
    classes: int = probability.shape[1]
    if labels.dtype.kind not in "iu" or (labels < -1).any() or (labels >= classes).any():
        raise AlgorithmError(f"labels ({labels.dtype}) are not all whole numbers from -1 to {classes - 1}")
    if not labels.shape == training.shape == trusted.shape:
        raise AlgorithmError(f"labels {labels.shape}, training {training.shape}, trusted {trusted.shape} do not fit")
    if (trusted & (labels < 0)).any():
        raise AlgorithmError("a trusted row has no label")
    return classes


def _other_than_given(clean: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum clean (N, C) over all classes but the given one: (N,)."""
    others = clean.copy()
    np.put_along_axis(others, labels[:, None], 0.0, axis=1)
    total: NDArray[np.float64] = others.sum(axis=1)
    return total.clip(max=1.0)


def _flagged(
    posterior: NDArray[np.float64],
    margin: NDArray[np.float64],
    learning: NDArray[np.bool_],
    doubted: NDArray[np.bool_],
    count: int,
) -> NDArray[np.bool_]:
    """The `count` worst of the learning rows, and the other doubted rows at least as bad as the last of those: (N,)."""
    if not count:
        return np.zeros(posterior.size, dtype=np.bool_)
    least = np.partition(posterior[learning], -count)[-count]
    chosen = worst_first(posterior, margin, np.flatnonzero(learning & (posterior >= least)))[:count]
    last = chosen[-1]
    as_bad = (posterior > least) | ((posterior == least) & (margin >= margin[last]))
    flagged: NDArray[np.bool_] = as_bad & doubted & ~learning
    flagged[chosen] = True
    return flagged


def _suggested(clean: NDArray[np.float64], labels: NDArray[np.int64], flagged: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The likeliest class of each row (N,), of the flagged ones the likeliest but the given."""
    likely = clean.copy()
    likely[flagged, labels[flagged]] = -1.0
    suggested: NDArray[np.int64] = likely.argmax(axis=1)
    return suggested
