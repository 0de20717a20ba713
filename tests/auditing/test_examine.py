"""Promises of the audit, on data whose truth is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from relabel.auditing import anchors, confident
from relabel.auditing.examine import UNDOUBTED, Audit, examine, worst, worst_first
from relabel.auditing.noise import Estimate, NoiseRates
from relabel.errors import AlgorithmError


def audited(data, **masks) -> Audit:
    """The audit that knows what can be known of made data."""
    return examine(data.labels, data.known, **{"training": data.all(), "trusted": data.none(), **masks})


def test_the_posterior_is_calibrated(make) -> None:
    """Among rows with a posterior near q, about the share q of the labels is wrong, and so is their number in all."""
    data = make(rows=40_000)
    audit = audited(data)
    edges = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.01])
    for low, high in itertools.pairwise(edges):
        inside = (audit.posterior >= low) & (audit.posterior < high)
        said = audit.posterior[inside].mean()
        allowed = 0.015 + 3 * np.sqrt(said * (1 - said) / inside.sum())
        assert data.wrong[inside].mean() == pytest.approx(said, abs=allowed)
    assert audit.expected == pytest.approx(data.wrong.sum(), rel=0.05)


@pytest.mark.parametrize("distance", [2.0, 3.0])
def test_it_finds_more_errors_than_self_confidence_under_asymmetric_noise(make, distance) -> None:
    """The area under precision and recall of the flips is larger by .05 at least."""
    data = make(distance=distance)
    plain = average_precision_score(data.wrong, -confident.self_confidence(data.labels, data.probability))
    assert average_precision_score(data.wrong, audited(data).doubt) > plain + 0.05


def test_three_classes_are_audited_as_two_are(make, three) -> None:
    """Expected number within 5%, better than self-confidence, and the suggested label is mostly the true one."""
    data = make(rows=9000, distance=3, given_true=three)
    audit = audited(data)
    assert audit.expected == pytest.approx(data.wrong.sum(), rel=0.05)
    plain = average_precision_score(data.wrong, -confident.self_confidence(data.labels, data.probability))
    assert average_precision_score(data.wrong, audit.doubt) > plain
    found = audit.flagged & data.wrong
    assert (audit.suggested[found] == data.truth[found]).mean() > 0.9


def test_as_many_training_rows_are_flagged_as_errors_are_expected(make) -> None:
    """The flagged are the worst, in number the rounded sum of the posterior, and each is given another label."""
    data = make()
    training = np.arange(6000) < 5000
    audit = audited(data, training=training)
    assert audit.verdict.kind == "class_conditional"
    assert audit.expected == pytest.approx(audit.posterior[training].sum())
    assert audit.flagged[training].sum() == round(audit.expected)
    assert audit.posterior[training & audit.flagged].min() >= audit.posterior[training & ~audit.flagged].max()
    assert (audit.suggested[audit.flagged] != data.labels[audit.flagged]).all()
    assert set(worst(audit, training)) == set(np.flatnonzero(audit.flagged & training))


def test_other_rows_are_flagged_by_the_cut_of_the_training_rows(make) -> None:
    """Dev and test rows are flagged where they are at least as bad as the last flagged training row, and only there."""
    data = make()
    training = np.arange(6000) < 5000
    audit = audited(data, training=training)
    order = worst_first(audit.doubt, np.arange(6000))
    last = np.flatnonzero(audit.flagged[order] & training[order])[-1]
    assert audit.flagged[order[:last]].all()
    assert not audit.flagged[order[last + 1 :]].any()
    assert audit.flagged[~training].any()


def test_trusted_and_unlabelled_rows_are_never_doubted(make) -> None:
    """Their posterior is 0 and they are not flagged; trusted labels stand as suggested, and others get their likeliest class."""
    data = make()
    labels = data.labels.copy()
    trusted = np.arange(6000) < 500
    labels[500:1000] = -1
    audit = examine(labels, data.known, training=data.all(), trusted=trusted)
    assert (audit.posterior[:1000] == 0).all()
    assert not audit.flagged[:1000].any()
    assert (audit.doubt[:1000] == UNDOUBTED).all()
    assert (audit.suggested[trusted] == labels[trusted]).all()
    assert (audit.suggested[500:1000] == data.eta[500:1000].argmax(axis=1)).all()


def test_the_number_of_errors_comes_with_its_interval(make) -> None:
    """Over 60 data sets the interval of the expected number holds the true one in 54 at least, with exact rates."""
    held = 0
    for seed in range(60):
        data = make(seed, rows=2000, distance=2)
        audit = audited(data)
        held += audit.low <= data.wrong.sum() <= audit.high
    assert held >= 54


def test_rates_that_are_not_sure_widen_the_number_and_the_verdict(make) -> None:
    """With rates known to .02 only, both intervals are wider, and a small share of errors is unclear."""
    data = make(given_true=[[0.97, 0.03], [0.03, 0.97]])
    spread = np.diag([0.02**2, 0.02**2])
    sure = audited(data)
    unsure = examine(
        data.labels, Estimate(data.eta, data.known.rates, spread), training=data.all(), trusted=data.none()
    )
    assert sure.verdict.kind == "class_conditional"
    assert unsure.verdict.kind == "unclear"
    assert unsure.verdict.high - unsure.verdict.low == pytest.approx(2 * 1.96 * 0.02 / np.sqrt(2), rel=0.02)
    assert unsure.high - unsure.low > 1.2 * (sure.high - sure.low)


def test_labels_that_are_doubtful_because_rows_are_are_not_called_wrong(make) -> None:
    """Overlapping classes without noise are ambiguous: no errors expected, and every label that is not the likeliest is to be looked at."""
    data = make(distance=1.5, given_true=np.eye(2))
    audit = audited(data)
    assert audit.verdict.kind == "ambiguous"
    assert "no sign of wrong labels" in audit.verdict.sentence()
    assert audit.expected < 1
    np.testing.assert_array_equal(audit.flagged, data.eta.argmax(axis=1) != data.labels)
    assert audit.flagged.sum() > 100
    assert not worst(audit, data.all()).size


def test_duplicates_with_other_labels_speak_against_each_other(make) -> None:
    """Of two equal rows with two labels one is wrong: their posteriors sum to 1, where each alone would pass; equal labels change nothing."""
    data = make()
    unsure = np.array([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.6, 0.4]])
    labels, every = np.array([0, 1, 0, 0]), np.ones(4, bool)
    estimate = Estimate(unsure, data.known.rates, data.known.right)
    alone = examine(labels, estimate, training=every, trusted=~every)
    pairs = examine(labels, estimate, training=every, trusted=~every, group=np.array([0, 0, 1, 1]))
    assert pairs.posterior[:2].sum() == pytest.approx(1)
    assert (pairs.posterior[:2] > alone.posterior[:2]).all()
    assert (pairs.doubt[:2] > alone.doubt[:2]).all()
    np.testing.assert_allclose(pairs.posterior[2:], alone.posterior[2:])


def test_perfect_labels_are_left_alone(make) -> None:
    """Without noise and with classes apart there is none, and hardly a row is flagged."""
    data = make(distance=6, given_true=np.eye(2))
    audit = audited(data)
    assert audit.verdict.kind == "none"
    assert audit.flagged.mean() < 0.005


@settings(max_examples=50)
@given(st.integers(20, 80), st.integers(2, 4), st.integers(0, 10_000))
def test_the_order_of_rows_and_of_classes_does_not_matter(rows, classes, seed) -> None:
    """Permuted rows give permuted results, and so do permuted classes; all figures are within their bounds."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, classes, rows)
    eta = rng.dirichlet(np.ones(classes), rows)
    noise = 0.8 * np.eye(classes) + 0.2 * rng.dirichlet(np.ones(classes), classes)
    training, trusted = rng.random(rows) < 0.8, (rng.random(rows) < 0.1) & (labels >= 0)

    def estimate(eta, noise) -> Estimate:
        return Estimate(eta, NoiseRates(noise, noise, noise), np.zeros((classes, classes)))

    audit = examine(labels, estimate(eta, noise), training=training, trusted=trusted)
    assert ((audit.posterior >= 0) & (audit.posterior <= 1)).all()
    np.testing.assert_allclose(audit.clean.sum(axis=1), 1)
    doubted = (labels >= 0) & ~trusted
    np.testing.assert_allclose(audit.posterior[doubted], 1 - audit.clean[doubted, labels[doubted]], atol=1e-12)
    assert np.isfinite(audit.doubt).all()
    order = rng.permutation(rows)
    moved = examine(labels[order], estimate(eta[order], noise), training=training[order], trusted=trusted[order])
    np.testing.assert_allclose(moved.posterior, audit.posterior[order], atol=1e-9)
    np.testing.assert_array_equal(moved.flagged, audit.flagged[order])
    names = rng.permutation(classes)
    renamed = np.where(labels >= 0, names[labels], -1)
    columns = np.argsort(names)
    other = examine(
        renamed, estimate(eta[:, columns], noise[np.ix_(columns, columns)]), training=training, trusted=trusted
    )
    np.testing.assert_allclose(other.posterior, audit.posterior, atol=1e-9)
    np.testing.assert_array_equal(other.suggested, names[audit.suggested])


