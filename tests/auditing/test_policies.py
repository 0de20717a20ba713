"""Promises of the policies: what they share, and what each does."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.auditing.examine import Audit, examine, worst_first
from relabel.auditing.noise import Estimate, NoiseRates, verdict
from relabel.auditing.policies import POLICIES, Decision, Limits, Treatment, decide
from relabel.errors import UserError
from relabel.settings import TrainSettings

WIDE = Limits(drop_above=0.0, flip_above=0.0, max_treated_share=1.0, max_flagged_share=1.0)


def audited(labels, posterior, flagged, classes=2) -> Audit:
    """An audit with this posterior (N,), in which the next class is suggested for every label."""
    labels, posterior = np.asarray(labels), np.asarray(posterior, dtype=float)
    suggested = (labels + 1) % classes
    clean = np.zeros((labels.size, classes))
    clean[np.arange(labels.size), labels] = 1 - posterior
    clean[np.arange(labels.size), suggested] = posterior
    noise = NoiseRates(np.eye(classes), np.zeros((classes, classes)), np.ones((classes, classes)))
    return Audit(
        probability=clean,
        clean=clean,
        posterior=posterior,
        suggested=suggested,
        flagged=np.asarray(flagged, dtype=bool),
        doubt=posterior,
        expected=float(np.sum(flagged)),
        low=0.0,
        high=float(labels.size),
        noise=noise,
        verdict=verdict(0.2, 0.1, 0.3, 0.3),
    )


def treated(name, labels, posterior, flagged, *, limits=WIDE, classes=2) -> Treatment:
    """What the policy does where all rows are training rows and none is trusted."""
    labels = np.asarray(labels)
    every = np.ones(labels.size, bool)
    audit = audited(labels, posterior, flagged, classes)
    return decide(name, audit, labels, training=every, trusted=~every, limits=limits)


@pytest.mark.parametrize("name", POLICIES)
@given(st.integers(0, 10_000), st.integers(5, 200), st.integers(2, 4))
def test_every_policy_keeps_the_shared_rules(name, seed, rows, classes) -> None:
    """Only doubted, untrusted, labelled training rows change, within the cap, the worst first, and no class is lost."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, classes, rows)
    training, trusted = rng.random(rows) < 0.7, (rng.random(rows) < 0.2) & (labels >= 0)
    limits = Limits(
        drop_above=0.3,
        flip_above=0.5,
        weigh_above=0.2,
        max_treated_share=rng.random(),
        max_flagged_share=rng.uniform(0.1, 1),
    )
    noise = 0.8 * np.eye(classes) + 0.2 * rng.dirichlet(np.ones(classes), classes)
    estimate = Estimate(
        rng.dirichlet(np.ones(classes), rows), NoiseRates(noise, noise, noise), np.zeros((classes, classes))
    )
    audit = examine(labels, estimate, training=training, trusted=trusted)
    done = decide(name, audit, labels, training=training, trusted=trusted, limits=limits)
    members, changed = training & (labels >= 0), done.decision != Decision.KEEP
    whole = POLICIES[name].whole
    assert not (changed & ~(members & ~trusted)).any()
    assert not (changed & ~audit.flagged).any() or not whole
    treated_share = changed if whole else changed * audit.posterior
    assert treated_share.sum() <= limits.max_treated_share * members.sum() + 1e-6
    assert ((done.labels != labels) == (done.decision == Decision.FLIP)).all()
    assert ((done.weights == 0) == ((done.decision == Decision.DROP) | (labels < 0))).all()
    assert set(labels[members]) <= set(done.labels[members & (done.weights > 0)])
    if done.soft is not None:
        np.testing.assert_allclose(done.soft.sum(axis=1), 1, atol=1e-6)
        assert (done.soft[~changed & (labels >= 0)].argmax(axis=1) == labels[~changed & (labels >= 0)]).all()
    assert all(isinstance(why, str) and why for why in done.reason)
    if changed.any():
        capped = done.reason == "flagged; max_treated_share is reached"
        assert audit.posterior[changed].min() >= audit.posterior[capped].max(initial=0.0)
        assert audit.flagged[members & ~trusted].sum() <= limits.max_flagged_share * members.sum() + 1e-6
    else:
        assert done.verdict.startswith("Nothing was changed: ")


