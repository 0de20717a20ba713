"""Promises of the paired comparison."""

import json

import numpy as np
import pytest
import scipy.stats

from relabel.errors import AlgorithmError
from relabel.evaluation.comparison import compare, mcnemar
from relabel.evaluation.metrics import score

GIVEN_TRUE = np.array([[0.95, 0.05], [0.30, 0.70]])
"""Noise that is not symmetric: a transposed use of it shows."""


def models(rng, truth, signal, seeds=5, spread=0.5) -> np.ndarray:
    """Probabilities (S, n, 2) of models that differ by seed; more signal is more right."""
    hardness = np.random.default_rng(0).normal(size=truth.size)  # the same for all models: rows are paired
    logit = signal + hardness + spread * rng.normal(size=(seeds, truth.size))
    right = 1 / (1 + np.exp(-logit))
    positive = np.where(truth == 1, right, 1 - right)
    return np.stack([1 - positive, positive], axis=2)


def given_labels(rng, truth) -> np.ndarray:
    """The labels that people give under GIVEN_TRUE."""
    return (rng.random(truth.size) < GIVEN_TRUE[truth, 1]).astype(np.int64)


def test_a_model_gains_nothing_over_itself() -> None:
    """Equal probabilities give exactly 0 for every metric, without any width."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 700)
    same = models(rng, truth, 0.7)
    compared = compare(truth, same, same.copy(), np.arange(700), seed=0, noise=GIVEN_TRUE)
    for gain in [*compared.gain.values(), *(figures.gain for figures in compared.corrected.values())]:
        assert (gain.low, gain.value, gain.high) == (0.0, 0.0, 0.0)
    assert (compared.mcnemar.mended, compared.mcnemar.worsened, compared.mcnemar.p) == (0, 0, 1.0)
    assert compared.smallest_seen == 0.0


def test_an_interval_that_ends_at_nothing_holds_it() -> None:
    """With one row mended, the interval of the gain in accuracy begins at 0 itself, and not above it by a rounding error."""
    for rows in range(75, 95):
        labels = np.arange(rows) % 2
        right = np.eye(2)[labels] * 0.8 + 0.1
        after = np.where(np.arange(rows)[:, None] < 6, 1 - right, right)[None]
        before = np.where(np.arange(rows)[:, None] < 7, 1 - right, right)[None]
        gain = compare(labels, before, after, np.arange(rows), seed=0, resamples=200).gain["accuracy"]
        assert gain.low == 0 < gain.value


def test_better_is_positive_for_every_metric() -> None:
    """Clearly better models have gains above 0 with intervals above 0, of losses and calibration errors too."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 3000)
    poor, good = models(rng, truth, 0.3), models(rng, truth, 1.5)
    poor[..., :] = np.where(poor > 0.5, 0.98, 0.02)  # and sure of itself
    compared = compare(truth, poor, good, np.arange(3000), seed=0)
    assert all(interval.low > 0 for interval in compared.gain.values())
    assert compared.mcnemar.mended > compared.mcnemar.worsened
    assert compared.mcnemar.p < 1e-6


