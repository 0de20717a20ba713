"""Promises of the rule of promotion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.evaluation import comparison, guards, promotion, verified
from relabel.evaluation.comparison import Interval
from relabel.evaluation.promotion import FURTHER, LEAST, MARGINS

FLAT = {name: Interval(-0.001, 0.0, 0.001) for name in MARGINS}
NOISE = np.array([[0.95, 0.05], [0.3, 0.7]])


def said(labels, right, sure=0.9) -> np.ndarray:
    """Make probabilities (1, n, 2) that are right where they are said to be."""
    top = np.where(right, labels, 1 - labels)
    return np.where(np.arange(2) == top[:, None], sure, 1 - sure)[None]


def compared(
    rows: int, mended: int, worsened: int, *, group=None, noise=None, sure=(0.9, 0.9)
) -> comparison.Comparison:
    """Compare a champion that is right on four of five rows with a challenger that mends and worsens some."""
    labels = np.arange(rows) % 2
    old = np.arange(rows) % 5 != 0
    new = old.copy()
    new[np.flatnonzero(~old)[:mended]] = True
    new[np.flatnonzero(old)[:worsened]] = False
    group = np.arange(rows) if group is None else group
    sides = (said(labels, old, sure[0]), said(labels, new, sure[1]))
    return comparison.compare(labels, *sides, group, seed=0, noise=noise)


def test_a_clear_gain_is_promoted() -> None:
    """The reason has the gain and its interval; no more rows are needed."""
    found = promotion.decide(compared(1000, 60, 10), FLAT)
    assert found.decision == "promote"
    assert "+5.00 points" in found.reason
    assert found.basis == "plain"
    assert found.rows_needed is None
    assert found.gain["accuracy"].low > 0


def test_a_gain_that_is_not_sure_is_kept_and_says_how_many_rows_it_takes() -> None:
    """With that many rows like these, the same rule promotes it; with the rows there are, a smaller gain could not be seen."""
    found = promotion.decide(compared(1000, 20, 14), FLAT)
    assert (found.decision, found.right_labels) == ("keep", None)
    assert found.smallest_seen > 0.006
    assert found.rows_needed is not None
    times = -(-found.rows_needed // 1000)
    assert f"{found.rows_needed:,} rows" in found.reason
    assert promotion.decide(compared(1000 * times, 20 * times, 14 * times), FLAT).decision == "promote"


def test_the_bound_lies_further_than_the_interval() -> None:
    """What is shown with 97.5% on one side is not enough: a loop asks again and again."""
    found = compared(1000, 28, 14)
    told = promotion.decide(found, FLAT)
    assert told.gain["accuracy"].low > 0, "the interval of 95% lies above 0"
    assert told.decision == "keep"
    assert pytest.approx(2.326 / 1.96, abs=0.001) == FURTHER


def test_few_rows_are_no_evidence() -> None:
    """Below LEAST different rows nothing is promoted, however large the gain; duplicates count once."""
    assert "too few" in promotion.decide(compared(LEAST - 1, 15, 0), FLAT).reason
    twice = compared(2 * LEAST - 2, 30, 0, group=np.arange(2 * LEAST - 2) // 2)
    assert "too few" in promotion.decide(twice, FLAT).reason
    assert promotion.decide(compared(LEAST, 15, 0), FLAT).decision == "promote"


@given(st.integers(100, 300), st.integers(0, 20), st.integers(0, 20))
def test_what_is_not_better_on_these_rows_is_never_promoted(rows, mended, worsened) -> None:
    """Without more rows mended than worsened there is nothing to promote."""
    found = promotion.decide(compared(rows, min(mended, worsened), worsened), FLAT)
    assert found.decision == "keep"


def test_a_worse_challenger_is_called_worse() -> None:
    """The reason says so, not that evidence is lacking."""
    assert promotion.decide(compared(1000, 5, 60), FLAT).reason.startswith("the challenger is worse")


@pytest.mark.parametrize("name", list(MARGINS))
def test_a_sure_loss_elsewhere_stops_a_gain_unless_it_is_small(name) -> None:
    """A sure loss that may be larger than its margin stops; one that is surely smaller does not, nor one that is not sure."""
    found, margin = compared(1000, 60, 10), MARGINS[name]
    for loss, decision in (
        (Interval(-1.2 * margin, -0.9 * margin, -0.1 * margin), "keep"),
        (Interval(-0.9 * margin, -0.5 * margin, -0.1 * margin), "promote"),
        (Interval(-20 * margin, -5 * margin, 0.1 * margin), "promote"),
    ):
        decided = promotion.decide(found, {**FLAT, name: loss})
        assert decided.decision == decision
        assert (promotion.NAMES[name] in decided.reason) == (decision == "keep")


def test_noise_is_undone_where_it_is_known() -> None:
    """The gain on right labels decides: wrong labels hide a part of it, and its interval is wider."""
    even = np.array([[0.85, 0.15], [0.15, 0.85]])
    found = promotion.decide(compared(2000, 100, 40, noise=even), FLAT)
    assert found.basis == "corrected"
    assert found.right_labels is not None
    assert found.right_labels.value == pytest.approx(found.gain["accuracy"].value / 0.7)
    plain = promotion.decide(compared(2000, 100, 40), FLAT)
    assert found.right_labels.high - found.right_labels.low > plain.gain["accuracy"].high - plain.gain["accuracy"].low


def test_a_gain_that_hangs_on_the_noise_alone_is_kept() -> None:
    """Where the labels as given surely say the opposite, people are asked."""
    labels = np.repeat([0, 1], [600, 1400])
    old = np.arange(2000) >= 300
    new = old.copy()
    new[:150] = True
    new[600:810] = False
    noise = np.array([[0.6, 0.4], [0.02, 0.98]])
    found = comparison.compare(labels, said(labels, old), said(labels, new), np.arange(2000), seed=0, noise=noise)
    decided = promotion.decide(found, FLAT)
    assert decided.gain["accuracy"].high < 0
    assert decided.right_labels is not None
    assert decided.right_labels.low > 0
    assert decided.decision == "keep"
    assert "verify" in decided.reason


def test_noise_that_the_test_labels_cannot_have_is_not_undone() -> None:
    """Where a model would be right on more than all rows, the plain figure decides."""
    found = promotion.decide(compared(2000, 100, 40, noise=NOISE), FLAT)
    assert (found.basis, found.right_labels) == ("plain", None)


def test_verified_rows_win_where_they_say_enough() -> None:
    """They decide against the plain figure; a vague figure of a few does not."""
    rows = 1000
    labels = np.arange(rows) % 2
    old = np.arange(rows) % 5 != 0
    new = old.copy()
    new[np.flatnonzero(~old)[:60]] = True
    found = comparison.compare(labels, said(labels, old), said(labels, new), np.arange(rows), seed=0)
    truth = np.where(new & ~old, 1 - labels, labels)  # people say that the old model was right on what changed
    for share, basis in ((0.6, "verified"), (0.03, "plain")):
        drawn = np.random.default_rng(0).random(rows) < share
        checked = verified.verify(
            truth, said(labels, old), said(labels, new), np.arange(rows), decided=drawn, drawn=drawn, seed=0
        )
        decided = promotion.decide(found, FLAT, checked)
        assert decided.basis == basis
        assert decided.decision == ("keep" if basis == "verified" else "promote")


def test_nothing_is_decided_without_rows() -> None:
    """The champion stays, and the reason says what to give."""
    assert promotion.without_rows().decision == "keep"
    assert "has not seen" in promotion.without_rows().reason


def test_the_guards_see_right_labels_through_the_noise() -> None:
    """A model that predicts the truth, against one that repeats the errors: worse in recall as labelled, better once the noise is undone."""
    rng = np.random.default_rng(0)
    truth = (np.arange(4000) % 2).astype(np.int64)
    given = (rng.random(4000) < NOISE[truth, 1]).astype(np.int64)
    flipped = np.where(rng.random(4000) < 0.05, 1 - truth, truth)
    sides = (said(given, flipped == given, 0.95)[0], said(given, truth == given, 0.95)[0])
    repeats = said(given, np.ones(4000, bool), 0.95)[0]
    group = np.arange(4000)
    seen = guards.gains(given, repeats, sides[1], group, seed=0)
    assert seen["worst_recall"].high < 0
    undone = guards.gains(given, *sides, group, seed=0, noise=NOISE)
    assert min(gain.low for gain in undone.values()) > 0
    assert set(undone) == set(MARGINS)


def test_the_guards_of_many_classes_agree_with_those_of_few(monkeypatch) -> None:
    """The way that takes less memory gives the same figures."""
    rng = np.random.default_rng(1)
    labels, group = rng.integers(0, 4, 500), np.arange(500) // 2
    sides = [rng.dirichlet(np.ones(4), 500) for _ in range(2)]
    few = guards.gains(labels, *sides, group, seed=0, resamples=50)
    monkeypatch.setattr(guards, "MOST", 2)
    assert guards.gains(labels, *sides, group, seed=0, resamples=50) == few


def test_figures_that_cannot_be_trusted_promote_nothing() -> None:
    """What speaks for the challenger stays in the reason, with why it does not count; a champion that stays anyhow stays for its own reason."""
    better, no_better = promotion.decide(compared(1000, 60, 10), FLAT), promotion.decide(compared(1000, 0, 0), FLAT)
    halted = promotion.stopped(better, "the rows were chosen")
    assert (halted.decision, halted.gain) == ("keep", better.gain)
    assert halted.reason == f"{better.reason}; but the rows were chosen"
    assert promotion.stopped(no_better, "the rows were chosen") is no_better
