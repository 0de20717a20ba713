"""Promises of knowing training rows again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.examples import Dense
from relabel.model import training_rows


def vectors(rows: int, width: int = 3, seed: int = 0) -> np.ndarray:
    """Draw vectors."""
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


@given(st.integers(0, 40), st.integers(1, 5), st.integers(0, 9))
def test_exactly_the_rows_that_were_collected_are_known(trained, width, seed) -> None:
    """Every one of them, and none of the others, in any order."""
    every = vectors(60, width, seed)
    rows = np.random.default_rng(seed).permutation(60)[:trained]
    known = training_rows.collected(Dense(every), rows)
    assert known.dtype == np.uint64
    assert np.array_equal(known, np.unique(known))
    assert np.flatnonzero(training_rows.among(known, every)).tolist() == sorted(rows.tolist())


def test_rows_are_compared_by_their_float32_values() -> None:
    """-0.0 is 0.0, other precisions and strides make no difference, and the last digit does."""
    one = np.array([[0.0, 1.5, -2.0]], np.float32)
    known = training_rows.collected(Dense(one.astype(np.float64)), np.array([0]))
    assert training_rows.among(known, np.array([[-0.0, 1.5, -2.0]], np.float32)).all()
    assert training_rows.among(known, np.repeat(one, 2, axis=1)[:, ::2]).all()
    assert not training_rows.among(known, np.nextafter(one, np.float32(9))).any()


def test_blocks_make_no_difference(monkeypatch) -> None:
    """Hashed some rows at a time, the hashes are the same."""
    every, rows = vectors(100), np.arange(0, 100, 3)
    whole = training_rows.collected(Dense(every), rows)
    monkeypatch.setattr(training_rows, "BLOCK_BYTES", 50)
    assert np.array_equal(training_rows.collected(Dense(every), rows), whole)


def test_hashes_stay_what_they_were() -> None:
    """Files of them are read by later versions."""
    found = training_rows.hashes(np.array([[0, 1], [-1, 0.5]], np.float32))
    assert [f"{each:016x}" for each in found] == ["eb055cc52ede8ebf", "7aa9cd810a7f082d"]


@given(st.lists(st.text(max_size=5), max_size=9), st.lists(st.text(max_size=5), max_size=9))
def test_exactly_the_texts_that_were_collected_are_known(trained, others) -> None:
    """As they stand, whatever is in them."""
    rows = training_rows.collected_texts(trained)
    assert np.array_equal(rows, np.unique(rows))
    found = training_rows.known(rows, training_rows.text_hashes([*trained, *others]))
    assert found.tolist() == [text in trained for text in [*trained, *others]]


def test_texts_are_compared_as_they_stand() -> None:
    """Another space, case or composition is another text; the hash is that of the UTF-8, also of half a surrogate pair."""
    rows = training_rows.collected_texts(["A caf\u00e9", "\ud800"])
    asked = ["A caf\u00e9", "A caf\u00e9 ", "a caf\u00e9", "A cafe\u0301", "\ud800"]
    assert training_rows.known(rows, training_rows.text_hashes(asked)).tolist() == [True, False, False, False, True]
    assert [f"{each:016x}" for each in training_rows.text_hashes(["a good film"])] == ["39ca60b9aff7923e"]
