"""Promises of the noise rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.auditing.anchors import rates as estimate


def test_two_classes_follow_the_plain_recipe(make) -> None:
    """The rates are the minority shares among the tenth of rows with the lowest and with the highest probability."""
    data = make(distance=1.5)
    order = np.argsort(data.probability[:, 1])
    low, high = data.labels[order[:600]], data.labels[order[-600:]]
    rates = estimate(data.labels, data.probability).given_true
    assert rates[0, 1] == pytest.approx((low == 1).mean(), abs=1e-12)
    assert rates[1, 0] == pytest.approx((high == 0).mean(), abs=1e-12)


@pytest.mark.parametrize("noise", [(0.05, 0.2), (0.1, 0.1), (0.3, 0.3), (0.0, 0.25)])
def test_planted_rates_are_found(make, noise) -> None:
    """With perfect probabilities of classes well apart, the rates are within .03, inside intervals of sensible width."""
    e0, e1 = noise
    data = make(distance=3.5, given_true=[[1 - e0, e0], [e1, 1 - e1]])
    rates = estimate(data.labels, data.probability)
    np.testing.assert_allclose(rates.given_true, data.given_true, atol=0.03)
    assert (rates.low <= data.given_true).all()
    assert (data.given_true <= rates.high).all()
    assert (rates.high - rates.low).max() < 0.2


def test_planted_rates_of_three_classes_are_found(make, three) -> None:
    """Every entry is within .05, inside its interval."""
    data = make(rows=9000, distance=4, given_true=three)
    rates = estimate(data.labels, data.probability)
    np.testing.assert_allclose(rates.given_true, three, atol=0.05)
    assert ((rates.low <= three) & (three <= rates.high)).all()


def test_the_interval_covers_the_truth_where_the_anchors_are_impure(make) -> None:
    """Classes that overlap bend the rate upwards; over 60 data sets the interval still covers it in 9 of 10."""
    covered = 0
    for seed in range(60):
        data = make(seed, rows=10_000, distance=1.5)
        rates = estimate(data.labels, data.probability)
        inside = (rates.low <= data.given_true) & (data.given_true <= rates.high)
        covered += int(inside[0, 1]) + int(inside[1, 0])
    assert covered >= 108


def test_a_rare_class_has_anchors_of_its_own(make) -> None:
    """Of a class of 4%, half is taken and not a tenth of all rows: 5% of errors elsewhere do not pass for its own."""
    rates = [
        estimate(data.labels, data.probability).given_true[1, 0]
        for data in (make(seed, distance=4.5, shares=[0.96, 0.04]) for seed in range(10))
    ]
    assert np.mean(rates) == pytest.approx(0.2, abs=0.04)


@given(st.integers(0, 120), st.integers(2, 5), st.integers(0, 10_000))
def test_any_estimate_can_be_inverted(rows, classes, seed) -> None:
    """Whatever labels and probabilities are, rows sum to 1, every true label stays likeliest, intervals hold the value."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, rng.integers(1, classes + 1), rows)
    rates = estimate(labels, rng.dirichlet(np.ones(classes), rows))
    np.testing.assert_allclose(rates.given_true.sum(axis=1), 1)
    assert (np.diagonal(rates.given_true) > 0.5).all()
    assert ((rates.low >= 0) & (rates.low <= rates.given_true)).all()
    assert ((rates.high <= 1) & (rates.high >= rates.given_true)).all()


def test_no_error_among_the_anchors_is_no_proof(make) -> None:
    """Perfect labels give rates near 0 but above it, with an interval from 0."""
    data = make(distance=6, given_true=np.eye(2))
    rates = estimate(data.labels, data.probability)
    assert 0 < rates.given_true[0, 1] < 0.002
    assert rates.low[0, 1] == 0
    assert rates.high[0, 1] > 0.003


def test_a_class_that_no_label_names_has_no_errors_and_no_certainty() -> None:
    """An unused class takes nothing from the others, and its interval says that nothing is known."""
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(3), 300)
    rates = estimate(probability[:, :2].argmax(axis=1), probability)
    assert rates.given_true[2].tolist() == [0, 0, 1]
    assert rates.low[2].tolist() == [0, 0, 0]
    assert rates.high[2].tolist() == [1, 1, 1]
