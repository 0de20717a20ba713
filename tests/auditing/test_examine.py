"""Promises of the audit, on data whose truth is known."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from relabel.auditing import confident
from relabel.auditing.examine import UNDOUBTED, examine, worst, worst_first
from relabel.errors import AlgorithmError, UserError


def rank(audit) -> np.ndarray:
    """The place (N,) of each row, higher is worse."""
    place = np.empty(audit.posterior.size)
    place[worst_first(audit.posterior, audit.margin, np.arange(place.size))] = -np.arange(place.size)
    return place


def test_the_posterior_is_calibrated(make) -> None:
    """Among rows with a posterior near q, about the share q of the labels is wrong, and so is their number in all."""
    data = make(rows=40_000)
    audit = examine(data.labels, data.probability, training=data.all(), trusted=data.none())
    edges = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.01])
    for low, high in itertools.pairwise(edges):
        inside = (audit.posterior >= low) & (audit.posterior < high)
        said = audit.posterior[inside].mean()
        allowed = 0.015 + 3 * np.sqrt(said * (1 - said) / inside.sum())
        assert data.wrong[inside].mean() == pytest.approx(said, abs=allowed)
    assert audit.expected == pytest.approx(data.wrong.sum(), rel=0.05)
    assert audit.temperature == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("distance", [2.0, 3.0])
def test_it_finds_more_errors_than_self_confidence_under_asymmetric_noise(make, distance) -> None:
    """The area under precision and recall of the flips is larger by .05 at least."""
    data = make(distance=distance)
    audit = examine(data.labels, data.probability, training=data.all(), trusted=data.none())
    plain = average_precision_score(data.wrong, -confident.self_confidence(data.labels, data.probability))
    assert average_precision_score(data.wrong, rank(audit)) > plain + 0.05


def test_three_classes_are_audited_as_two_are(make, three) -> None:
    """Expected number within 15%, better than self-confidence, and the suggested label is mostly the true one."""
    data = make(rows=9000, distance=3, given_true=three)
    audit = examine(data.labels, data.probability, training=data.all(), trusted=data.none())
    assert audit.expected == pytest.approx(data.wrong.sum(), rel=0.15)
    plain = average_precision_score(data.wrong, -confident.self_confidence(data.labels, data.probability))
    assert average_precision_score(data.wrong, rank(audit)) > plain
    found = audit.flagged & data.wrong
    assert (audit.suggested[found] == data.truth[found]).mean() > 0.9


def test_as_many_training_rows_are_flagged_as_errors_are_expected(make) -> None:
    """The flagged are the worst, in number the rounded sum of the posterior, and each is given another label."""
    data = make()
    training = np.arange(6000) < 5000
    audit = examine(data.labels, data.probability, training=training, trusted=data.none())
    assert audit.expected == pytest.approx(audit.posterior[training].sum())
    assert audit.flagged[training].sum() == round(audit.expected)
    assert audit.posterior[training & audit.flagged].min() >= audit.posterior[training & ~audit.flagged].max()
    assert (audit.suggested[audit.flagged] != data.labels[audit.flagged]).all()
    np.testing.assert_array_equal(worst(audit, training), np.flatnonzero(audit.flagged & training))


def test_other_rows_are_flagged_by_the_cut_of_the_training_rows(make) -> None:
    """Dev and test rows are flagged where they are at least as bad as the last flagged training row, and only there."""
    data = make()
    training = np.arange(6000) < 5000
    audit = examine(data.labels, data.probability, training=training, trusted=data.none())
    order = worst_first(audit.posterior, audit.margin, np.arange(6000))
    last = np.flatnonzero(audit.flagged[order] & training[order])[-1]
    assert audit.flagged[order[:last]].all()
    assert not audit.flagged[order[last + 1 :]].any()
    assert audit.flagged[~training].any()


def test_nothing_is_learned_from_rows_outside_training(make) -> None:
    """Whatever the labels of dev and test rows are, rates, expected number and training posteriors stay the same."""
    data = make()
    training = np.arange(6000) < 5000
    audit = examine(data.labels, data.probability, training=training, trusted=data.none())
    turned = np.where(training, data.labels, 1 - data.labels)
    other = examine(turned, data.probability, training=training, trusted=data.none())
    np.testing.assert_array_equal(audit.posterior[training], other.posterior[training])
    np.testing.assert_array_equal(audit.noise.given_true, other.noise.given_true)
    assert audit.expected == other.expected


def test_trusted_and_unlabelled_rows_are_never_doubted(make) -> None:
    """Their posterior is 0, they are not flagged, and nothing is learned from them; trusted labels stand as suggested."""
    data = make()
    labels = data.labels.copy()
    trusted = np.arange(6000) < 500
    labels[500:1000] = -1
    audit = examine(labels, data.probability, training=data.all(), trusted=trusted)
    assert (audit.posterior[:1000] == 0).all()
    assert not audit.flagged[:1000].any()
    assert (audit.margin[:1000] == UNDOUBTED).all()
    assert (audit.suggested[trusted] == labels[trusted]).all()
    assert (audit.suggested[500:1000] == data.eta[500:1000].argmax(axis=1)).mean() > 0.95
    rest = slice(1000, None)
    alone = examine(labels[rest], data.probability[rest], training=data.all()[rest], trusted=data.none()[rest])
    np.testing.assert_allclose(audit.posterior[rest], alone.posterior)
    np.testing.assert_array_equal(audit.flagged[rest], alone.flagged)


def test_a_refit_that_is_too_sure_is_softened_until_its_count_is_right(make) -> None:
    """The second pass keeps the first's rates, and tempers probabilities of true labels to a calibrated posterior."""
    data = make(rows=20_000, distance=1.8)
    first = examine(data.labels, data.probability, training=data.all(), trusted=data.none())
    sure = data.eta**3 / (data.eta**3).sum(axis=1, keepdims=True)
    second = examine(data.labels, sure, training=data.all(), trusted=data.none(), first=first)
    assert second.noise is first.noise
    assert second.temperature == pytest.approx(3, rel=0.2)
    assert second.expected == pytest.approx(first.expected, rel=0.1)
    untempered = dataclasses.replace(first, posterior=posterior_at(data, sure, first.noise.given_true))
    assert error(second, data.wrong) < error(untempered, data.wrong)


