"""Promises of the choice of rows to annotate next."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.auditing import selection
from relabel.auditing.selection import Selection
from relabel.errors import AlgorithmError

METHODS = ("margin", "activelab", "random")


def unsure(margin: np.ndarray) -> np.ndarray:
    """Probabilities (N, 2) with these margins, the first class the likelier."""
    return np.stack([(1 + margin) / 2, (1 - margin) / 2], axis=1)


def clusters(sizes: list[int], *, width: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of far clusters of these sizes, and which cluster each row is of."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(sizes)), sizes)
    return (np.eye(width)[of] * 12 + rng.normal(size=(of.size, width))).astype(np.float32), of


def choose(probability: np.ndarray, features: np.ndarray, count: int, **other) -> Selection:
    """Select among rows that are no duplicates and have no labels, but for what is said."""
    rows = len(features)
    usual = {"labels": np.full((rows, 1), -1), "group": np.arange(rows)}
    return selection.select(probability, features, count, **{**usual, **other})


def test_a_batch_has_rows_of_every_cluster() -> None:
    """Of four clusters whose rows are all unsure, one of them the most, each gives one of four rows; by score alone that one gives all."""
    features, of = clusters([40, 40, 40, 40])
    margin = np.where(of == 0, 0.01, 0.4)
    alone = choose(unsure(margin), features, 4, diversity=1)
    spread = [choose(unsure(margin), features, 4, diversity=40, seed=seed) for seed in range(10)]
    assert np.mean([np.unique(of[found.rows]).size for found in spread]) > 3.5
    assert np.unique(of[alone.rows]).tolist() == [0]


@pytest.mark.parametrize("method", METHODS)
def test_near_duplicates_are_chosen_once(method) -> None:
    """Of twenty rows that differ by a trace, repeated thrice, no two alike are chosen, though more are asked for."""
    features, _ = clusters([5, 5, 5, 5])
    traces = 1e-3 * np.random.default_rng(1).normal(size=(3, *features.shape))
    found = choose(unsure(np.full(60, 0.1)), np.concatenate(features + traces).astype(np.float32), 40, method=method)
    assert np.unique(found.rows % 20).size == found.rows.size == 20
    assert found.duplicates == 40


@pytest.mark.parametrize("method", METHODS)
def test_of_a_duplicate_group_one_row_is_chosen(method) -> None:
    """Rows that share a text are one, however far their embeddings lie from each other."""
    features, _ = clusters([10, 10])
    group = np.arange(20) // 2
    found = choose(unsure(np.full(20, 0.1)), features, 20, group=group, method=method)
    assert sorted(group[found.rows].tolist()) == list(range(10))


@pytest.mark.parametrize("method", ["margin", "random"])
def test_what_has_a_label_is_not_chosen_nor_what_is_nearly_the_same(method) -> None:
    """Labelled rows and their near duplicates are left out, all others may be chosen."""
    features, _ = clusters([6, 6])
    features[1] = features[0]
    labels = np.full((12, 1), -1)
    labels[[0, 5]] = 1
    found = choose(unsure(np.full(12, 0.1)), features, 12, labels=labels, method=method)
    assert set(found.rows.tolist()) == set(range(12)) - {0, 1, 5}


def test_activelab_asks_again_for_a_label_that_is_surely_wrong() -> None:
    """A row whose label the model contradicts comes before sure rows without a label, one whose label it shares after them."""
    features, _ = clusters([3, 3])
    labels = np.full((6, 1), -1)
    labels[0], labels[1] = 1, 0
    found = choose(unsure(np.full(6, 0.9)), features, 6, labels=labels, method="activelab", diversity=1)
    assert found.rows[0] == 0
    assert found.rows[-1] == 1


def test_of_equally_unsure_rows_the_lonely_one_comes_last() -> None:
    """A row that nothing resembles is chosen after all others."""
    features, _ = clusters([30, 30], width=8)
    features[7] = 50
    assert choose(unsure(np.full(60, 0.1)), features, 60).rows[-1] == 7


def test_without_diversity_the_lowest_scores_are_chosen() -> None:
    """With one candidate for each row the batch is the beginning of the scores."""
    features, _ = clusters([50, 50])
    margin = np.random.default_rng(0).random(100)
    found = choose(unsure(margin), features, 10, diversity=1)
    assert found.rows.tolist() == np.argsort(found.score)[:10].tolist()
    np.testing.assert_allclose(found.margin, margin)


@given(st.integers(1, 40), st.integers(1, 8), st.integers(0, 5), st.sampled_from(METHODS), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=40)
def test_a_batch_is_ordered_distinct_and_the_same_for_a_seed(count, diversity, labelled, method, seed) -> None:
    """No row twice, the best score first, never more than asked for, and the same again."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(30, 6)).astype(np.float32)
    labels = np.full((30, 2), -1)
    labels[:labelled, 0] = rng.integers(0, 2, labelled)
    asked = {"labels": labels, "method": method, "diversity": diversity, "seed": seed}
    probability = rng.dirichlet([1, 1], 30)
    found, again = (choose(probability, features, count, **asked) for _ in range(2))
    assert found.rows.tolist() == again.rows.tolist()
    assert np.unique(found.rows).size == found.rows.size <= count
    assert (np.diff(found.score[found.rows]) >= 0).all()


@pytest.mark.parametrize("rows", [1, 2])
def test_few_rows_and_equal_ones_are_no_trouble(rows) -> None:
    """One row, or two that are equal, give one."""
    found = choose(unsure(np.full(rows, 0.5)), np.ones((rows, 3), np.float32), 3)
    assert found.rows.size == 1


def test_arrays_that_do_not_fit_are_refused() -> None:
    """Labels of another number of rows, or no row asked for, are a fault of the caller."""
    features, _ = clusters([3])
    with pytest.raises(AlgorithmError, match="do not fit"):
        choose(unsure(np.full(3, 0.1)), features, 1, labels=np.full((2, 1), -1))
    with pytest.raises(AlgorithmError, match="1 or more"):
        choose(unsure(np.full(3, 0.1)), features, 0)


def test_where_nothing_differs_from_what_is_labelled_nothing_is_chosen() -> None:
    """However many rows there are, and however they are looked through."""
    features = np.ones((1200, 4), np.float32)
    labels = np.full((1200, 1), -1)
    labels[0] = 0
    probability = np.full((1200, 2), 0.5)
    found = selection.select(probability, features, 5, labels=labels, group=np.arange(1200))
    assert found.rows.size == 0
    assert found.duplicates == 1199
