"""What members are watched by."""

from __future__ import annotations

import numpy as np

from relabel.training.learner import Watch


def test_a_member_that_knows_the_truth_is_not_stopped_for_it() -> None:
    """By the labels as they are given, one that repeats their errors looks better; read through the noise, the one that is right does."""
    rng = np.random.default_rng(0)
    noise = np.array([[0.95, 0.05], [0.3, 0.7]])
    truth = rng.integers(0, 2, 4000)
    given = (rng.random(4000) < noise[truth, 1]).astype(np.int64)
    right = np.where(np.eye(2)[truth] == 1, 0.99, 0.01)
    wrong_too = right @ noise
    rows = np.arange(4000, dtype=np.int32)
    assert Watch(rows, given).loss(wrong_too) < Watch(rows, given).loss(right)
    assert Watch(rows, given, noise).loss(right) < Watch(rows, given, noise).loss(wrong_too)
    assert Watch(rows, given, noise).loss(right) == Watch(rows, given).loss(wrong_too)
