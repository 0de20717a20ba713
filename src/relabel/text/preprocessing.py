"""From a text to its words: the one code path of training and serving.

What a text goes through is data (Preprocessing), which the artifact carries, so that an endpoint sees the words that the model has learned.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from relabel.settings import Characters, Stemming, StopWords

TAG = re.compile(r"<[/!]?[a-zA-Z-][^<>]*>")
"""A tag or a comment. None of its parts may hold another bracket, so that no text takes long."""
LONG_REFERENCE = re.compile(r"&#[0-9]{8,}")
"""A character reference to no character: reading its number would fail, or take long."""
MARKS = re.compile(r"([^\w\s]{64})")
"""More marks in a row than any script has. They are composed piece by piece: sorting a million of them takes hours."""
LONGEST_STEMMED = 64
"""Letters of a word that has endings; the stemmers take the square of time for some longer ones."""
ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of scripts that put no spaces between words: kana and Han. Each is a word."""
WORD = rf"[{ALONE}]|(?:(?![{ALONE}])[^\W_])+(?:['\u2019](?:(?![{ALONE}])[^\W_])+)*"
"""Letters and digits of any script, with apostrophes between them: `don't` is one word."""
PATTERNS: dict[Characters, re.Pattern[str]] = {
    "words": re.compile(WORD),
    "ascii": re.compile(r"[a-zA-Z0-9]+"),
    "all": re.compile(rf"{WORD}|[^\s\w]|_"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """What a text goes through on the way to its words.

    strip_html: drop tags, and read character references (`&amp;`).
    lowercase:  make all letters small.
    characters: `words` are letters and digits of any script, with apostrophes inside; `ascii` are a-z, A-Z and 0-9 alone; `all` keeps
                punctuation and symbols too, each as a word of its own.
    stop_words: leave out the most common words of a language. Negations stay.
    stemming:   the algorithm that takes endings off.
    """

    strip_html: bool = True
    lowercase: bool = True
    characters: Characters = "words"
    stop_words: StopWords = "none"
    stemming: Stemming = "none"


class Splitter:
    """Splits texts into words. Not for several threads at once: it remembers the stems of words."""

    def __init__(self, chosen: Preprocessing) -> None:
        self._chosen = chosen
        self._find = PATTERNS[chosen.characters].findall
        self._left_out = stop_words() if chosen.stop_words == "english" else frozenset()
        self._stem = _stemmer(chosen.stemming)
        self._stems: dict[str, str] = {}

    def __call__(self, text: str) -> list[str]:
        """Give the words of a text, in order."""
        found: list[str] = self._find(self._plain(text))
        if self._left_out:
            found = [word for word in found if word.lower() not in self._left_out]
        return found if self._stem is None else [*self._stemmed(found, self._stem)]

    def _plain(self, text: str) -> str:
        if self._chosen.strip_html and ("<" in text or "&" in text):
            text = html.unescape(LONG_REFERENCE.sub(" ", TAG.sub(" ", text)))
        if not text.isascii():
            pieces = MARKS.split(text)
            text = "".join(unicodedata.normalize("NFKC", piece) for piece in pieces).replace("\u2019", "'")
        return text.lower() if self._chosen.lowercase else text

    def _stemmed(self, words: Sequence[str], stem: Callable[[str], str]) -> Iterator[str]:
        known = self._stems
        for word in words:
            found = known.get(word)
            if found is None:
                if len(known) >= MOST_STEMS:
                    known.clear()  # what is sent to an endpoint must not fill its memory
                found = known[word] = stem(word) if len(word) <= LONGEST_STEMMED else word
            yield found


MOST_STEMS = 1 << 18
"""Words whose stems are remembered."""


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Give the English words that are left out: articles, pronouns, prepositions, auxiliaries; no negations."""
    listed = resources.files("relabel.text").joinpath("stop_words_english.txt").read_text(encoding="utf-8")
    return frozenset(word for line in listed.splitlines() if not line.startswith("#") for word in line.split())


def _stemmer(name: Stemming) -> Callable[[str], str] | None:
    if name == "none":
        return None
    import snowballstemmer  # noqa: PLC0415  # only where it is asked for

    stem: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return stem
