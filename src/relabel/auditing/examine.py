"""The audit of all labels: from what true labels are likely to what is wrong, how surely, and how much of it.

Letters: N rows, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import noise, posterior
from relabel.auditing.noise import Estimate, NoiseRates, Verdict, Z
from relabel.data import duplicates
from relabel.data.stretches import mapped
from relabel.errors import AlgorithmError

UNDOUBTED = -1000.0
"""Doubt of a row that cannot be wrong, far below any other's."""


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """What was found.

    probability: (N, C) float64, P(given | x); rows sum to 1.
    clean:       (N, C) float64, P(true j | x, given label); rows sum to 1.
    posterior:   (N,) float64, probability that the given label is wrong; 0 for trusted and unlabelled rows.
    suggested:   (N,) int64, the likeliest true label; for a flagged row the likeliest other one.
    flagged:     (N,) bool, what people should look at.
    doubt:       (N,) float64, finite: orders rows, the worst highest. The log-odds of the posterior or, where errors are hidden
                 (`Verdict.hidden`), that another label would be given.
    expected:    how many labels of the training rows are wrong, the sum of their posterior; low and high are its 95% interval.
    noise:       the rates that all this follows from.
    verdict:     the kind of noise.
    """

    probability: NDArray[np.float64]
    clean: NDArray[np.float64]
    posterior: NDArray[np.float64]
    suggested: NDArray[np.int64]
    flagged: NDArray[np.bool_]
    doubt: NDArray[np.float64]
    expected: float
    low: float
    high: float
    noise: NoiseRates
    verdict: Verdict


def examine(
    labels: NDArray[np.int64],
    estimate: Estimate,
    *,
    training: NDArray[np.bool_],
    trusted: NDArray[np.bool_],
    group: NDArray[np.int64] | None = None,
    given: NDArray[np.int64] | None = None,
) -> Audit:
    """Audit labels (N,), -1 for unlabelled, given what true labels and noise are likely to be.

    training: (N,) rows that were cross-validated: errors are counted among those of them that have a label and are not trusted.
    trusted:  (N,) labels that people verified: never doubted.
    group:    (N,) duplicate group of each row: where duplicates carry another label, that speaks against the row's own.
    given:    (N,) labels before people verified any, -1 where that is not known: the kind of noise is that of these. By default of those
              that are not trusted.

    Flagged are as many of the training rows as errors are expected, the worst, and all other rows that are at least as bad as the last of
    them. Where errors are hidden, so that the posterior finds nothing, they are as many as have a label that is not the likeliest.

    Raises AlgorithmError where shapes do not fit or labels are no classes.
    """
    eta, rates = estimate.eta, estimate.rates
    _check(labels, eta, training, trusted)
    doubted = (labels >= 0) & ~trusted
    learning = doubted & training
    probability = mapped(lambda block: block @ rates.given_true, eta)
    also = None if group is None else duplicates.other_labels(group, labels, eta.shape[1])
    clean = posterior.true_given_both(eta, labels, rates.given_true, also)
    clean[trusted] = np.eye(eta.shape[1])[labels[trusted]]
    wrong = np.where(doubted, mapped(_other_than_given, clean, labels), 0.0)
    before = np.where(trusted, -1, labels) if given is None else given
    verdict = _verdict(estimate, before, probability, training & (before >= 0))
    through = np.ones_like(rates.given_true) if verdict.hidden else rates.given_true
    doubt = _doubt(labels, probability if verdict.hidden else eta, through, also, doubted)
    expected, low, high = _expected(wrong[learning], estimate, eta[learning])
    count = round(expected)
    if verdict.hidden:
        count = int((probability[learning].argmax(axis=1) != labels[learning]).sum())
    flagged = _flagged(doubt, learning, doubted, count)
    return Audit(
        probability=probability,
        clean=clean,
        posterior=wrong,
        suggested=_suggested(clean, labels, flagged),
        flagged=flagged,
        doubt=doubt,
        expected=expected,
        low=low,
        high=high,
        noise=rates,
        verdict=verdict,
    )


