"""Texts as the numbers of their terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.tokens import FIRST, NOTHING, UNKNOWN
from relabel.errors import UserError
from relabel.text import reader
from relabel.text.preprocessing import Preprocessing
from relabel.text.reader import TextInput
from relabel.text.words import Words, learned

PLAIN = Preprocessing()


def ids(words: Words, text: str) -> list[int]:
    """Read one text."""
    return words([text]).ids.tolist()


def test_terms_come_by_the_texts_they_stand_in_and_rare_ones_not_at_all() -> None:
    """Twice in one text counts once; equals come by the alphabet; a word of one text has no number."""
    found = learned(["b a a", "b c", "b c a", "only"], PLAIN, vocabulary=10)
    assert found.terms == ("b", "a", "c")
    assert ids(found, "b new a") == [FIRST, UNKNOWN, FIRST + 1]
    assert learned(["b a", "b a"], PLAIN, vocabulary=1).terms == ("a",)


def test_runs_of_words_are_terms_too() -> None:
    """They stand behind the words; unknown ones are left out."""
    found = learned(["not good", "not good", "good film", "good film"], PLAIN, vocabulary=10, ngrams=2)
    assert set(found.terms) == {"good", "not", "film", "not good", "good film"}
    number = {term: FIRST + n for n, term in enumerate(found.terms)}
    assert ids(found, "not good film") == [number[t] for t in ("not", "good", "film", "not good", "good film")]
    assert ids(found, "film not") == [number["film"], number["not"]]


@pytest.mark.parametrize(("keep", "left"), [("head", "a b c"), ("tail", "e f g"), ("ends", "a b g")])
def test_a_long_text_is_cut_where_it_is_said(keep, left) -> None:
    """The first words, the last, or half of each."""
    found = Words(PLAIN, tuple("abcdefg"), max_tokens=3, truncate=keep)
    assert found.words("a b c d e f g") == left.split()
    assert found.words("a b") == ["a", "b"]


def test_an_empty_text_is_nothing() -> None:
    """It has one id all the same."""
    assert ids(learned(["a", "a"], PLAIN, vocabulary=5), "") == [NOTHING]
    assert learned([], PLAIN, vocabulary=5).terms == ()


@given(st.lists(st.text(alphabet="abc <>&é", max_size=30), min_size=1, max_size=6))
def test_a_text_reads_the_same_alone_and_through_its_description(texts) -> None:
    """Whatever it comes with, and whatever wrote down how to read it."""
    found = learned(texts * 2, Preprocessing(stemming="english"), vocabulary=50, ngrams=2, max_tokens=8)
    again = reader.load(reader.of_words(found))
    together = found(texts)
    for row, text in enumerate(texts):
        own = together.ids[together.starts[row] : together.starts[row + 1]].tolist()
        assert own == ids(found, text) == again([text]).ids.tolist()


def test_a_reader_that_this_version_does_not_know_is_refused() -> None:
    """By its kind, and by its settings."""
    with pytest.raises(UserError, match="'signs'"):
        reader.load(TextInput("signs", {}))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="not described as this version expects"):
        reader.load(TextInput("words", {"preprocessing": {"colour": 1}}))
