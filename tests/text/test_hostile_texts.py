"""Promises of reading texts that somebody made to keep us busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from relabel.text.preprocessing import Preprocessing, Splitter

PLAIN = Preprocessing(characters="all")
STEMS = Preprocessing(stemming="porter")

MADE: dict[str, tuple[Preprocessing, Callable[[int], str]]] = {
    "comments without an end": (PLAIN, lambda n: "<!--" * n),
    "marks in a row": (PLAIN, lambda n: "a" + "\u0301\u0316" * n),
    "tags without an end": (PLAIN, lambda n: "<a" * n),
    "references": (PLAIN, lambda n: "&am" * n),
    "a word that a stemmer finds hard": (STEMS, lambda n: "y" * 4 * n),
}


@pytest.mark.parametrize(("chosen", "make"), MADE.values(), ids=MADE.keys())
def test_no_text_takes_long(chosen, make) -> None:
    """Not the square of its length: a megabyte takes a second at most, where some took hours."""
    began = time.perf_counter()
    Splitter(chosen)(make(250_000))
    assert time.perf_counter() - began < 5


def test_a_reference_to_no_character_is_no_failure() -> None:
    """However many digits its number has."""
    assert Splitter(PLAIN)(f"good &#{'9' * 5000}; &#{'0' * 5000} &#65; film") == ["good", ";", "a", "film"]


def test_marks_are_composed_as_ever() -> None:
    """However a letter with a mark is written, also far behind, it is one word."""
    composed, apart = "caf\u00e9 " * 100, "cafe\u0301 " * 100
    assert Splitter(PLAIN)(apart) == Splitter(PLAIN)(composed) == ["caf\u00e9"] * 100
