"""Promises of the noisy channel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from relabel.auditing import channel
from relabel.auditing.channel import MOST_ROWS, MOST_WRONG, _features, _possible, _Problem, _thinned


def logits_of(eta, scale=1.0) -> np.ndarray:
    """Probabilities (1, N, C) that are linear in the logits of the true classes, as a linear model's are, and not calibrated."""
    raised = eta**scale
    return (raised / raised.sum(axis=1, keepdims=True))[None]


@pytest.mark.parametrize("noise", [(0.05, 0.2), (0.1, 0.1), (0.3, 0.3), (0.02, 0.3)])
@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_planted_rates_are_found_whatever_the_scale_of_the_members(make, noise, scale) -> None:
    """Rates within .04, and probabilities of true labels within .05, from members that are too sure or not sure enough."""
    e0, e1 = noise
    data = make(rows=8000, given_true=[[1 - e0, e0], [e1, 1 - e1]])
    evidence = logits_of(data.eta, scale)
    found = channel.fit(data.labels, evidence)
    np.testing.assert_allclose(found.given_true, data.given_true, atol=0.04)
    np.testing.assert_allclose(found.true_given_input(evidence), data.eta, atol=0.06)


def test_planted_rates_of_three_classes_are_found(make, three) -> None:
    """Every entry is within .03."""
    data = make(rows=9000, distance=3, given_true=three)
    found = channel.fit(data.labels, logits_of(data.eta, 0.6))
    np.testing.assert_allclose(found.given_true, three, atol=0.03)


def test_the_errors_cover_the_truth(make) -> None:
    """Over 60 data sets, intervals of 1.96 deviations hold the planted rates in 9 of 10 cases, and are at most .08 wide."""
    held, widths = 0, []
    for seed in range(60):
        data = make(seed, distance=2)
        found = channel.fit(data.labels, logits_of(data.eta))
        reach = 1.96 * found.deviation
        held += int((np.abs(found.given_true - data.given_true) <= reach)[~np.eye(2, dtype=bool)].sum())
        widths.append(2 * reach[0, 1])
    assert held >= 108
    assert np.mean(widths) < 0.08


def test_duplicates_widen_the_errors(make) -> None:
    """Rows that are there four times tell no more than once: the deviation is that of the single rows, and not half of it."""
    data = make(rows=3000)
    once = channel.fit(data.labels, logits_of(data.eta))
    many = channel.fit(np.tile(data.labels, 4), np.tile(logits_of(data.eta), (1, 4, 1)), np.tile(np.arange(3000), 4))
    deviation = [found.deviation[0, 1] for found in (once, many)]
    assert deviation[1] == pytest.approx(deviation[0], rel=0.1)


def test_a_member_counts_for_what_it_explains(make) -> None:
    """Beside a good member, one of pure chance changes nothing: the probabilities stay within .03."""
    data = make(rows=8000)
    good = logits_of(data.eta)
    chance = np.random.default_rng(1).dirichlet([1, 1], 8000)[None]
    alone, beside = channel.fit(data.labels, good), channel.fit(data.labels, np.concatenate([good, chance]))
    np.testing.assert_allclose(
        beside.true_given_input(np.concatenate([good, chance])), alone.true_given_input(good), atol=0.03
    )


def test_known_noise_stays_as_it_is(make) -> None:
    """Where the noise is given, only the members are weighed, and nothing about it is uncertain."""
    data = make()
    found = channel.fit(data.labels, logits_of(data.eta, 3.0), given_true=data.given_true)
    np.testing.assert_array_equal(found.given_true, data.given_true)
    assert not found.deviation.any()
    np.testing.assert_allclose(found.true_given_input(logits_of(data.eta, 3.0)), data.eta, atol=0.05)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_the_gradient_is_that_of_the_loss(classes, members, seed) -> None:
    """It agrees with finite differences to 1e-5, wherever one looks and whichever true labels are known."""
    rng = np.random.default_rng(seed)
    labels, evidence = rng.integers(0, classes, 50), rng.dirichlet(np.ones(classes), (members, 50))
    possible = _possible(rng.integers(-1, classes, 50), classes)
    problem = _Problem(labels, _features(evidence, np.ones(members)), possible, members, None)
    at = problem.start() + 0.3 * rng.normal(size=problem.start().size)
    assert check_grad(lambda v: problem.loss(v)[0], lambda v: problem.loss(v)[1], at) < 1e-5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(2, 4), st.integers(1, 2), st.integers(0, 10_000))
