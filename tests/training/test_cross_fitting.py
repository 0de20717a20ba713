"""Promises of repeated cross-validations on shares and pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.examples import Dense
from relabel.model.artifact import Model
from relabel.training import cross_fitting
from relabel.training.cross_fitting import CrossFit
from relabel.training.member import Member

SHARES = (0.1, 0.3, 0.6, 1.0)


def crossed(
    seed: int = 0, *, rows: int = 90, folds: int = 4, repeats: int = 2
) -> tuple[CrossFit, np.ndarray, np.ndarray]:
    """A plan over two thirds of the rows, their labels and duplicate groups."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(rows) < 30, np.arange(rows) % 2, rng.random(rows) < 0.2).astype(np.int64)
    group = np.arange(rows) // 2
    features = Dense(rng.normal(size=(rows, 3)).astype(np.float32))
    training = np.arange(rows) % 6 < 4
    drawn = cross_fitting.plan(features, labels, group, training, folds_count=folds, repeats=repeats, seed=seed)
    return drawn, labels, group


def memory(member: Member) -> Model:
    """A model that says how many rows it learned from, whatever it is asked."""
    count = len(member.rows)
    tensors = {
        "mean": np.zeros(3, np.float32),
        "scale": np.ones(3, np.float32),
        "weight.0": np.zeros((3, 2), np.float32),
        "bias.0": np.array([0, np.log(count)], np.float32),
    }
    return Model("dense", {"inputs": 3, "width": 1, "depth": 0, "classes": 2}, tensors)


@given(st.integers(0, 2**31 - 1))
def test_each_share_lies_within_the_next_and_has_the_classes_of_the_whole(seed) -> None:
    """Rows of a smaller share are rows of a larger one; the largest is all; the rarer class keeps its share to within a row."""
    drawn, labels, _ = crossed(seed)
    shares = drawn.shares(labels, SHARES)
    for (repeat, fold), *members in zip(drawn.places, *shares, strict=True):
        whole = drawn.training(repeat, fold)
        assert members[-1].rows.tolist() == whole.tolist()
        for share, smaller, larger in zip(SHARES, members, members[1:], strict=False):
            assert set(smaller.rows) <= set(larger.rows)
            assert len(smaller.rows) == round(share * whole.size)
            assert abs(labels[smaller.rows].sum() - labels[whole].mean() * len(smaller.rows)) <= 1.5


def test_members_of_a_place_have_one_seed_and_no_other_has_it() -> None:
    """What differs between sizes, and between given and cleaned labels, is the rows and labels alone."""
    drawn, labels, _ = crossed()
    shares = [[member.seed for member in share] for share in drawn.shares(labels, SHARES)]
    places = [member.seed for member in drawn.members(labels)]
    assert all(seeds == places for seeds in shares)
    pairs = [member.seed for member in drawn.pair_members(labels)]
    assert len({*places, *pairs}) == len(places) + len(pairs)


@given(st.integers(0, 2**31 - 1))
def test_no_row_is_scored_by_a_model_that_saw_it_or_a_duplicate(seed) -> None:
    """Neither across folds nor inside one, where the fold outside is not seen either."""
    drawn, labels, group = crossed(seed)
    for (repeat, fold), member in zip(drawn.places, drawn.members(labels), strict=True):
        assert not {*group[member.rows]} & {*group[drawn.plans[repeat].held_out(0, fold)]}
    members = iter(drawn.pair_members(labels))
    for plan in drawn.plans:
        for pair in drawn.pairs:
            unseen = np.concatenate([plan.held_out(0, fold) for fold in pair])
            assert not {*group[next(members).rows]} & {*group[unseen]}


def test_held_out_probabilities_come_from_the_right_models() -> None:
    """Each row's are of the model of its fold, and inside a fold of the model of the pair."""
    drawn, labels, _ = crossed(rows=100, folds=3)
    members = drawn.members(labels)
    odds = drawn.held_out([memory(member) for member in members])
    for (repeat, fold), member in zip(drawn.places, members, strict=True):
        mine = np.isin(drawn.rows, drawn.plans[repeat].held_out(0, fold))
        np.testing.assert_allclose(odds[repeat, mine, 1] / odds[repeat, mine, 0], len(member.rows), rtol=1e-4)
    pairs = drawn.pair_members(labels)
    inside = drawn.held_out_inside([memory(member) for member in pairs])
    for (repeat, fold), found in zip(drawn.places, inside, strict=True):
        rows = drawn.training(repeat, fold)
        assert found.shape == (rows.size, 2)
        for row, (no, yes) in zip(rows.tolist(), found, strict=True):
            pair = tuple(sorted((fold, int(drawn.plans[repeat].fold[0, row]))))
            learned = pairs[repeat * len(drawn.pairs) + drawn.pairs.index(pair)].rows
            assert yes / no == pytest.approx(len(learned), rel=1e-4)
            assert row not in learned
