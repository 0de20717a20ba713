"""Tokens: texts as numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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


def test_no_texts_are_no_tokens() -> None:
    """Nothing in, nothing out."""
    assert Tokens.of([]).shape == (0, 0)
    assert Tokens.of([[3]]).take(np.empty(0, np.intp)).padded().shape == (0, 0)