def test_any_data_gives_a_channel(rows, classes, members, seed) -> None:
    """However little there is: rates are distributions that stay invertible, and probabilities sum to 1."""
    rng = np.random.default_rng(seed)
    labels, evidence = rng.integers(0, classes, rows), rng.dirichlet(np.full(classes, 0.3), (members, rows))
    found = channel.fit(labels, evidence)
    np.testing.assert_allclose(found.given_true.sum(axis=1), 1)
    assert np.diagonal(found.given_true).min() >= 1 - MOST_WRONG - 1e-9
    np.testing.assert_allclose(found.true_given_input(evidence).sum(axis=1), 1)
    assert np.isfinite(found.deviation).all()
    assert np.isfinite(found.right).all()


def test_true_labels_that_are_known_sharpen_the_rates(make) -> None:
    """With half of the rows verified, standard errors are smaller, and cover the truth; with all, rates are what one counts."""
    data = make(rows=6000, distance=1.5)
    evidence = logits_of(data.eta)
    plain = channel.fit(data.labels, evidence)
    half = channel.fit(data.labels, evidence, truth=np.where(np.arange(6000) % 2, data.truth, -1))
    every = channel.fit(data.labels, evidence, truth=data.truth)
    assert (half.deviation < 0.5 * plain.deviation).all()
    assert (np.abs(half.given_true - data.given_true) < 3 * half.deviation).all()
    counted = [np.bincount(data.labels[data.truth == label], minlength=2) for label in (0, 1)]
    np.testing.assert_allclose(every.given_true, [row / row.sum() for row in counted], atol=0.005)


def test_many_classes_are_judged_one_by_one(make) -> None:
    """With 24 classes the errors fit into memory, and are nearly those that are judged together."""
    noise = 0.7 * np.eye(24) + 0.3 * np.roll(np.eye(24), 1, axis=1)
    data = make(rows=6000, distance=6, given_true=noise)
    found = channel.fit(data.labels, logits_of(data.eta))
    wrong = found.given_true[np.arange(24), (np.arange(24) + 1) % 24]
    np.testing.assert_allclose(wrong, 0.3, atol=0.12)
    assert 0.015 < found.deviation[np.arange(24), (np.arange(24) + 1) % 24].mean() < 0.05
    few = make(rows=6000, distance=6, given_true=[[0.9, 0.1], [0.3, 0.7]])
    with pytest.MonkeyPatch.context() as patch:
        together = channel.fit(few.labels, logits_of(few.eta)).deviation
        patch.setattr(channel, "MOST_NUMBERS", 0)
        alone = channel.fit(few.labels, logits_of(few.eta)).deviation
    np.testing.assert_allclose(alone, together, rtol=0.15)


def test_the_order_of_rows_and_classes_does_not_matter(make, three) -> None:
    """Permuted rows and classes give the same rates, permuted, to 1e-3."""
    data = make(rows=4000, given_true=three)
    rng = np.random.default_rng(0)
    order, names = rng.permutation(4000), np.array([2, 0, 1])
    columns = np.argsort(names)
    plain = channel.fit(data.labels, logits_of(data.eta))
    moved = channel.fit(names[data.labels[order]], logits_of(data.eta[order][:, columns]))
    np.testing.assert_allclose(moved.given_true, plain.given_true[np.ix_(columns, columns)], atol=1e-3)


def test_many_rows_are_thinned_without_regard_to_their_order() -> None:
    """Of 10 times as many rows about MOST_ROWS are taken, always the same, as many from any period of the data."""
    taken = _thinned(10 * MOST_ROWS)
    assert taken.size == pytest.approx(MOST_ROWS, rel=0.01)
    np.testing.assert_array_equal(taken, _thinned(10 * MOST_ROWS))
    for period in (2, 7, 10):
        counts = np.bincount(taken % period)
        assert counts.min() > 0.95 * counts.max()
    np.testing.assert_array_equal(_thinned(5), np.arange(5))
