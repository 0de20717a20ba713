"""The stability index stands with what it is by luck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.evaluation.drift import stability

COUNTS = st.lists(st.integers(0, 500), min_size=4, max_size=4).map(np.array)


@pytest.mark.parametrize(("m", "n"), [(100, 100), (2000, 300), (20_000, 20_000)])
def test_luck_exceeds_the_limit_as_often_as_it_is_said(m, n):
    """Whatever the sizes, samples of one population exceed the limit once in twenty times, where the folklore's 0.1 is always or never."""
    rng = np.random.default_rng(0)
    draws = [(rng.multinomial(m, [0.1] * 10), rng.multinomial(n, [0.1] * 10)) for _ in range(600)]
    found = [stability.of(*pair) for pair in draws]
    assert 0.02 < np.mean([one.index > one.limit for one in found]) < 0.09
    assert all((one.index > one.limit) == (one.p < 0.05) for one in found)


@given(COUNTS, COUNTS)
def test_the_index_is_a_distance(first, second):
    """It is never below 0, the same both ways, and 0 of equal shares."""
    assert stability.of(first, second).index >= 0
    assert stability.of(first, second).index == pytest.approx(stability.of(second, first).index)
    assert stability.of(first, first).index == pytest.approx(0)


def test_bins_hold_like_shares_of_the_reference():
    """A value on an edge lies below it, and repeated values make fewer bins."""
    values = np.arange(1, 101, dtype=np.float64)
    assert stability.counts(values, stability.edges(values)).tolist() == [10] * 10
    assert stability.edges(np.zeros(50)).tolist() == [0]
    assert stability.counts(np.array([-1.0, 0.0, 1.0]), np.array([0.0])).tolist() == [2, 1]
