"""Promises of shares of few rows."""

import numpy as np
import pytest

from relabel.evaluation import shares


def test_wilson_holds_its_ends() -> None:
    """A share of nothing is unknown; none and all of some are not certain."""
    assert shares.wilson(0, 0) is None
    none, every = shares.wilson(0, 10), shares.wilson(10, 10)
    assert (none.low, none.value) == (0, 0)
    assert none.high == pytest.approx(0.2775, abs=1e-4)
    assert every.low == pytest.approx(1 - 0.2775, abs=1e-4)


def test_a_difference_of_shares_is_covered_as_often_as_it_says() -> None:
    """Also where most samples of twenty see no event at all, the interval holds the true difference 95 times in 100 or more."""
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(20, [0.01, 0.05, 0.94], size=2000)
    found = [shares.difference((first, second), 20) for first, second, _ in drawn.tolist()]
    assert np.mean([each.low <= -0.04 <= each.high for each in found]) >= 0.95
    assert shares.difference((0, 0), 20).low < -0.1 < 0.1 < shares.difference((0, 0), 20).high
