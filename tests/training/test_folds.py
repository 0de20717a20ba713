"""Promises of a fold plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.examples import Dense
from relabel.errors import UserError
from relabel.training.folds import NEVER, members, plan
from relabel.training.out_of_fold import out_of_fold


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, duplicate groups and training mask of a small data set that has enough of every class."""
    n = draw(st.integers(40, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    group = rng.integers(0, n, n)
    labels = rng.integers(0, draw(st.integers(2, 4)), n)
    labels[:40] = np.arange(40) % 4 % (labels.max() + 1)
    group[:40] = np.arange(n, n + 40)
    return labels, group, np.arange(n) < max(40, draw(st.integers(40, n)))


@given(data_sets(), st.integers(2, 5), st.integers(1, 3), st.integers(0, 9))
def test_every_training_row_is_held_out_once_per_repeat(data, folds, repeats, seed) -> None:
    """Each training row has one fold in each repeat, any other row has none."""
    labels, group, training = data
    drawn = plan(labels, group, training, folds=folds, repeats=repeats, seed=seed)
    assert ((drawn.fold[:, training] >= 0) & (drawn.fold[:, training] < folds)).all()
    assert (drawn.fold[:, ~training] == NEVER).all()


@given(data_sets(), st.integers(2, 5), st.integers(0, 9))
def test_duplicates_are_held_out_together(data, folds, seed) -> None:
    """No member trains on a copy of a row that it is scored on: duplicates do not leak between folds."""
    labels, group, training = data
    drawn = plan(labels, group, training, folds=folds, repeats=2, seed=seed)
    for repeat, fold in drawn.places():
        assert not set(group[drawn.held_out(repeat, fold)]) & set(group[drawn.training(repeat, fold)])


class Recorder:
    """A predictor that remembers nothing but its own number, and gives it as the probability of class 1."""

    inputs, classes = 1, 2

    def __init__(self, seen: list[list[int]]) -> None:
        self.seen = seen
        self.mine: list[int] = []
        seen.append(self.mine)

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Write down the rows, whose only feature is their number."""
        self.mine.extend(inputs[:, 0].astype(int).tolist())
        return np.tile(np.float32([0.25, 0.75]), (len(inputs), 1))


@given(data_sets(), st.integers(2, 4), st.integers(1, 3))
def test_every_row_is_predicted_exactly_once_per_repeat(data, folds, repeats) -> None:
    """A training row is scored once per repeat by the member that held it out; any other row by every member."""
    labels, group, training = data
    drawn = plan(labels, group, training, folds=folds, repeats=repeats, seed=0)
    features = Dense(np.arange(labels.size, dtype=np.float32)[:, None])
    seen: list[list[int]] = []
    probability = out_of_fold([Recorder(seen) for _ in drawn.places()], drawn, features)
    np.testing.assert_allclose(probability, np.tile([0.25, 0.75], (labels.size, 1)))
    counts = np.bincount(np.concatenate([np.array(rows, int) for rows in seen]), minlength=labels.size)
    assert (counts[training] == repeats).all()
    assert (counts[~training] == repeats * folds).all()
    for (repeat, fold), rows in zip(drawn.places(), seen, strict=True):
        assert not set(rows) & set(drawn.training(repeat, fold).tolist())


def test_members_learn_from_all_but_their_fold() -> None:
    """A member has all other training rows, those of no weight too, so that its steps stay; every member has a seed of its own."""
    labels = np.arange(100) % 2
    weights = np.ones(100, np.float32)
    weights[[3, 50]] = 0
    drawn = plan(labels, np.arange(100), np.arange(100) < 80, folds=4, repeats=2, seed=1)
    made = members(drawn, labels, weights)
    for member, (repeat, fold) in zip(made, drawn.places(), strict=True):
        assert set(member.rows.tolist()) == set(drawn.training(repeat, fold).tolist())
    assert len({member.seed for member in made}) == len(made)


def test_folds_have_the_classes_of_the_whole() -> None:
    """With single rows as groups, class counts of any two folds differ by at most one, even when the file is sorted by class."""
    labels = np.repeat([0, 1, 2], [500, 103, 31])
    drawn = plan(labels, np.arange(labels.size), np.ones(labels.size, bool), folds=5, repeats=2, seed=0)
    for repeat in drawn.fold:
        counts = np.stack([np.bincount(labels[repeat == f], minlength=3) for f in range(5)])
        assert (np.ptp(counts, axis=0) <= 1).all()


def test_a_class_too_small_for_the_folds_is_named() -> None:
    """The message says which class, how many it has, and what to do."""
    labels = np.array([0] * 20 + [1] * 3)
    with pytest.raises(UserError, match=r"class 1 has 3.*smaller `folds`"):
        plan(labels, np.arange(23), np.ones(23, bool), folds=5, repeats=1, seed=0)


def test_a_class_with_a_name_is_told_by_its_name() -> None:
    """People know their classes by the names that they gave, not by a number in an order that they never chose."""
    labels = np.array([0] * 20 + [1] * 3)
    with pytest.raises(UserError, match=r"but class `Bad` has 3: "):
        plan(labels, np.arange(23), np.ones(23, bool), folds=5, repeats=1, seed=0, classes=["bad", "Bad"])
