"""Whether rows of a window can be told from rows of a reference: a classifier two-sample test, exact by permutation.

A linear classifier (ridge on the rows' numbers and their squares) learns on four fifths of both what tells them apart, and is tried on the fifth
that it did not see, five times (Lopez-Paz and Oquab 2017; Kim et al. 2021). How well that goes by luck is seen by dealing the names "reference"
and "window" anew and doing all of it again: the share of such deals that go as well is an exact p, whatever the sizes. All deals are solved at
once.
Letters: m, n rows of reference and window, N = m + n, d numbers of a row, F numbers with squares, P deals, K parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

DEALS = 499
PARTS = 5
RIDGE = 1.0
"""Of the rows learned from: what is added to the diagonal, so that no direction is trusted for its noise."""


FLAT = 1e-6
"""A number whose deviation is below this part of its size does not vary."""


@dataclass(frozen=True, slots=True, eq=False)
class ToldApart:
    """How well rows are told apart.

    auc:   chance that a row of the window looks more like the window than one of the reference does; 0.5 is not at all.
    p:     chance of as good a classifier where nothing has changed.
    score: (n,) float64 in [0, 1], for each row of the window the share of the reference that looks less like the window.
    order: (n,) the rows of the window, those that look least like the reference first.
    """

    auc: float
    p: float
    score: NDArray[np.float64]
    order: NDArray[np.intp]


def told_apart(
    reference: NDArray[np.float32], window: NDArray[np.float32], rng: np.random.Generator, *, deals: int = DEALS
) -> ToldApart:
    """Tell rows of a window (n, d) from those of a reference (m, d), of which both have PARTS at least."""
    inputs = standard(np.concatenate([reference, window]))
    split = len(reference)
    names = np.zeros((len(inputs), 1 + deals), np.float32)  # (N, 1 + P): the real names first
    names[split:, 0] = 1
    for deal in range(1, 1 + deals):
        names[rng.permutation(len(inputs))[: len(window)], deal] = 1
    part = rng.permutation(len(inputs)) % PARTS
    every, products, wanted = _moments(inputs, names)
    statistic, scores = np.zeros(1 + deals), np.zeros(len(inputs))
    for k in range(PARTS):
        tried = part == k
        count, own, own_wanted = _moments(inputs[tried], names[tried])
        learned = every - count
        ridge = products - own + RIDGE * learned * np.eye(inputs.shape[1], dtype=np.float32)
        found = inputs[tried] @ np.linalg.solve(ridge, wanted - own_wanted)  # (rows, 1 + P)
        statistic += _apart(found, names[tried])
        scores[tried] = rankdata(found[:, 0]) / tried.sum()
    p = (1 + int((statistic[1:] >= statistic[0]).sum())) / (1 + deals)
    ranks = rankdata(scores)
    auc = (ranks[split:].mean() - (len(window) + 1) / 2) / split
    score = np.searchsorted(np.sort(scores[:split]), scores[split:], side="left") / split
    return ToldApart(float(auc), p, score, np.argsort(-scores[split:], kind="stable"))


def standard(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give rows (N, d) and their squares, each of mean 0 and deviation 1: (N, 2 d) float32; what does not vary is 0."""
    first = _standard(rows.astype(np.float64))
    return np.concatenate([first, _standard(np.square(first))], axis=1).astype(np.float32)


def _standard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    varies = deviation > FLAT * (1 + np.abs(mean))
    return np.asarray(np.divide(rows - mean, deviation, out=np.zeros_like(rows), where=varies))


def _moments(
    inputs: NDArray[np.float32], names: NDArray[np.float32]
) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
    """Give the rows, their products (F, F), and those with the names (F, 1 + P)."""
    return len(inputs), inputs.T @ inputs, inputs.T @ (names - names.mean(axis=0))


def _apart(scores: NDArray[np.float32], names: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give for each deal (1 + P,) by how many standard errors the mean scores (rows, 1 + P) of the two names differ."""
    found = []
    for side in (names, 1 - names):
        count = side.sum(axis=0).clip(min=1)
        mean = (scores * side).sum(axis=0) / count
        found.append((mean, ((np.square(scores) * side).sum(axis=0) / count - np.square(mean)).clip(min=1e-12) / count))
    (here, here_variance), (there, there_variance) = found
    return np.asarray((here - there) / np.sqrt(here_variance + there_variance), np.float64)
