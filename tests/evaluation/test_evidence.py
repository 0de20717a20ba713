"""Promises of the choice between treatments."""

import numpy as np
import pytest

from relabel.errors import AlgorithmError
from relabel.evaluation import evidence

NOISE = np.array([[0.95, 0.05], [0.20, 0.80]])


def rows_of(seed, rows=4000, noise=NOISE):
    """Labels given through noise, true ones, and P(true | x)."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(size=rows) * 2
    eta = np.stack([1 - 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-logit))], axis=1)
    truth = (rng.random(rows) < eta[:, 1]).astype(np.int64)
    given = (rng.random(rows) < noise[truth, 1]).astype(np.int64)
    return given, truth, eta


def choose(labels, before, after, *, noise=NOISE, group=None, verified=None):
    """Choose, each row its own group and none verified unless told."""
    group = np.arange(labels.size) if group is None else group
    verified = np.zeros(labels.size, bool) if verified is None else verified
    return evidence.choose(labels, before, after, group, noise=noise, verified=verified)


def test_a_model_of_true_labels_beats_one_of_given_labels() -> None:
    """Under asymmetric noise the better model is worse on the labels as given, and is chosen all the same."""
    given, truth, eta = rows_of(0)
    choice = choose(given, eta @ NOISE, {"clean": eta})
    trial = choice.trials["clean"]
    assert choice.outcome == "treated"
    assert choice.best == "clean"
    assert trial.log_loss.low > 0
    gain = (eta.argmax(axis=1) == truth).mean() - ((eta @ NOISE).argmax(axis=1) == truth).mean()
    assert trial.accuracy.low <= gain <= trial.accuracy.high
    assert trial.plain.value < trial.accuracy.value


def test_without_a_difference_nothing_is_chosen() -> None:
    """Models that differ by chance alone are kept for lack of evidence in 57 of 60 data sets at least, though four are tried."""
    kept = 0
    for seed in range(60):
        given, _, eta = rows_of(seed, rows=500)
        rng = np.random.default_rng(seed)
        after = {}
        for name in "abcd":
            sharper = eta ** np.exp(0.2 * rng.normal(size=(500, 1)))
            after[name] = sharper / sharper.sum(axis=1, keepdims=True)
        kept += choose(given, eta, after).outcome != "treated"
    assert kept >= 57


def test_what_hurts_is_said_to_hurt() -> None:
    """Where every treatment is surely worse, the choice says so, and no treatment is recommended."""
    given, _, eta = rows_of(1)
    worse = np.stack([eta[:, 1], eta[:, 0]], axis=1)
    choice = choose(given, eta, {"one": worse, "two": 0.9 * worse + 0.05})
    assert choice.outcome == "would_hurt"
    assert "would hurt" in choice.why


def test_more_treatments_ask_for_more_evidence() -> None:
    """The interval of one treatment is wider when others are tried beside it, and the smallest gain is half of it."""
    given, _, eta = rows_of(2)
    sharper = eta**1.3 / (eta**1.3).sum(axis=1, keepdims=True)
    alone = choose(given, eta, {"a": sharper})
    beside = choose(given, eta, {"a": sharper, "b": eta, "c": eta})
    widths = [c.trials["a"].log_loss.high - c.trials["a"].log_loss.low for c in (alone, beside)]
    assert widths[1] > 1.1 * widths[0]
    assert alone.smallest_log_loss == pytest.approx(widths[0] / 2)


def test_duplicates_do_not_count_twice() -> None:
    """Rows that are there four times give the interval of single rows."""
    given, _, eta = rows_of(3, rows=1000)
    sharper = eta**1.3 / (eta**1.3).sum(axis=1, keepdims=True)
    once = choose(given, eta, {"a": sharper}).trials["a"].log_loss
    many = choose(
        np.tile(given, 4), np.tile(eta, (4, 1)), {"a": np.tile(sharper, (4, 1))}, group=np.tile(np.arange(1000), 4)
    )
    again = many.trials["a"].log_loss
    np.testing.assert_allclose([again.low, again.value, again.high], [once.low, once.value, once.high])
    assert (many.rows, many.groups) == (4000, 1000)


def test_labels_that_people_verified_are_taken_as_they_are() -> None:
    """With true labels verified, corrected and plain accuracy are one, whatever the noise of others."""
    _, truth, eta = rows_of(4)
    choice = choose(truth, eta @ NOISE, {"a": eta}, verified=np.ones(truth.size, bool))
    trial = choice.trials["a"]
    assert trial.accuracy == trial.plain
    assert trial.log_loss.value > 0


def test_a_gain_of_log_loss_that_costs_accuracy_is_not_taken() -> None:
    """Where the likeliest class is surely wrong more often, a better log loss does not make up for it."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 6000)
    before = np.where(
        (rng.random(6000) < 0.8)[:, None], np.eye(2)[truth] * 0.998 + 0.001, 0.998 - np.eye(2)[truth] * 0.996
    )
    before /= before.sum(axis=1, keepdims=True)
    after = np.where((rng.random(6000) < 0.7)[:, None], np.eye(2)[truth] * 0.2 + 0.4, 0.6 - np.eye(2)[truth] * 0.2)
    choice = choose(truth, before, {"a": after}, noise=np.eye(2))
    assert choice.trials["a"].log_loss.low > 0
    assert choice.trials["a"].accuracy.high < 0
    assert choice.outcome == "would_hurt"


def test_nothing_to_choose_from_is_an_error() -> None:
    """Without a treatment, the caller is at fault."""
    given, _, eta = rows_of(0, rows=10)
    with pytest.raises(AlgorithmError):
        choose(given, eta, {})