def test_values_are_the_differences_of_the_scores() -> None:
    """A gain is the difference of the means over seeds of what `score` says of each seed."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 300)
    before, after = models(rng, truth, 0.5), models(rng, truth, 0.8)
    compared = compare(truth, before, after, np.arange(300), seed=0)
    for name, sign in {"accuracy": 1, "macro_f1": 1, "log_loss": -1, "ece": -1}.items():
        means = [np.mean([getattr(score(truth, one), name) for one in side]) for side in (before, after)]
        assert compared.gain[name].value == pytest.approx(sign * (means[1] - means[0]))
        assert getattr(compared.after, name) == pytest.approx(means[1])
        assert compared.gain[name].low <= compared.gain[name].value <= compared.gain[name].high


def test_the_interval_covers_the_true_gain_as_often_as_it_says() -> None:
    """Over many samples of rows and seeds, the 95% interval holds the true gain about as often, and is no wider than needed."""
    hardness = np.random.default_rng(3).normal(size=200_000)
    pool = [
        (signal + hardness + 0.7 * np.random.default_rng(4).normal(size=hardness.size) > 0) for signal in (0.5, 0.7)
    ]
    true = pool[1].mean() - pool[0].mean()
    gains = []
    for trial in range(100):
        rng = np.random.default_rng(trial)
        logits = np.array([0.5, 0.7])[:, None, None] + rng.normal(size=300) + 0.7 * rng.normal(size=(2, 5, 300))
        right = 1 / (1 + np.exp(-logits))
        sides = np.stack([1 - right, right], axis=3)
        gains.append(
            compare(np.ones(300, np.int64), *sides, np.arange(300), seed=trial, resamples=300).gain["accuracy"]
        )
    assert sum(gain.low <= true <= gain.high for gain in gains) >= 91
    needed = 1.96 * np.std([gain.value for gain in gains])
    assert np.mean([gain.high - gain.low for gain in gains]) / 2 < 1.35 * needed


def test_duplicates_widen_the_interval() -> None:
    """Four copies of each row tell no more than one: the interval stays as wide as without them."""
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, 500)
    before, after = models(rng, truth, 0.5, seeds=1), models(rng, truth, 0.8, seeds=1)
    single = compare(truth, before, after, np.arange(500), seed=0).smallest_seen
    copied = [np.repeat(part, 4, axis=axis) for part, axis in ((truth, 0), (before, 1), (after, 1))]
    grouped = compare(*copied, np.repeat(np.arange(500), 4), seed=0).smallest_seen
    apart = compare(*copied, np.arange(2000), seed=0).smallest_seen
    assert grouped == pytest.approx(single, rel=0.01)
    assert apart == pytest.approx(single / 2, rel=0.1)


def test_seeds_that_disagree_widen_the_interval() -> None:
    """Luck of the seed counts, not that of the rows alone."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 2000)
    before = models(rng, truth, 0.5)
    alike = models(rng, truth, 0.8)
    luck = np.stack([models(rng, truth, 0.8 + shift, seeds=1)[0] for shift in (-0.6, -0.3, 0, 0.3, 0.6)])
    widths = [compare(truth, before, after, np.arange(2000), seed=0).smallest_seen for after in (alike, luck)]
    assert widths[1] > 2 * widths[0]


def test_more_groups_than_blocks_change_nothing_of_note() -> None:
    """Dealing many groups into blocks leaves the figure exact and the width as sampling theory has it."""
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 10_000)
    before, after = models(rng, truth, 0.5, seeds=1), models(rng, truth, 0.8, seeds=1)
    compared = compare(truth, before, after, np.arange(10_000), seed=0)
    difference = (after[0].argmax(axis=1) == truth) * 1.0 - (before[0].argmax(axis=1) == truth)
    assert compared.gain["accuracy"].value == pytest.approx(difference.mean())
    assert compared.smallest_seen == pytest.approx(1.96 * difference.std() / 100, rel=0.1)


def test_corrected_accuracy_is_that_on_true_labels() -> None:
    """With the noise rates known, noisy labels tell the accuracy on true ones, which the plain figure misses by far."""
    rng = np.random.default_rng(7)
    truth = (rng.random(100_000) < 0.3).astype(np.int64)
    given = given_labels(rng, truth)
    before, after = models(rng, truth, 0.5, seeds=2), models(rng, truth, 0.9, seeds=2)
    compared = compare(given, before, after, np.arange(truth.size), seed=0, noise=GIVEN_TRUE)
    for side, figure in ((before, "before"), (after, "after")):
        true = np.mean([score(truth, one).accuracy for one in side])
        interval = getattr(compared.corrected["accuracy"], figure)
        assert interval.value == pytest.approx(true, abs=0.006)
        assert interval.low < true < interval.high
        assert abs(getattr(compared, figure).accuracy - true) > 0.03


