"""Promises of texts as matrices of their terms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.tokens import FIRST, Tokens
from relabel.training import terms

TERMS = 6
TEXTS = st.lists(st.lists(st.integers(1, TERMS + FIRST - 1), max_size=8), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch) -> None:
    """Let a text or two be counted at a time."""
    monkeypatch.setattr(terms, "BLOCK", 7)


@given(TEXTS, st.data())
def test_chosen_texts_are_counted_as_they_are(texts, data) -> None:
    """In any order, and more than once."""
    tokens = Tokens.of(texts)
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=20)), np.intp)
    plain = np.array([np.bincount(text or [0], minlength=TERMS + FIRST) for text in texts])
    assert (terms.counted(tokens, TERMS).toarray() == plain).all()
    assert (terms.counted(tokens, TERMS, rows).toarray() == plain[rows]).all()


@given(TEXTS)
def test_weighed_texts_have_the_length_1(texts) -> None:
    """Or 0, where nothing in them is known or tells texts apart; what is rare weighs more."""
    counts = terms.counted(Tokens.of(texts), TERMS)
    before = counts.toarray()
    terms.weigh(counts, terms.rareness(terms.counted(Tokens.of(texts), TERMS)))
    known = before[:, FIRST:].any(axis=1)
    assert np.linalg.norm(counts.toarray(), axis=1) == pytest.approx(known.astype(float))


def test_of_very_many_texts_a_model_learns_from_a_part(monkeypatch) -> None:
    """Of all where they are few; else of as many, drawn anew for each seed, as have about so many tokens."""
    lengths = np.random.default_rng(0).integers(1, 20, 1000)
    assert (terms.part(lengths, 1) == np.arange(1000)).all()
    monkeypatch.setattr(terms, "MOST", 2000)
    one, again, other = (terms.part(lengths, seed) for seed in (1, 1, 2))
    assert (one == again).all()
    assert not np.array_equal(one, other)
    assert (np.diff(one) > 0).all()
    assert lengths[one].sum() == pytest.approx(2000, rel=0.1)
