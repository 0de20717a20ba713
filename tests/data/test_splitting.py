"""Promises of a drawn split."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.examples import Split
from relabel.data.splitting import draw


@st.composite
def rows(draw_: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Labels and duplicate groups: single rows, small groups, now and then a large one."""
    n = draw_(st.integers(1, 300))
    rng = np.random.default_rng(draw_(st.integers(0, 2**32 - 1)))
    group = np.where(
        rng.random(n) < draw_(st.floats(0, 1)), rng.integers(0, draw_(st.integers(1, n)), n), n + np.arange(n)
    )
    return rng.integers(0, draw_(st.integers(1, 5)), n), group


shares = st.dictionaries(st.sampled_from([Split.DEV, Split.TEST]), st.floats(0.01, 0.4))


@given(rows(), shares, st.integers(0, 99))
def test_groups_are_never_divided(data, wanted, seed) -> None:
    """All rows of a duplicate group lie in one split, and only in a split that was asked for."""
    labels, group = data
    split = draw(labels, group, wanted, seed=seed)
    assert all(np.unique(split[group == g]).size == 1 for g in np.unique(group))
    assert set(split.tolist()) <= {Split.TRAIN, *wanted}


@given(rows(), shares, st.integers(0, 99))
def test_shares_are_met_in_every_class(data, wanted, seed) -> None:
    """Each split's rows of each class differ from its share by less than the largest group and one row."""
    labels, group = data
    split = draw(labels, group, wanted, seed=seed)
    largest = np.unique(group, return_counts=True)[1].max()
    for s in Split:
        share = wanted.get(s, 0) if s else 1 - sum(wanted.values())
        for c in np.unique(labels):
            assert abs(np.count_nonzero(split[labels == c] == s) - share * np.count_nonzero(labels == c)) <= largest + 1


def test_single_rows_are_stratified_to_the_row() -> None:
    """Without duplicates each split has its share of every class, rounded, and all rows together too."""
    labels = np.repeat([0, 1, 2], [700, 203, 97])
    split = draw(labels, np.arange(1000), {Split.DEV: 0.1, Split.TEST: 0.2}, seed=3)
    counts = np.array([np.bincount(labels[split == s], minlength=3) for s in Split])
    assert (np.abs(counts - np.outer([0.7, 0.1, 0.2], [700, 203, 97])) <= 1).all()


def test_duplicates_are_spread_as_well() -> None:
    """Rows of duplicate groups are in each split about as often as among all rows: dev and test look like train."""
    rng = np.random.default_rng(1)
    group = np.where(rng.random(5000) < 0.3, rng.integers(0, 500, 5000), 5000 + np.arange(5000))
    split = draw(rng.integers(0, 2, 5000), group, {Split.DEV: 0.1, Split.TEST: 0.2}, seed=0)
    duplicate = group < 500
    shares = [duplicate[split == s].mean() for s in Split]
    assert np.allclose(shares, duplicate.mean(), atol=0.02)


def test_a_rare_class_stays_in_train() -> None:
    """A single row of a class is trained on, not tested with."""
    labels = np.array([0] * 50 + [1] * 50 + [2])
    for seed in range(20):
        assert draw(labels, np.arange(101), {Split.DEV: 0.1, Split.TEST: 0.2}, seed=seed)[100] == Split.TRAIN


def test_the_seed_decides_all() -> None:
    """Equal seeds draw equal splits, also with tied groups; another seed draws another."""
    labels, group = np.arange(400) % 2, np.arange(400) // 4
    first, again, other = (draw(labels, group, {Split.TEST: 0.2}, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
