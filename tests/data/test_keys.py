"""Promises of the keys of rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data import keys
from relabel.data.examples import Dense


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_each_key_finds_the_first_one_equal_to_it(pairs) -> None:
    """Both halves count, and the first row of equal ones stands for all."""
    found = keys.first_equal(np.array(pairs, np.uint64).reshape(-1, 2))
    assert found.tolist() == [pairs.index(pair) for pair in pairs]


@pytest.mark.parametrize("block", [1, 24, 1 << 22])
def test_equal_vectors_have_equal_keys(monkeypatch, block) -> None:
    """Whatever is read at a time and however it is stored; -0.0 is 0.0, and any other difference shows."""
    monkeypatch.setattr(keys, "BLOCK_BYTES", block)
    array = np.array([[0.0, 1], [-0.0, 1], [0, 1.5], [0, 1.5], [1.5, 0]])
    found = keys.of_features(Dense(array))
    assert keys.first_equal(found).tolist() == [0, 0, 2, 2, 4]
    assert np.array_equal(found, keys.of_features(Dense(array.astype(np.float16))))
    assert np.signbit(array[1, 0])


def test_texts_have_keys_whatever_they_hold() -> None:
    """Empty ones, other scripts, halves of characters."""
    found = keys.of_texts(np.array(["", "é", "\ud800", "é"], np.object_))
    assert keys.first_equal(found).tolist() == [0, 1, 2, 1]
