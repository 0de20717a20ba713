"""Promises of the metrics of one model."""

import json

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

from relabel.errors import AlgorithmError
from relabel.evaluation.metrics import BINS, mean, reliability, score


def drawn(seed: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that are right more often than not."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    probability = rng.dirichlet(np.full(classes, 0.5), rows) + 1e-4
    probability[np.arange(rows), labels] += rng.random(rows)
    return labels, probability / probability.sum(axis=1, keepdims=True)


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 4))
def test_figures_are_those_of_scikit_learn(seed, rows, classes) -> None:
    """Accuracy, macro F1, log loss, confusion and every figure per class agree with an independent implementation."""
    labels, probability = drawn(seed, rows, classes)
    scores, predicted, every = score(labels, probability), probability.argmax(axis=1), list(range(classes))
    assert scores.accuracy == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))
    assert scores.macro_f1 == pytest.approx(sklearn.metrics.f1_score(labels, predicted, average="macro"))
    assert scores.log_loss == pytest.approx(sklearn.metrics.log_loss(labels, probability, labels=every))
    assert (scores.confusion == sklearn.metrics.confusion_matrix(labels, predicted, labels=every)).all()
    theirs = sklearn.metrics.precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)
    ours = scores.per_class
    for mine, other in zip((ours.precision, ours.recall, ours.f1, ours.support), theirs, strict=True):
        np.testing.assert_allclose(mine, other)


def test_calibration_error_is_the_gap_of_each_bin_weighted_by_its_rows() -> None:
    """ECE agrees with the definition written as a loop over the bins."""
    labels, probability = drawn(0, 500, 3)
    top, right = probability.max(axis=1), probability.argmax(axis=1) == labels
    total = 0.0
    for k in range(BINS):
        inside = (top >= k / BINS) & (top < (k + 1) / BINS)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - top[inside].mean())
    assert score(labels, probability).ece == pytest.approx(total / labels.size)


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(2, 4))
def test_the_bins_of_reliability_make_up_the_calibration_error(seed, rows, classes) -> None:
    """They hold every row once, each inside its bounds, and their gaps, weighted by their rows, are the ECE."""
    labels, probability = drawn(seed, rows, classes)
    bins = reliability(labels, probability)
    assert sum(bin_.rows for bin_ in bins) == rows
    assert all(bin_.low <= bin_.confidence <= bin_.high + 1e-12 for bin_ in bins)
    gap = sum(bin_.rows * abs(bin_.accuracy - bin_.confidence) for bin_ in bins) / rows
    assert gap == pytest.approx(score(labels, probability).ece)
    assert sum(bin_.rows * bin_.accuracy for bin_ in bins) == pytest.approx(score(labels, probability).accuracy * rows)


def test_certainty_has_a_bin_and_a_bounded_loss() -> None:
    """Probabilities of exactly 0 and 1 count: a sure error costs 34.5 nats, and a sure hit nothing."""
    certain = np.array([[0.0, 1.0], [0.0, 1.0]])
    scores = score(np.array([1, 0]), certain)
    assert scores.ece == pytest.approx(0.5)
    assert scores.log_loss == pytest.approx(-np.log(1e-15) / 2)


@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_figures_are_over_rows_and_not_means_of_batch_means(metric) -> None:
    """A short last batch weighs as many rows as it has."""
    labels, probability = drawn(1, 33, 2)
    whole = getattr(score(labels, probability), metric)
    first, last = (getattr(score(labels[part], probability[part]), metric) for part in (slice(32), slice(32, 33)))
    assert whole == pytest.approx((32 * first + last) / 33)
    assert whole != pytest.approx((first + last) / 2)


def test_a_class_that_never_occurs_does_not_dilute_macro_f1() -> None:
    """Macro F1 averages over the classes among labels or predictions."""
    sure = np.eye(3)[[0, 1, 0, 1]]
    scores = score(np.array([0, 1, 0, 1]), sure)
    assert scores.macro_f1 == 1.0
    assert scores.per_class.f1.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("labels", "rows"),
    [
        pytest.param([0, -1], 2, id="unlabelled"),
        pytest.param([0, 2], 2, id="no such class"),
        pytest.param([0], 2, id="shape"),
        pytest.param([], 0, id="empty"),
    ],
)
def test_what_cannot_be_scored_is_refused(labels, rows) -> None:
    """Unlabelled rows are never counted, as right or as wrong."""
    with pytest.raises(AlgorithmError):
        score(np.array(labels, dtype=np.int64), np.full((rows, 2), 0.5))


def test_a_mean_of_models_averages_every_figure() -> None:
    """Means are over models, on the same rows and supports."""
    labels, one = drawn(2, 50, 2)
    _, two = drawn(3, 50, 2)
    both = mean((score(labels, one), score(labels, two)))
    assert both.accuracy == pytest.approx((score(labels, one).accuracy + score(labels, two).accuracy) / 2)
    assert both.confusion.sum() == both.rows == 50
    np.testing.assert_array_equal(both.per_class.support, np.bincount(labels))


def test_scores_can_be_written_as_json() -> None:
    """The dictionary holds plain numbers only, the counts as whole ones."""
    labels, probability = drawn(4, 20, 2)
    read = json.loads(json.dumps(score(labels, probability).as_dict(), allow_nan=False))
    assert read["rows"] == 20
    assert sum(map(sum, read["confusion"])) == 20
    assert set(read["per_class"]) == {"precision", "recall", "f1", "support"}