def posterior_at(data, eta, given_true) -> np.ndarray:
    """The error posterior (N,) of two classes if eta were the truth."""
    other = np.take_along_axis(eta, 1 - data.labels[:, None], axis=1)[:, 0]
    wrong = given_true[1 - data.labels, data.labels] * other
    return wrong / (wrong + given_true[data.labels, data.labels] * (1 - other))


def error(audit, wrong) -> float:
    """Mean squared error of the posterior."""
    return float(((audit.posterior - wrong) ** 2).mean())


def test_perfect_labels_are_left_alone(make) -> None:
    """Without noise and with classes apart, hardly anything is flagged."""
    data = make(distance=5, given_true=np.eye(2))
    assert examine(data.labels, data.probability, training=data.all(), trusted=data.none()).flagged.mean() < 0.005


def test_saturated_rows_are_still_told_apart() -> None:
    """Rows that are all surely wrong come in the order of the model's doubt, not of their position."""
    positive = np.concatenate([np.linspace(0.001, 0.05, 500), np.linspace(0.9, 0.999, 500)])
    labels = (np.arange(1000) >= 500).astype(np.int64)
    labels[[10, 20, 30, 985, 992, 999]] ^= 1
    probability = np.stack([1 - positive, positive], axis=1)
    audit = examine(labels, probability, training=np.ones(1000, bool), trusted=np.zeros(1000, bool))
    assert (audit.posterior[[985, 992, 999]] == 1).all()
    listed = worst_first(audit.posterior, audit.margin, np.arange(1000)).tolist()
    assert listed.index(999) < listed.index(992) < listed.index(985)


@settings(max_examples=50)
@given(st.integers(20, 80), st.integers(2, 4), st.integers(0, 10_000))
def test_the_order_of_rows_and_of_classes_does_not_matter(rows, classes, seed) -> None:
    """Permuted rows give permuted results, and so do permuted classes; all figures are within their bounds."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, classes, rows)
    probability = rng.dirichlet(np.ones(classes), rows)
    training, trusted = rng.random(rows) < 0.8, (rng.random(rows) < 0.1) & (labels >= 0)
    audit = examine(labels, probability, training=training, trusted=trusted)
    assert ((audit.posterior >= 0) & (audit.posterior <= 1)).all()
    np.testing.assert_allclose(audit.clean.sum(axis=1), 1)
    doubted = (labels >= 0) & ~trusted
    np.testing.assert_allclose(audit.posterior[doubted], 1 - audit.clean[doubted, labels[doubted]], atol=1e-12)
    assert np.isfinite(audit.margin).all()
    order = rng.permutation(rows)
    moved = examine(labels[order], probability[order], training=training[order], trusted=trusted[order])
    np.testing.assert_allclose(moved.posterior, audit.posterior[order], atol=1e-9)
    np.testing.assert_array_equal(moved.flagged, audit.flagged[order])
    names = rng.permutation(classes)
    renamed = np.where(labels >= 0, names[labels], -1)
    columns = np.argsort(names)
    other = examine(renamed, probability[:, columns], training=training, trusted=trusted)
    np.testing.assert_allclose(other.posterior, audit.posterior, atol=1e-9)
    np.testing.assert_array_equal(other.suggested, names[audit.suggested])
    np.testing.assert_allclose(other.noise.given_true, audit.noise.given_true[np.ix_(columns, columns)], atol=1e-12)


def test_too_little_to_learn_from_flags_nothing() -> None:
    """Without labelled training rows there are no rates, no errors expected and no flags."""
    probability = np.full((4, 2), 0.5)
    nowhere = np.zeros(4, bool)
    audit = examine(np.array([0, 1, 1, -1]), probability, training=nowhere, trusted=nowhere)
    assert audit.expected == 0
    assert not audit.flagged.any()


def test_a_row_of_nan_stops_the_audit() -> None:
    """One bad row is an error with its place, never a silent result."""
    probability = np.full((4, 2), 0.5)
    probability[2] = np.nan
    with pytest.raises(UserError, match="counted from 0: 2"):
        examine(np.array([0, 1, 1, 0]), probability, training=np.ones(4, bool), trusted=np.zeros(4, bool))


@pytest.mark.parametrize(
    "change",
    [
        {"labels": np.array([0, 1, 2])},
        {"labels": np.array([0.0, 1.0, 1.0])},
        {"training": np.ones(2, bool)},
        {"labels": np.array([-1, 0, 1]), "trusted": np.array([True, False, False])},
        {"probability": np.ones((3, 1))},
    ],
)
def test_inputs_that_do_not_fit_are_refused(change) -> None:
    """Labels outside the classes, other lengths, and trusted rows without a label are errors of the caller."""
    fine = {"labels": np.array([0, 1, 1]), "probability": np.full((3, 2), 0.5)}
    masks = {"training": np.ones(3, bool), "trusted": np.zeros(3, bool)}
    with pytest.raises(AlgorithmError):
        examine(**{**fine, **masks, **change})