def test_anchors_are_enough_where_nothing_else_is_known(make) -> None:
    """From one model's probabilities of given labels alone, the number of errors is right within 20%, and the ranking nearly the best."""
    data = make(rows=9000, distance=3)
    estimate = anchors.estimate(data.labels, data.probability, data.all())
    audit = examine(data.labels, estimate, training=data.all(), trusted=data.none())
    assert audit.expected == pytest.approx(data.wrong.sum(), rel=0.2)
    best = average_precision_score(data.wrong, audited(data).doubt)
    assert average_precision_score(data.wrong, audit.doubt) > best - 0.03


def test_saturated_rows_are_still_told_apart() -> None:
    """Rows that anchors make surely wrong come in the order of the model's doubt, not of their position."""
    positive = np.concatenate([np.linspace(0.001, 0.05, 500), np.linspace(0.9, 0.999, 500)])
    labels = (np.arange(1000) >= 500).astype(np.int64)
    labels[[10, 20, 30, 985, 992, 999]] ^= 1
    every = np.ones(1000, bool)
    estimate = anchors.estimate(labels, np.stack([1 - positive, positive], axis=1), every)
    audit = examine(labels, estimate, training=every, trusted=~every)
    assert (audit.posterior[[985, 992, 999]] > 0.99).all()
    listed = worst_first(audit.doubt, np.arange(1000)).tolist()
    assert listed.index(999) < listed.index(992) < listed.index(985)


