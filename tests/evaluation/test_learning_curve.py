"""Promises of the power law of learning."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.errors import AlgorithmError
from relabel.evaluation import learning_curve

SIZES = np.array([100, 200, 400, 600, 800, 1000])


@given(st.floats(0.7, 0.98), st.floats(0.02, 0.3), st.sampled_from(learning_curve.SPEEDS.tolist()))
def test_a_power_law_is_recovered(limit, lack, speed) -> None:
    """From six points on a curve come its parameters, and what it has at ten times the rows."""
    exact = limit - lack * (SIZES / 1000) ** -speed
    law = learning_curve.fit(SIZES, exact[None])
    np.testing.assert_allclose([law.limit[0], law.lack[0], law.speed[0]], [limit, lack, speed], atol=1e-6)
    assert law.at(10_000)[0] == pytest.approx(limit - lack * 10.0**-speed)


def test_more_rows_for_a_gain_undo_the_curve() -> None:
    """As many rows as a gain needs have that gain; a gain beyond the limit needs infinitely many, none needs none."""
    law = learning_curve.fit(SIZES, (0.9 - 0.1 * (SIZES / 1000.0) ** -0.5)[None])
    more = law.more(1000, np.array([0.02]))
    assert law.at(1000 + more)[0] - law.at(1000)[0] == pytest.approx(0.02)
    assert law.more(1000, np.array([0.2])).tolist() == [np.inf]
    assert law.more(1000, np.array([0.099])).tolist() == [
        np.inf
    ]  # 10,000 times as many would do: nobody knows that far
    assert law.more(1000, np.array([-0.01])).tolist() == [0.0]


@pytest.mark.parametrize("accuracy", [[0.8] * 6, [0.9, 0.88, 0.87, 0.86, 0.85, 0.84]])
def test_a_curve_that_does_not_rise_is_flat(accuracy) -> None:
    """More rows then gain nothing, and never lose."""
    law = learning_curve.fit(SIZES, np.array([accuracy]))
    assert law.at(5000)[0] == pytest.approx(law.at(1000)[0])
    assert law.more(1000, np.array([0.01])).tolist() == [np.inf]


def test_no_curve_promises_more_than_all_rows_right() -> None:
    """Points that rise like a line end at 1."""
    law = learning_curve.fit(SIZES, np.linspace(0.5, 0.97, 6)[None])
    assert law.at(1e9)[0] <= 1


def test_each_resample_has_a_curve_of_its_own() -> None:
    """Lines are fitted apart: what one is does not matter to the next."""
    lines = np.stack([0.9 - 0.1 * (SIZES / 1000.0) ** -speed for speed in (0.25, 0.5, 1.0)])
    together = learning_curve.fit(SIZES, lines).at(2000)
    np.testing.assert_allclose(together, [learning_curve.fit(SIZES, line[None]).at(2000)[0] for line in lines])


@pytest.mark.parametrize("sizes", [[100, 200], [100, 200, 300, 400]])
def test_sizes_that_do_not_fit_or_are_too_few_are_refused(sizes) -> None:
    """Two points are no curve, and four sizes do not go with three points."""
    with pytest.raises(AlgorithmError, match="does not fit"):
        learning_curve.fit(sizes, np.full((1, min(len(sizes), 3)), 0.8))
