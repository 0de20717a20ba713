"""Promises of the intervals."""

import numpy as np
import pytest

from relabel.auditing.data_issues import intervals


def test_the_interval_of_a_share_covers() -> None:
    """In 95% of draws for one look, more for many."""
    rng = np.random.default_rng(0)
    hits = rng.binomial(200, 0.9, 2000).tolist()
    for looks, least, most in ((1, 0.93, 0.97), (20, 0.99, 1.0)):
        covered = np.mean([low <= 0.9 <= high for low, high in (intervals.share(h, 200, looks) for h in hits)])
        assert least <= covered <= most


def test_the_interval_of_a_difference_covers() -> None:
    """In 95% of draws."""
    rng = np.random.default_rng(0)
    pairs = zip(rng.binomial(300, 0.2, 1000).tolist(), rng.binomial(200, 0.25, 1000).tolist(), strict=True)
    covered = [low <= 0.05 <= high for low, high in (intervals.difference(p, (300, 200), 1) for p in pairs)]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_auc_and_its_variance_are_right() -> None:
    """The chance that one value exceeds another, ties by half; over draws the variance is what is said."""
    assert intervals.auc(np.array([0.0, 1.0]), np.array([1.0, 2.0]))[0] == pytest.approx(0.875)
    rng = np.random.default_rng(0)
    drawn = [intervals.auc(rng.standard_normal(80), rng.standard_normal(60) + 0.5) for _ in range(600)]
    values, variances = np.array(drawn).T
    assert values.mean() == pytest.approx(0.638, abs=0.01)
    assert variances.mean() == pytest.approx(values.var(), rel=0.15)