def test_corrected_loss_prefers_the_truth_where_the_plain_one_prefers_the_noise() -> None:
    """Probabilities of true labels beat those of given labels in corrected loss, and lose in plain loss."""
    rng = np.random.default_rng(8)
    eta = rng.beta(0.5, 0.5, 50_000)
    truth = (rng.random(eta.size) < eta).astype(np.int64)
    true = np.stack([1 - eta, eta], axis=1)
    compared = compare(
        given_labels(rng, truth), (true @ GIVEN_TRUE)[None], true[None], np.arange(eta.size), seed=0, noise=GIVEN_TRUE
    )
    assert compared.gain["log_loss"].high < 0
    assert compared.corrected["log_loss"].gain.low > 0


@pytest.mark.parametrize(("mended", "worsened"), [(0, 0), (1, 0), (3, 9), (7, 7), (400, 350), (30_000, 29_500)])
def test_mcnemar_is_the_mid_p_of_the_binomial(mended, worsened) -> None:
    """The p-value agrees with an independent binomial distribution."""
    before = np.repeat([False, True, True], [mended, worsened, 5])
    after = np.repeat([True, False, True], [mended, worsened, 5])
    tested = mcnemar(before, after)
    fewer, changed = min(mended, worsened), mended + worsened
    coins = scipy.stats.binom(changed, 0.5)
    assert (tested.mended, tested.worsened) == (mended, worsened)
    assert tested.p == pytest.approx(min(1.0, 2 * coins.cdf(fewer - 1) + coins.pmf(fewer)), rel=1e-6)


def test_rows_whose_prediction_changed_are_mended_worsened_or_still_wrong() -> None:
    """Each changed row is one of the three."""
    before, after = np.eye(3)[[0, 1, 2, 0]][None], np.eye(3)[[1, 0, 0, 0]][None]
    changed = compare(np.array([1, 1, 1, 0]), before, after, np.arange(4), seed=0, resamples=10).changed
    assert (changed.rows, changed.mended, changed.worsened, changed.other) == (3, 1, 1, 1)


def test_the_same_seed_gives_the_same_comparison() -> None:
    """Intervals depend on the seed given and on nothing else."""
    rng = np.random.default_rng(9)
    truth = rng.integers(0, 3, 200)
    before, after = rng.dirichlet(np.ones(3), (2, 3, 200))
    one, two, other = (compare(truth, before, after, np.arange(200), seed=seed).as_dict() for seed in (0, 0, 1))
    assert one == two != other


def test_a_comparison_can_be_written_as_json() -> None:
    """The dictionary holds plain values: intervals, both sides, every seed."""
    rng = np.random.default_rng(10)
    truth = rng.integers(0, 2, 60)
    before, after = models(rng, truth, 0.5), models(rng, truth, 0.8)
    whole = compare(truth, before, after, np.arange(60) // 2, seed=0, noise=GIVEN_TRUE)
    read = json.loads(json.dumps(whole.as_dict(), allow_nan=False))
    assert read["groups"] == 30
    assert len(read["after_seeds"]) == 5
    assert set(read["gain"]) == {"accuracy", "macro_f1", "log_loss", "ece"}
    assert set(read["corrected"]["log_loss"]["gain"]) == {"low", "value", "high"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"labels": np.array([0, -1, 1])}, id="unlabelled"),
        pytest.param({"after": np.full((2, 3, 2), 0.5)}, id="other seeds"),
        pytest.param({"group": np.arange(2)}, id="groups"),
        pytest.param({"noise": np.full((2, 2), 0.5)}, id="singular noise"),
    ],
)
def test_what_cannot_be_compared_is_refused(change) -> None:
    """Sides that are not paired, and noise that hides the truth, are errors."""
    fine = {"labels": np.array([0, 1, 1]), "before": np.full((1, 3, 2), 0.5), "after": np.full((1, 3, 2), 0.5)}
    with pytest.raises(AlgorithmError):
        compare(**{**fine, "group": np.arange(3), **change}, seed=0)
