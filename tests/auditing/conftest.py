"""Made data whose truth is known: true labels, how likely each was, and labels given under known noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from relabel.auditing.noise import Estimate, NoiseRates

ASYMMETRIC = np.array([[0.95, 0.05], [0.20, 0.80]])
"""5% of class 0 are given as 1, 20% of class 1 as 0."""

THREE = np.array([[0.90, 0.08, 0.02], [0.25, 0.70, 0.05], [0.02, 0.18, 0.80]])


@dataclass(frozen=True)
class Made:
    """Rows of C bell curves, one per class, `distance` apart.

    truth, labels: (N,) true and given labels.
    eta:           (N, C) the exact P(true | x).
    probability:   (N, C) the exact P(given | x): what a perfect model trained on given labels says.
    given_true:    (C, C) the noise.
    """

    truth: np.ndarray
    labels: np.ndarray
    eta: np.ndarray
    probability: np.ndarray
    given_true: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Which labels (N,) are errors."""
        return self.truth != self.labels

    @property
    def known(self) -> Estimate:
        """What is to be learned, exactly: the true classes' probabilities and the noise."""
        classes = len(self.given_true)
        rates = NoiseRates(self.given_true, self.given_true, self.given_true)
        return Estimate(self.eta, rates, np.zeros((classes, classes)))

    def none(self) -> np.ndarray:
        """A mask (N,) of no row."""
        return np.zeros(self.labels.size, bool)

    def all(self) -> np.ndarray:
        """A mask (N,) of every row."""
        return np.ones(self.labels.size, bool)


@pytest.fixture(scope="session")
def make() -> Callable[..., Made]:
    """Make rows from a seed; shares are those of the true classes."""

    def made(seed=0, rows=6000, distance=2.5, given_true=ASYMMETRIC, shares=None) -> Made:
        rng = np.random.default_rng(seed)
        given_true = np.asarray(given_true)
        classes = len(given_true)
        shares = np.full(classes, 1 / classes) if shares is None else np.asarray(shares)
        truth = rng.choice(classes, rows, p=shares)
        centres = np.eye(classes) * distance / np.sqrt(2)
        x = centres[truth] + rng.normal(size=(rows, classes))
        eta = shares * np.exp(-((x[:, None] - centres) ** 2).sum(axis=2) / 2)
        eta /= eta.sum(axis=1, keepdims=True)
        labels = (rng.random(rows)[:, None] > given_true[truth].cumsum(axis=1)).sum(axis=1)
        return Made(truth, labels, eta, eta @ given_true, given_true)

    return made


@pytest.fixture(scope="session")
def three() -> np.ndarray:
    """Noise of three classes, different in every direction."""
    return THREE
