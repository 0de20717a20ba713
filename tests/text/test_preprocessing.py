"""From a text to its words."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.text.preprocessing import Preprocessing, Splitter, stop_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's GREAT,<br /><br />don't miss it!", ["it's", "great", "don't", "miss", "it"]),
        ("fish &amp; chips &lt;3", ["fish", "chips", "3"]),
        ("1 < 2 and 3 > 2", ["1", "2", "and", "3", "2"]),
        ("d\u2019accord, \u00e7a va", ["d'accord", "\u00e7a", "va"]),
        (
            "\u043e\u0442\u043b\u0438\u0447\u043d\u043e, \u0433\u043e\u0434 2024",
            ["\u043e\u0442\u043b\u0438\u0447\u043d\u043e", "\u0433\u043e\u0434", "2024"],
        ),
        ("\u5f88\u597d\u770b good", ["\u5f88", "\u597d", "\u770b", "good"]),
        ("\u0631\u0627\u0626\u0639 \u062c\u062f\u0627", ["\u0631\u0627\u0626\u0639", "\u062c\u062f\u0627"]),
        ("", []),
        (" \t\n\x00\x07 ", []),
        ("\U0001f600\U0001f600 nice \ud800", ["nice"]),
        ("\uff27\uff2f\uff2f\uff24 \ufb01ne", ["good", "fine"]),
    ],
)
def test_a_text_becomes_these_words(text, words) -> None:
    """HTML goes, scripts of all kinds stay, what is no word is left out, and spellings of one character are one."""
    assert Splitter(Preprocessing())(text) == words


def test_settings_say_what_stays() -> None:
    """Each step can be turned off, or on."""
    text = "The <b>Movies</b> were NOT running, naïve: 5/10!"
    assert Splitter(Preprocessing(strip_html=False, lowercase=False))(text)[:5] == ["The", "b", "Movies", "b", "were"]
    assert Splitter(Preprocessing(characters="ascii"))(text)[-4:] == ["na", "ve", "5", "10"]
    assert Splitter(Preprocessing(characters="all"))(text)[-6:] == ["naïve", ":", "5", "/", "10", "!"]
    assert Splitter(Preprocessing(stop_words="english", stemming="porter"))(text) == [
        "movi",
        "not",
        "run",
        "naïv",
        "5",
        "10",
    ]


def test_negations_are_no_stop_words() -> None:
    """Without them a bad review reads like a good one."""
    assert not {"no", "not", "nor", "never", "none", "cannot", "don't", "isn't", "wasn't", "won't"} & stop_words()
    assert {"the", "a", "is", "it", "of"} <= stop_words()


@given(st.text())
def test_any_text_has_words_and_always_the_same(text) -> None:
    """No text fails, and one that was read before reads as before."""
    for chosen in (Preprocessing(), Preprocessing(characters="all", stemming="english", stop_words="english")):
        split = Splitter(chosen)
        first = split(text)
        assert split(text) == first == Splitter(chosen)(text)
        assert all(first)


def test_a_hostile_text_takes_no_longer_than_others() -> None:
    """A million opening brackets, or a tag that never ends, are read in a moment."""
    for text in ("<" * 1_000_000, "<a" * 500_000, "<!--" * 250_000, "&" * 1_000_000, "'" * 1_000_000, "a'" * 500_000):
        started = time.perf_counter()
        Splitter(Preprocessing())(text)
        assert time.perf_counter() - started < 3