def worst(audit: Audit, training: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the rows to leave out of the training folds of the second pass: of the training rows (N,), as many as errors are expected."""
    return worst_first(audit.doubt, np.flatnonzero(audit.flagged & training))[: round(audit.expected)]


def worst_first(doubt: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Order rows by doubt (N,), then position, the worst first."""
    if (rows[1:] > rows[:-1]).all():  # as nearly always; one sort is enough then
        ordered: NDArray[np.intp] = rows[np.argsort(-doubt[rows], kind="stable")]
    else:
        ordered = rows[np.lexsort((rows, -doubt[rows]))]
    return ordered


def _verdict(
    estimate: Estimate, labels: NDArray[np.int64], probability: NDArray[np.float64], learning: NDArray[np.bool_]
) -> Verdict:
    """Judge the kind of noise by the rows that are learned from."""
    if not learning.any():
        return noise.verdict(0.0, 0.0, 1.0, 0.0)
    share = estimate.eta[learning].mean(axis=0)
    wrong = float(share @ (1 - np.diagonal(estimate.rates.given_true)))
    reach = Z * math.sqrt(max(0.0, float(share @ estimate.right @ share)))
    given = np.take_along_axis(probability[learning], labels[learning][:, None], axis=1)
    return noise.verdict(wrong, max(0.0, wrong - reach), min(1.0, wrong + reach), float(1 - given.mean()))


def _expected(wrong: NDArray[np.float64], estimate: Estimate, eta: NDArray[np.float64]) -> tuple[float, float, float]:
    """Expected number of errors among rows (n,) and its interval: the rates are not known exactly, and errors are a draw."""
    expected = math.fsum(wrong)
    mass = eta.sum(axis=0)
    variance = float(mass @ estimate.right @ mass) + math.fsum(wrong * (1 - wrong))
    reach = Z * math.sqrt(max(variance, 0.0))
    return expected, max(0.0, expected - reach), min(float(wrong.size), expected + reach)


def _check(
    labels: NDArray[np.int64],
    eta: NDArray[np.floating],
    training: NDArray[np.bool_],
    trusted: NDArray[np.bool_],
) -> None:
    """Raise AlgorithmError where anything does not fit."""
    if eta.ndim != 2 or eta.shape[1] < 2:  # noqa: PLR2004 (two axes, two classes)
        raise AlgorithmError(f"probabilities have the shape {eta.shape}, expected (rows, 2 or more classes)")
    classes: int = eta.shape[1]
    if labels.dtype.kind not in "iu" or (labels < -1).any() or (labels >= classes).any():
        raise AlgorithmError(f"labels ({labels.dtype}) are not all whole numbers from -1 to {classes - 1}")
    if not labels.shape == training.shape == trusted.shape == eta.shape[:1]:
        raise AlgorithmError(
            f"labels {labels.shape}, training {training.shape}, trusted {trusted.shape}, probabilities {eta.shape} do not fit"
        )
    if (trusted & (labels < 0)).any():
        raise AlgorithmError("a trusted row has no label")


def _doubt(
    labels: NDArray[np.int64],
    chance: NDArray[np.float64],
    through: NDArray[np.float64],
    also: NDArray[np.bool_] | None,
    doubted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The log-odds (N,) that a label is wrong, by chances (N, C); UNDOUBTED for rows that are not doubted."""

    def odds(rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return posterior.log_odds(chance[rows], labels[rows], through, None if also is None else also[rows])

    doubt = np.full(labels.size, UNDOUBTED)
    doubt[doubted] = mapped(odds, np.flatnonzero(doubted))
    return doubt


def _other_than_given(clean: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum clean (N, C) over all classes but the given one: (N,)."""
    others = clean.copy()
    np.put_along_axis(others, labels[:, None], 0.0, axis=1)
    total: NDArray[np.float64] = others.sum(axis=1)
    return total.clip(max=1.0)


def _flagged(
    doubt: NDArray[np.float64], learning: NDArray[np.bool_], doubted: NDArray[np.bool_], count: int
) -> NDArray[np.bool_]:
    """The `count` worst of the learning rows, and the other doubted rows at least as bad as the last of those: (N,)."""
    flagged = np.zeros(doubt.size, dtype=np.bool_)
    if not count:
        return flagged
    least = np.partition(doubt[learning], -count)[-count]
    chosen = worst_first(doubt, np.flatnonzero(learning & (doubt >= least)))[:count]
    flagged[(doubt >= least) & doubted & ~learning] = True
    flagged[chosen] = True
    return flagged


def _suggested(clean: NDArray[np.float64], labels: NDArray[np.int64], flagged: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The likeliest class of each row (N,), of the flagged ones the likeliest but the given."""

    def likeliest(
        clean: NDArray[np.float64], labels: NDArray[np.int64], flagged: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        likely = clean.copy()
        likely[flagged, labels[flagged]] = -1.0
        return np.asarray(likely.argmax(axis=1))

    return mapped(likeliest, clean, labels, flagged)