@pytest.mark.parametrize("name", POLICIES)
def test_nothing_is_treated_when_too_much_is_flagged(name) -> None:
    """With 61% flagged the labels or the model are at fault: no row changes, every reason and the verdict say so."""
    flagged = np.arange(100) < 61
    done = treated(name, np.arange(100) % 2, np.where(flagged, 0.95, 0.1), flagged, limits=Limits())
    assert not done.decision.any()
    assert done.verdict == (
        "Nothing was changed: 61 of 100 training rows (61.0%) are flagged; 61 left as they are "
        "(more than 45% are flagged: the labels or the model are too poor to tell)."
    )
    assert all("more than 45% are flagged" in why for why in done.reason[flagged])


def test_drop_gives_flagged_rows_no_weight_and_no_new_label() -> None:
    """Dropped rows have the weight 0 and keep their given label."""
    done = treated("drop", [0, 1, 0, 1, 0], [0.9, 0.8, 0.1, 0.1, 0.1], [1, 1, 0, 0, 0])
    assert done.decision.tolist() == [Decision.DROP, Decision.DROP, 0, 0, 0]
    assert done.weights.tolist() == [0, 0, 1, 1, 1]
    assert done.labels.tolist() == [0, 1, 0, 1, 0]
    assert done.verdict == "2 of 5 training rows (40.0%) are flagged; 2 dropped."


def test_flip_gives_the_suggested_label_where_it_is_sure() -> None:
    """Flagged rows from flip_above on get the suggested label and full weight; less sure ones stay, and it says why."""
    limits = dataclasses.replace(WIDE, flip_above=0.8)
    done = treated("flip", [0, 1, 2, 0, 1, 2], [0.9, 0.7, 0.8, 0, 0, 0], [1, 1, 1, 0, 0, 0], limits=limits, classes=3)
    assert done.labels.tolist() == [1, 1, 0, 0, 1, 2]
    assert done.weights.tolist() == [1] * 6
    assert done.reason[1] == "flagged; posterior below flip_above"
    assert done.verdict.endswith("2 flipped; 1 left as they are (posterior below flip_above).")


def test_weight_counts_rows_by_how_surely_they_are_right() -> None:
    """From weigh_above on, flagged or not, a row's weight is 1 less its posterior; its label stays."""
    limits = dataclasses.replace(WIDE, weigh_above=0.2)
    done = treated("weight", [0, 1, 0, 1, 0], [0.9, 0.3, 0.1, 0.0, 0.0], [1, 0, 0, 0, 0], limits=limits)
    np.testing.assert_allclose(done.weights, [0.1, 0.7, 1, 1, 1], rtol=1e-6)
    assert done.labels.tolist() == [0, 1, 0, 1, 0]
    assert done.targets is done.labels
    assert done.reason.tolist()[:3] == ["flagged; weighed down", "not flagged; weighed down", "not flagged"]


def test_soft_labels_say_how_likely_each_class_is() -> None:
    """From weigh_above on a row is trained on the audit's probabilities of its true label, all others on their label."""
    limits = dataclasses.replace(WIDE, weigh_above=0.2)
    done = treated("soft", [0, 1, 0, 1, 0], [0.9, 0.3, 0.1, 0.0, 0.0], [1, 0, 0, 0, 0], limits=limits)
    np.testing.assert_allclose(done.targets, [[0.1, 0.9], [0.3, 0.7], [1, 0], [0, 1], [1, 0]], rtol=1e-6)
    assert done.weights.tolist() == [1] * 5


