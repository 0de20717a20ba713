"""Promises of the error posterior's parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.auditing import posterior

rates = st.floats(0.001, 0.45)
seeds = st.integers(0, 10_000)


def drawn(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and noise rates."""
    rng = np.random.default_rng(seed)
    wrong = rng.dirichlet(np.ones(classes), classes) * rng.uniform(0.01, 0.49, (classes, 1)) * (1 - np.eye(classes))
    given_true = wrong + np.diag(1 - wrong.sum(axis=1))
    return rng.integers(0, classes, rows), rng.dirichlet(np.full(classes, 0.5), rows), given_true


@given(rates, rates, seeds)
def test_two_classes_follow_the_closed_form(e0, e1, seed) -> None:
    """The general code equals the two-class formulas for eta and for the posterior to 1e-12."""
    labels, probability, _ = drawn(seed, 50, 2)
    given_true = np.array([[1 - e0, e0], [e1, 1 - e1]])
    eta = ((probability[:, 1] - e0) / (1 - e0 - e1)).clip(0, 1)
    of_zero = e1 * eta / (e1 * eta + (1 - e0) * (1 - eta))
    of_one = e0 * (1 - eta) / (e0 * (1 - eta) + (1 - e1) * eta)
    ours = posterior.true_given_input(probability, given_true)
    clean = posterior.true_given_both(ours, labels, given_true)
    np.testing.assert_allclose(ours[:, 1], eta, atol=1e-12, rtol=0)
    wrong = clean[np.arange(50), 1 - labels]
    np.testing.assert_allclose(wrong, np.where(labels == 0, of_zero, of_one), atol=1e-12, rtol=0)


@given(st.integers(2, 6), seeds)
def test_noise_is_undone_exactly_where_that_is_possible(classes, seed) -> None:
    """Probabilities that come from true ones through the noise give the true ones back."""
    _, eta, given_true = drawn(seed, 30, classes)
    np.testing.assert_allclose(posterior.true_given_input(eta @ given_true, given_true), eta, atol=1e-9)


@given(st.integers(2, 6), seeds)
def test_true_labels_are_distributions(classes, seed) -> None:
    """They are within [0, 1] with the sum 1; for an unlabelled row they are eta."""
    labels, eta, given_true = drawn(seed, 30, classes)
    labels[:5] = -1
    clean = posterior.true_given_both(eta, labels, given_true)
    assert clean.min() >= 0
    np.testing.assert_allclose(clean.sum(axis=1), 1)
    np.testing.assert_allclose(clean[:5], eta[:5])


def test_an_impossible_label_tells_nothing() -> None:
    """Where no likely class is ever given this label, the input alone decides, without NaN."""
    clean = posterior.true_given_both(np.array([[1.0, 0.0]]), np.array([1]), np.eye(2))
    assert clean.tolist() == [[1.0, 0.0]]


@given(st.integers(2, 5), seeds)
def test_the_log_odds_are_the_logit_of_the_posterior(classes, seed) -> None:
    """They say the same as the posterior; without noise rates, how likely another label is than the given one."""
    labels, eta, given_true = drawn(seed, 30, classes)
    clean = posterior.true_given_both(eta, labels, given_true)
    wrong = 1 / (1 + np.exp(-posterior.log_odds(eta, labels, given_true)))
    np.testing.assert_allclose(wrong, 1 - clean[np.arange(30), labels], atol=1e-9)
    other = 1 / (1 + np.exp(-posterior.log_odds(eta, labels, np.ones((classes, classes)))))
    np.testing.assert_allclose(other, 1 - eta[np.arange(30), labels], atol=1e-9)


def test_the_log_odds_tell_saturated_rows_apart() -> None:
    """Rows that are all surely wrong, to the last digit, are still ordered, with finite values even at 0 and 1."""
    doubt = np.array([1e-17, 1e-18, 0.0])
    eta = np.stack([doubt, 1 - doubt], axis=1)
    labels, given_true = np.zeros(3, np.int64), np.array([[0.9, 0.1], [0.2, 0.8]])
    assert (posterior.true_given_both(eta, labels, given_true)[:, 1] == 1).all()
    odds = posterior.log_odds(eta, labels, given_true)
    assert (np.diff(odds) > 0).all()
    assert np.isfinite(odds).all()


@pytest.mark.parametrize("through_noise", [False, True])
@pytest.mark.parametrize("sharpened", [1.5, 3.0])
def test_overconfidence_is_measured(make, through_noise, sharpened) -> None:
    """Probabilities raised to a power are found to be too sure by that power, directly or through the noise."""
    data = make(rows=20_000, distance=1.5)
    exact = data.eta if through_noise else data.probability
    sure = exact**sharpened / (exact**sharpened).sum(axis=1, keepdims=True)
    found = posterior.temperature(data.labels, sure, data.given_true if through_noise else np.eye(2))
    assert found == pytest.approx(sharpened, rel=0.1)
    np.testing.assert_allclose(posterior.softened(sure, found), exact, atol=0.05)


def test_probabilities_are_never_sharpened(make) -> None:
    """A model that is less sure than it could be stays as it is, exactly."""
    data = make(distance=1.5)
    unsure = 0.5 * data.probability + 0.25
    assert posterior.temperature(data.labels, unsure, np.eye(2)) == 1.0
    assert posterior.softened(unsure, 1.0) is unsure
