"""Noise and true labels from one model's out-of-fold probabilities alone, by anchors.

An anchor of a class is a row that the model, which never saw that row's label, is surest of. Anchors are taken to be truly
of their class, so the other labels among them are errors. Where the audit has members of its own, `members` knows more.
Letters: N rows, C classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import posterior
from relabel.auditing.noise import Estimate, NoiseRates, Z

DEPTH = 0.10
"""Share of the rows that are anchors of a class, at most."""

MOST_WRONG = 0.49
"""Most that a class's errors may sum to: its true label stays the likeliest, and the matrix can be inverted."""

ROUNDING = 1e-9
"""Slack for half of a class's rows, so that 4 rows that come out as 3.999… have two anchors."""

LEFT = 1e-6
"""Share of a probability that is left where the noise would make it negative: such rows are still told apart."""


def estimate(labels: NDArray[np.int64], probability: NDArray[np.float64], learning: NDArray[np.bool_]) -> Estimate:
    """Estimate from labels (N,) of the rows (N,) in `learning` and checked out-of-fold probabilities (N, C) of given labels.

    Probabilities that are surer than the labels bear out are softened first. The rates are taken for independent of each other.
    """
    found = rates(labels[learning], probability[learning])
    classes = probability.shape[1]
    soft = posterior.softened(
        probability, posterior.temperature(labels[learning], probability[learning], np.eye(classes))
    )
    eta = posterior.true_given_input(soft, found.given_true, floor=LEFT * soft)
    variance = ((found.high - found.low) / (2 * Z)) ** 2
    np.fill_diagonal(variance, 0.0)
    return Estimate(eta, found, np.diag(variance.sum(axis=1)))


def rates(labels: NDArray[np.int64], probability: NDArray[np.float64]) -> NoiseRates:
    """Estimate the noise of labels (N,), 0 to C-1, from out-of-fold probabilities (N, C) of the *given* labels.

    The anchors of class i are the rows with the highest probability[:, i]: a tenth of the rows, or half of the rows that
    are truly of the class where those are fewer. Row i of the matrix is the share of each given label among them. A
    share of 0 becomes that of half an error in a tenth of the rows, spread over the other classes, so that no error is
    impossible; errors above MOST_WRONG in sum are scaled down to it. A class without anchors (no label names it, or it
    has fewer than two rows, or there are fewer than ten in all) gets no errors, with the interval [0, 1].

    The interval joins two of 95%: the binomial one (Wilson) of the anchors, and that of the share extrapolated to ever
    surer rows, for anchors are not all truly of their class and less so the deeper one takes them. In simulations of two
    overlapping bell curves it covers the truth in 94 to 99% of the cases down to a distance of 1.5 deviations, below
    that not. It takes rows as independent, so duplicates make it too narrow, and it cannot see a model that is wrong
    where it is surest: then all rates come out too high.
    """
    rows, classes = probability.shape
    counts = np.bincount(labels, minlength=classes)
    depth = int(DEPTH * rows)
    surest = [labels[_surest(column, depth)] for column in probability.T]
    least = 0.5 / max(depth, 1) / (classes - 1)
    first = np.stack([_shares(_anchors(surest[i], counts[i]), i, classes, least) for i in range(classes)])
    mass = _true_mass(first, counts)
    anchors = [_anchors(surest[i], mass[i] if counts[i] else 0.0) for i in range(classes)]
    given_true = np.stack([_shares(anchors[i], i, classes, least) for i in range(classes)])
    low, high = (np.stack(ends) for ends in zip(*(_interval(a, classes) for a in anchors), strict=True))
    return NoiseRates(given_true, np.minimum(low, given_true), np.maximum(high, given_true))


def _surest(sureness: NDArray[np.float64], depth: int) -> NDArray[np.intp]:
    """Rows (depth,) with the highest values of (N,), highest first."""
    top = np.argpartition(-sureness, depth)[:depth] if depth < sureness.size else np.arange(depth)
    ordered: NDArray[np.intp] = top[np.argsort(-sureness[top], kind="stable")]
    return ordered


def _anchors(surest: NDArray[np.int64], mass: float) -> NDArray[np.int64]:
    """The given labels of a class's anchors: of its surest rows, as many as half the class."""
    return surest[: int(mass / 2 + ROUNDING)]


def _true_mass(given_true: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Estimate how many rows are truly of each class (C,): the given counts with a first estimate of the noise undone.

    The counts themselves will not do: 5% errors of a large class double a class of 5%, and half of that would hold as
    many errors as rows of the class.
    """
    mass: NDArray[np.float64] = np.linalg.solve(given_true.T, counts.astype(np.float64)).clip(min=0.0)
    return mass


def _shares(anchors: NDArray[np.int64], own: int, classes: int, least: float) -> NDArray[np.float64]:
    """The share of each given label (C,) among a class's anchors; without anchors there are no errors."""
    alone: NDArray[np.float64] = (np.arange(classes) == own).astype(np.float64)
    if not anchors.size:
        return alone
    shares = np.maximum(np.bincount(anchors, minlength=classes).astype(np.float64) / anchors.size, least)
    shares[own] = 0.0
    kept: NDArray[np.float64] = shares * min(1.0, MOST_WRONG / shares.sum())
    kept[own] = 1.0 - kept.sum()
    return kept


def _interval(anchors: NDArray[np.int64], classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Low and high end (C,) of the share of each given label: of the anchors as they are, and of ever surer ones.

    The second is the least-squares line through hit or miss over the anchor's rank, from 0 for the surest to 1, at rank
    0; its standard error is twice that of the mean.
    """
    count = anchors.size
    if not count:
        return np.zeros(classes), np.ones(classes)
    share = np.bincount(anchors, minlength=classes) / count
    rank = (np.arange(count) + 0.5) / count
    surest = share - 6.0 * np.bincount(anchors, weights=rank - 0.5, minlength=classes) / count
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    reach = Z * np.sqrt(share * (1 - share) / count + (Z / (2 * count)) ** 2) / (1 + Z**2 / count)
    low, high = np.minimum(middle - reach, surest - 2 * reach), np.maximum(middle + reach, surest + 2 * reach)
    return low.clip(min=0.0), high.clip(max=1.0)