def test_no_more_rows_are_treated_than_errors_are_expected() -> None:
    """Where more rows are flagged to be looked at than are expected to be wrong, the others stay, and it says why."""
    labels, posterior = np.array([0, 1, 0, 1]), np.array([0.4, 0.3, 0.2, 0.1])
    audit = dataclasses.replace(audited(labels, posterior, [1, 1, 1, 0]), expected=1.0)
    every = np.ones(4, bool)
    done = decide("drop", audit, labels, training=every, trusted=~every, limits=WIDE)
    assert np.flatnonzero(done.decision).tolist() == [0]
    assert done.reason[1] == "flagged; no more errors are expected"


def test_keep_changes_nothing_and_says_what_it_saw() -> None:
    """The policy keep lists what is flagged and leaves it."""
    done = treated("keep", [0, 1, 0, 1], [0.9, 0.1, 0.1, 0.1], [1, 0, 0, 0])
    assert not done.decision.any()
    assert "1 of 4 training rows (25.0%) are flagged" in done.verdict
    assert "the policy is keep" in done.verdict


def test_the_cap_takes_the_worst() -> None:
    """With room for two rows, the two of the highest posterior go."""
    limits = dataclasses.replace(WIDE, max_treated_share=0.2)
    done = treated("drop", [0, 1] * 5, [0.6, 0.9, 0.7, 0.8, *[0.1] * 6], [1] * 4 + [0] * 6, limits=limits)
    assert np.flatnonzero(done.decision).tolist() == [1, 3]
    assert done.reason[2] == "flagged; max_treated_share is reached"


@pytest.mark.parametrize("name", ["drop", "flip"])
def test_a_class_keeps_its_least_doubtful_row(name) -> None:
    """Where every row of a class would go, the one with the lowest posterior stays."""
    done = treated(name, [1, 1, 1, 0, 0, 0], [0.9, 0.7, 0.8, 0.1, 0.1, 0.1], [1, 1, 1, 0, 0, 0])
    assert np.flatnonzero(done.decision).tolist() == [0, 2]
    assert done.reason[1] == "flagged; last row of its class"


def test_a_class_that_flips_refill_may_lose_its_rows() -> None:
    """No row is held back where others become of its class."""
    done = treated("flip", [1, 0, 0], [0.9, 0.9, 0.1], [1, 1, 0])
    assert done.labels.tolist() == [0, 1, 0]


def test_every_row_has_its_reason() -> None:
    """Rows outside training, trusted, unlabelled and unflagged rows each say why they stay."""
    labels = np.array([0, 1, 0, -1, 1, 0])
    audit = audited(np.maximum(labels, 0), [0.9, 0.9, 0.9, 0, 0.1, 0.9], [1, 1, 0, 0, 0, 1])
    training, trusted = np.array([0, 1, 1, 1, 1, 1], bool), np.array([0, 0, 1, 0, 0, 0], bool)
    done = decide("drop", audit, labels, training=training, trusted=trusted, limits=WIDE)
    assert done.reason.tolist() == [
        "no training row: never changed",
        "flagged; dropped",
        "trusted",
        "unlabelled",
        "not flagged",
        "flagged; dropped",
    ]


def test_limits_are_those_of_the_settings() -> None:
    """Each limit has the name and the default of its setting."""
    settings = TrainSettings()
    for limit in dataclasses.fields(Limits):
        assert getattr(Limits(), limit.name) == getattr(settings, limit.name)


def test_an_unknown_policy_names_the_known_ones() -> None:
    """The message lists the policies there are."""
    with pytest.raises(UserError, match="policy is 'fix': give one of keep, drop, weight, soft, flip"):
        treated("fix", [0, 1], [0, 0], [0, 0])


def test_planted_flips_are_mended(make) -> None:
    """On made data, dropping or flipping leaves fewer wrong labels than were given."""
    data = make(distance=3.5)
    audit = examine(data.labels, data.known, training=data.all(), trusted=data.none())
    for name in ("drop", "flip"):
        done = decide(name, audit, data.labels, training=data.all(), trusted=data.none(), limits=Limits())
        left = done.weights > 0
        assert (done.labels != data.truth)[left].mean() < 0.5 * data.wrong.mean()
    order = worst_first(audit.doubt, np.arange(data.labels.size))
    assert data.wrong[order[:200]].mean() > 0.95
