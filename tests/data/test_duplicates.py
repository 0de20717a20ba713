"""Promises of duplicate groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data import duplicates, keys
from relabel.data.examples import Dense
from relabel.data.texts import Texts


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and texts of few values, so that rows meet often; both zeros occur."""
    n = draw(st.integers(1, 40))
    values = st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.5])
    vectors = draw(st.lists(st.tuples(values, values), min_size=n, max_size=n))
    texts = draw(st.lists(st.sampled_from(["", "a", "b", "c", "d", "e", "f", "g", "A", "a "]), min_size=n, max_size=n))
    return np.array(vectors, np.float32), np.array(texts, object)


def components(vectors: np.ndarray | None, texts: np.ndarray | None, n: int) -> list[int]:
    """Walk over all pairs of equal rows: the definition, in its slowest form."""

    def equal(one: int, two: int) -> bool:
        by_vector = vectors is not None and bool((vectors[one] == vectors[two]).all())
        return by_vector or (texts is not None and texts[one] != "" and texts[one] == texts[two])

    found: dict[int, int] = {}
    for first in range(n):
        if first in found:
            continue
        number, waiting = len(set(found.values())), [first]
        while waiting:
            row = waiting.pop()
            if row not in found:
                found[row] = number
                waiting += [other for other in range(n) if equal(row, other)]
    return [found[row] for row in range(n)]


@given(rows())
def test_groups_are_the_connected_components(data) -> None:
    """Rows share a group exactly if a chain of equal texts or embeddings joins them; first rows number the groups."""
    vectors, texts = data
    assert duplicates.groups(Dense(vectors), Texts.of(texts)).tolist() == components(vectors, texts, len(texts))


@given(rows())
def test_either_relation_may_be_missing(data) -> None:
    """With embeddings alone, or texts alone, the groups are those of that relation."""
    vectors, texts = data
    assert duplicates.groups(Dense(vectors), None).tolist() == components(vectors, None, len(texts))
    assert duplicates.groups(None, Texts.of(texts)).tolist() == components(None, texts, len(texts))


@given(rows(), st.integers(1, 5))
def test_blocks_do_not_matter(data, block) -> None:
    """Embeddings are hashed in blocks, and equal ones meet across blocks."""
    vectors, texts = data
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "BLOCK_BYTES", block * 8)
        assert duplicates.groups(Dense(vectors), Texts.of(texts)).tolist() == components(vectors, texts, len(texts))


def test_a_long_chain_is_one_group() -> None:
    """Rows that are joined through hundreds of others by turns of text and embedding are one group."""
    n = 1000
    vectors = (np.arange(n) // 2).astype(np.float32)[:, None]
    texts = np.array([f"t{(row + 1) // 2}" for row in range(n)], object)
    order = np.random.default_rng(0).permutation(n)
    assert not duplicates.groups(Dense(vectors[order]), Texts.of(texts[order])).any()


def test_equality_is_that_of_float32() -> None:
    """Values that are equal once they are float32 are equal, and the array is not changed."""
    stored = np.array([[0.1], [np.float32(0.1)], [-0.0], [0.0]], np.float64)
    assert duplicates.groups(Dense(stored), None).tolist() == [0, 0, 1, 1]
    assert np.signbit(stored[2, 0])


@given(rows(), st.data())
def test_the_highest_split_keeps_a_group(data, drawn) -> None:
    """A row is left out exactly if its group has a row in a higher split, so no group counts in two splits."""
    vectors, texts = data
    group = duplicates.groups(Dense(vectors), Texts.of(texts))
    split = np.array(drawn.draw(st.lists(st.integers(0, 2), min_size=group.size, max_size=group.size)), np.uint8)
    out = duplicates.left_out(group, split)
    assert out.tolist() == [split[row] < split[group == group[row]].max() for row in range(group.size)]


def test_conflicting_rows_are_those_of_groups_with_several_labels() -> None:
    """Unlabelled rows contradict nobody."""
    group = np.array([0, 0, 1, 1, 2, 2, 3])
    labels = np.array([0, 1, 1, 1, -1, 0, -1])
    assert duplicates.conflicting(group, labels).tolist() == [True, True, False, False, False, False, False]


def test_moved_rows_are_numbered_anew() -> None:
    """After rows were moved, groups count from 0 again in the order in which they appear."""
    assert duplicates.renumbered(np.array([5, 2, 5, 0])).tolist() == [0, 1, 0, 2]
