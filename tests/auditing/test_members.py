"""Promises of the members of an audit together."""

import numpy as np
import pytest

from relabel.auditing import members
from relabel.auditing.examine import examine, worst_first
from relabel.auditing.members import Members
from relabel.errors import UserError


def learned(data, linear, network):
    """What members say of made data, each row its own group."""
    return members.learned(Members(linear, network), data.labels, data.all(), np.arange(data.labels.size))


def test_a_network_that_learned_the_noise_does_not_hide_it(make) -> None:
    """With a linear member beside it, the network that predicts given labels perfectly leaves the rates where they are."""
    data = make(rows=8000, distance=2)
    estimate = learned(data, data.eta, data.probability)
    np.testing.assert_allclose(estimate.rates.given_true, data.given_true, atol=0.03)
    np.testing.assert_allclose(estimate.eta, data.eta, atol=0.08)
    assert (estimate.rates.low <= data.given_true).all()
    assert (data.given_true <= estimate.rates.high).all()


def test_a_linear_member_that_is_too_simple_is_overruled(make) -> None:
    """Where networks explain the labels far better, its doubt is not taken for noise, and the interval holds both."""
    data = make(rows=8000, distance=4, given_true=np.eye(2))
    misled = np.random.default_rng(99).random(8000) < 0.15
    simple = np.where(misled[:, None], data.eta[:, ::-1], data.eta)
    alone = learned(data, simple, simple)
    assert alone.rates.given_true[0, 1] > 0.1
    estimate = learned(data, simple, data.eta)
    assert estimate.rates.given_true[0, 1] < 0.01
    assert estimate.rates.low[0, 1] == 0
    assert estimate.rates.high[0, 1] >= alone.rates.given_true[0, 1]


def test_rates_of_no_noise_reach_down_to_none(make) -> None:
    """Where next to nothing is wrong, every interval begins at 0."""
    data = make(distance=4, given_true=np.eye(3) * 1.0)
    estimate = learned(data, data.eta, data.eta)
    assert (estimate.rates.low[~np.eye(3, dtype=bool)] == 0).all()
    assert estimate.rates.given_true.diagonal().min() > 0.99


def test_the_second_time_noise_is_known(make) -> None:
    """Other members are weighed anew; rates and their intervals are those of the first time."""
    data = make(rows=8000)
    first = learned(data, data.eta, data.probability)
    sure = data.eta**3 / (data.eta**3).sum(axis=1, keepdims=True)
    second = members.relearned(Members(sure, sure), data.labels, data.all(), first, cleaned=True)
    assert second.rates is first.rates
    np.testing.assert_allclose(second.eta, data.eta, atol=0.06)


def checked(data, share):
    """Verify the worst rows until a share of all errors is found, and audit again: (audit, errors left, which rows are verified)."""
    own = np.arange(data.labels.size)
    first = examine(data.labels, learned(data, data.eta, data.probability), training=data.all(), trusted=data.none())
    order = worst_first(first.doubt, own)
    seen = data.none()
    seen[order[: np.searchsorted(np.cumsum(data.wrong[order]), share * data.wrong.sum())]] = True
    estimate = members.learned(
        Members(data.eta, data.probability), data.labels, data.all(), own, np.where(seen, data.truth, -1)
    )
    labels = np.where(seen, data.truth, data.labels)
    audit = examine(labels, estimate, training=data.all(), trusted=seen, given=data.labels)
    return audit, int((labels != data.truth).sum()), seen


@pytest.mark.parametrize("share", [0, 0.1, 0.3, 0.6])
def test_the_errors_left_are_counted_however_many_people_found(make, share) -> None:
    """People take the worst rows first; what they left is neither over- nor underestimated, and the kind of noise stays."""
    covered = 0
    for seed in range(6):
        audit, left, seen = checked(make(seed, rows=4000, distance=2), share)
        covered += audit.low <= left <= audit.high
        assert audit.expected == pytest.approx(left, rel=0.35)
        assert audit.verdict.kind == "class_conditional"
        assert not audit.posterior[seen].any()
        assert audit.flagged.sum() == round(audit.expected)
    assert covered >= 5


def test_a_row_of_nan_stops_the_audit() -> None:
    """One bad row is an error with its place, never a silent result."""
    probability = np.full((4, 2), 0.5)
    bad = probability.copy()
    bad[2] = np.nan
    with pytest.raises(UserError, match="counted from 0: 2"):
        Members(probability, bad)
