"""Promises of whether test labels carry the noise of train."""

import numpy as np
import pytest

from relabel.auditing import carried


def world(rng, flips_train: float, flips_test: float, rows: int = 4000):
    """Make labels of two classes, P(given | x) with the noise of train, and the halves that are train and test."""
    truth = rng.random(rows) < 0.5
    sure = np.where(truth, 1, -1) * 1.5 + rng.standard_normal(rows)
    clean = 1 / (1 + np.exp(-3 * sure))  # P(true = 1 | x) for such a mixture
    training = np.arange(rows) < rows // 2
    flips = rng.random(rows) < np.where(training, flips_train, flips_test)
    given = flips_train + (1 - 2 * flips_train) * clean
    return (truth ^ flips).astype(np.int64), np.stack([1 - given, given], axis=1), training


def test_the_same_noise_is_found_alike() -> None:
    """In nearly every draw."""
    found = []
    for seed in range(100):
        labels, probability, training = world(np.random.default_rng(seed), 0.1, 0.1)
        found.append(carried.judge(labels, probability, training, ~training))
    assert np.mean([one.alike for one in found]) >= 0.97


@pytest.mark.parametrize(("flips", "side"), [(0.0, -1), (0.25, 1)])
def test_a_cleaner_and_a_noisier_test_are_told(flips, side) -> None:
    """With the side to which it differs."""
    labels, probability, training = world(np.random.default_rng(0), 0.1, flips)
    found = carried.judge(labels, probability, training, ~training)
    assert not found.alike
    assert np.sign(found.away) == np.sign(found.observed - found.expected) == side
