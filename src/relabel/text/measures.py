"""What can be measured of a text: how long it is, how much of it is known, how it feels, how hard it is to read.

Polarity and subjectivity are those of textblob's English analyser, the readability indices those of the package `readability`; the data of
both come with them. Its SMOG, Dale-Chall and others are grades of school years, higher is harder; of Flesch's reading ease lower is harder, and
LIX is a scale of its own. (Linsear Write is not among them.)

Letters: n texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relabel.text.preprocessing import TAG, Preprocessing, Splitter, stop_words
from relabel.text.words import Words

Measures = dict[str, NDArray[np.float32]]

PLAIN: Mapping[str, str] = {
    "characters": "Characters in the text",
    "words": "Words in the text",
    "unknown_share": "Share of words that the training texts do not have",
}
ENGLISH: Mapping[str, str] = {
    "polarity": "Polarity, from -1 (negative) to 1 (positive)",
    "subjectivity": "Subjectivity, from 0 to 1",
    "automated_readability": "Automated readability index",
    "coleman_liau": "Coleman-Liau index",
    "dale_chall": "Dale-Chall index",
    "difficult_words": "Words that are not in Dale and Chall's list of easy ones",
    "flesch_kincaid": "Flesch-Kincaid grade",
    "flesch_reading_ease": "Flesch reading ease",
    "gunning_fog": "Gunning fog index",
    "smog": "SMOG index",
    "lix": "LIX",
}
TITLES: Mapping[str, str] = {**PLAIN, **ENGLISH}
"""Name of a measure -> what it is, for people."""

LONGEST = 20_000
"""Characters of a text that are read for the English measures."""

SENTENCE = re.compile(r"(?<![.!?…])[.!?…]++[\"'\u201d\u2019)\]]*+\s++|\n++|<br\s*+/?>", re.IGNORECASE)
"""What stands between two sentences. Each part takes a run whole or not at all, so that no text takes long."""

LONG_WORD, COMPLEX = 7, 3
"""Letters of a long word, syllables of a complex one, as `readability` counts them."""


def measure_plain(texts: Sequence[str], known: Words) -> Measures:
    """Give each measure of PLAIN, (n,); NaN for a text of which nothing is left to count.

    known: the vocabulary, and how texts become words.
    """
    alone = replace(known, ngrams=1, max_tokens=0)
    vocabulary = frozenset(alone.terms)
    out = np.full((len(PLAIN), len(texts)), np.nan, np.float32)
    for n, text in enumerate(texts):
        if text:
            words = alone.words(text)
            unknown = sum(word not in vocabulary for word in words)
            out[:, n] = len(text), len(words), unknown / len(words) if words else np.nan
    return dict(zip(PLAIN, out, strict=True))


def english_share(texts: Sequence[str]) -> float:
    """Give the share of words that are English function words: about 0.4 in English, below 0.1 in most other languages."""
    split, common = Splitter(Preprocessing()), stop_words()
    found = [word in common for text in texts for word in split(text[:LONGEST])]
    return float(np.mean(found)) if found else 0.0


def measure_english(texts: Sequence[str]) -> Measures:
    """Give each measure of ENGLISH, (n,); NaN for a text without words. Only the first LONGEST characters of a text are read."""
    from textblob.en import sentiment  # noqa: PLC0415  # a second, only where texts are measured

    read = _Readability()
    out = np.full((len(ENGLISH), len(texts)), np.nan, np.float32)
    for n, text in enumerate(texts):
        begin = text[:LONGEST]
        grades = read(begin)
        if grades is not None:
            out[:, n] = (*sentiment(TAG.sub(" ", begin)), *grades)
    return dict(zip(ENGLISH, out, strict=True))


class _Word(NamedTuple):
    """What a word adds to each count."""

    characters: int
    syllables: int
    long: bool
    complex: bool
    difficult: bool


class _Readability:
    """The indices of `readability`, by its formulas, syllables and easy words; each distinct word is looked at once, which is ten times faster."""

    def __init__(self) -> None:
        import readability  # noqa: PLC0415  # only where texts are measured

        english = readability.LANGDATA["en"]
        self._of = readability
        self._syllables: Callable[[str], int] = english["syllables"]
        self._easy: frozenset[str] = frozenset(english["basicwords"])
        self._split = Splitter(Preprocessing(lowercase=False))
        self._seen: dict[str, _Word] = {}

    def __call__(self, text: str) -> tuple[float, ...] | None:
        """Give the indices in the order of ENGLISH, from automated readability on; None where there are no words."""
        lines = [words for sentence in SENTENCE.split(text) if (words := self._split(sentence))]
        if not lines:
            return None
        counted = np.array([self._seen.get(word) or self._word(word) for words in lines for word in words])
        characters, syllables, long, many, difficult = counted.sum(axis=0).tolist()
        count, sentences, of = len(counted), len(lines), self._of
        return (
            of.ARI(characters, count, sentences),
            of.ColemanLiauIndex(characters, count, sentences),
            of.DaleChallIndex(count, difficult, sentences),
            difficult,
            of.KincaidGradeLevel(syllables, count, sentences),
            of.FleschReadingEase(syllables, count, sentences),
            of.GunningFogIndex(count, many, sentences),
            of.SMOGIndex(many, sentences),
            of.LIX(count, long, sentences),
        )

    def _word(self, word: str) -> _Word:
        syllables = self._syllables(word)
        named = word[0].isupper() or word.isdigit()  # names and numbers are neither complex nor difficult
        found = _Word(
            len(word),
            syllables,
            len(word) >= LONG_WORD,
            not named and syllables >= COMPLEX,
            not named and word.lower() not in self._easy,
        )
        self._seen[word] = found
        return found
