"""Tokens: texts as numbers."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.room import Room
from relabel.data.tokens import NOTHING, Tokens

TEXTS = st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=8)


@given(TEXTS, st.data())
def test_chosen_texts_are_those_texts(texts, data) -> None:
    """Whatever rows are taken, in any order and more than once, each has its own ids."""
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=10)), np.intp)
    taken = Tokens.of(texts).take(rows)
    assert len(taken) == rows.size
    for place, row in enumerate(rows.tolist()):
        own = taken.ids[taken.starts[place] : taken.starts[place + 1]].tolist()
        assert own == (texts[row] or [NOTHING])


@given(TEXTS)
def test_padding_stands_behind_the_words(texts) -> None:
    """One line a text, as long as the longest, filled up with nothing."""
    tokens = Tokens.of(texts)
    every = tokens.padded()
    assert every.shape == tokens.shape
    for line, ids in zip(every.tolist(), texts, strict=True):
        assert line[: len(ids)] == ids
        assert not any(line[len(ids) :])


@given(st.lists(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5), max_size=4))
@pytest.mark.parametrize("memory", [1 << 20, 0], ids=["memory", "disk"])
def test_parts_make_one(memory, parts) -> None:
    """Wherever they lie."""
    whole = Tokens.joined(map(Tokens.of, parts), Room(memory))
    expected = Tokens.of([text for part in parts for text in part])
    assert whole.ids.tolist() == expected.ids.tolist()
    assert whole.starts.tolist() == expected.starts.tolist()
    rows = np.arange(len(expected))[::-1]
    assert whole.take(rows).ids.tolist() == expected.take(rows).ids.tolist()


def test_what_has_no_room_is_never_in_memory(tmp_path) -> None:
    """Neither while tokens are put together nor when they are there."""
    part = Tokens.of([[3] * 1000] * 100)
    tracemalloc.start()
    try:
        whole = Tokens.joined((part for _ in range(100)), Room(0, tmp_path))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert whole.ids.size == 10_000_000
    assert most < 4_000_000


def test_no_texts_are_no_tokens() -> None:
    """Nothing in, nothing out."""
    assert Tokens.of([]).shape == (0, 0)
    assert Tokens.of([[3]]).take(np.empty(0, np.intp)).padded().shape == (0, 0)