def test_too_little_to_learn_from_flags_nothing() -> None:
    """Without labelled training rows there are no rates, no errors expected and no flags."""
    nowhere = np.zeros(4, bool)
    labels = np.array([0, 1, 1, -1])
    estimate = anchors.estimate(labels, np.full((4, 2), 0.5), nowhere)
    audit = examine(labels, estimate, training=nowhere, trusted=nowhere)
    assert audit.expected == 0
    assert not audit.flagged.any()
    assert audit.verdict.kind == "unclear"


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.array([0, 1, 2])},
        {"labels": np.array([0.0, 1.0, 1.0])},
        {"training": np.ones(2, bool)},
        {"labels": np.array([-1, 0, 1]), "trusted": np.array([True, False, False])},
        {"eta": np.ones((3, 1))},
        {"eta": np.full((4, 2), 0.5)},
    ],
)
def test_inputs_that_do_not_fit_are_refused(change) -> None:
    """Labels outside the classes, other lengths, and trusted rows without a label are errors of the caller."""
    fine = {"labels": np.array([0, 1, 1]), "eta": np.full((3, 2), 0.5)}
    masks = {"training": np.ones(3, bool), "trusted": np.zeros(3, bool)}
    given = {**fine, **masks, **change}
    estimate = Estimate(given.pop("eta"), NoiseRates(*[np.eye(2)] * 3), np.zeros((2, 2)))
    with pytest.raises(AlgorithmError):
        examine(given.pop("labels"), estimate, **given)
