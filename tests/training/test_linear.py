"""Promises of the linear members."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from relabel.data.examples import Dense
from relabel.training import folds, linear
from relabel.training.folds import FoldPlan


def rows_of(seed, rows=300, width=6, classes=2, offset=0.0):
    """Rows whose class depends on the inputs, with their folds; the last tenth is in none."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, width)).astype(np.float32)
    labels = (x @ rng.normal(size=(width, classes)) + rng.normal(size=(rows, classes))).argmax(axis=1)
    labels[:classes] = np.arange(classes)
    fold = np.where(np.arange(rows) < 0.9 * rows, rng.integers(0, 3, rows), folds.NEVER).astype(np.int16)
    return Dense(x + np.float32(offset)), labels, FoldPlan(fold[None], 3, seed)


def predicted(features, labels, plan, weights=None, classes=2, **without):
    """The probabilities (N, C) of all rows."""
    weights = np.ones(labels.size, np.float32) if weights is None else weights
    return linear.out_of_fold(features, linear.summed(features, plan, labels, weights, classes), **without)


def scores_of_ridge(features, labels, plan, strength, weights):
    """scikit-learn's ridge regression, fold by fold, on inputs of deviation 1 over all training rows."""
    x, fold = features.array.astype(np.float64), plan.fold[0]
    used = fold != folds.NEVER
    mean = np.average(x[used], axis=0, weights=weights[used])
    x = x / np.sqrt(np.average((x[used] - mean) ** 2, axis=0, weights=weights[used]))
    named, scores = np.eye(2)[labels], np.zeros((labels.size, 2))
    models = []
    for number in range(plan.folds):
        own = used & (fold != number)
        models.append(Ridge(alpha=strength * weights[own].sum()).fit(x[own], named[own], weights[own]))
        scores[fold == number] = models[-1].predict(x[fold == number])
    scores[~used] = np.mean([model.predict(x[~used]) for model in models], axis=0)
    return scores


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_it_is_ridge_regression(offset) -> None:
    """Scores equal those of scikit-learn for one of the strengths, with weights, also far from the origin."""
    features, labels, plan = rows_of(0, offset=offset)
    weights = np.random.default_rng(1).uniform(0.2, 1, labels.size).astype(np.float32)
    logits = np.log(predicted(features, labels, plan, weights)) / linear.SHARPNESS
    ours = logits[:, 1] - logits[:, 0]
    gaps = []
    for strength in linear.STRENGTHS:
        theirs = scores_of_ridge(features, labels, plan, strength, weights)
        gaps.append(np.abs(ours - (theirs[:, 1] - theirs[:, 0])).max())
    assert min(gaps) < 2e-3
    assert np.sort(gaps)[1] > 1e-2


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_no_row_has_a_say_in_its_own_score(seed) -> None:
    """Whatever the label of a row, its own fold's scores stay as they are, at one strength."""
    features, labels, plan = rows_of(seed, rows=80)
    row = int(np.flatnonzero(plan.fold[0] == 0)[-1])
    other = labels.copy()
    other[row] = 1 - other[row]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear, "STRENGTHS", (1.0,))
        before, after = predicted(features, labels, plan), predicted(features, other, plan)
    same = plan.fold[0] == 0
    np.testing.assert_allclose(after[same], before[same], atol=1e-9)
    assert not np.allclose(after[~same], before[~same], atol=1e-9)


def test_a_fold_can_be_left_out_of_all_models(monkeypatch) -> None:
    """Without a fold, nothing of its labels is in any score, at one strength."""
    monkeypatch.setattr(linear, "STRENGTHS", (1.0,))
    features, labels, plan = rows_of(3)
    turned = np.where(plan.fold[0] == 1, 1 - labels, labels)
    np.testing.assert_array_equal(
        predicted(features, labels, plan, without=1), predicted(features, turned, plan, without=1)
    )


def test_rows_of_no_weight_have_no_say() -> None:
    """Probabilities are those of a plan without such rows."""
    features, labels, plan = rows_of(4)
    weights = (np.arange(labels.size) % 5 > 0).astype(np.float32)
    turned = np.where(weights > 0, labels, 1 - labels)
    np.testing.assert_array_equal(
        predicted(features, labels, plan, weights), predicted(features, turned, plan, weights)
    )


def test_three_classes_and_constant_columns_are_fine() -> None:
    """Probabilities sum to 1, name the right class mostly, and a column that never varies says nothing."""
    features, labels, plan = rows_of(5, rows=2000, classes=3)
    constant = Dense(np.concatenate([features.array, np.full((2000, 1), 7, np.float32)], axis=1))
    probability = predicted(constant, labels, plan, classes=3)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert (probability.argmax(axis=1) == labels).mean() > 0.7
    np.testing.assert_allclose(probability, predicted(features, labels, plan, classes=3), atol=1e-5)


def test_more_noise_asks_for_more_strength() -> None:
    """With many inputs and few rows a strong regularisation is chosen: accuracy is near that of the best strength."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 200)).astype(np.float32)
    truth = (x[:, :5].sum(axis=1) > 0).astype(np.int64)
    labels = np.where(rng.random(400) < 0.25, 1 - truth, truth)
    plan = FoldPlan(rng.integers(0, 5, (1, 400)).astype(np.int16), 5, 0)

    def accuracy() -> float:
        return float((predicted(Dense(x), labels, plan).argmax(axis=1) == truth).mean())

    chosen, each = accuracy(), []
    for strength in linear.STRENGTHS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(linear, "STRENGTHS", (strength,))
            each.append(accuracy())
    assert chosen > max(each) - 0.03
