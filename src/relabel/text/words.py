"""Texts as the numbers of their terms: words, and runs of neighbouring words, of a vocabulary.

Letters: N texts, V terms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, UNKNOWN, Tokens
from relabel.settings import Truncation
from relabel.text.preprocessing import Preprocessing, Splitter

LEAST_TEXTS = 2
"""Texts in which a term must stand to be in a vocabulary."""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Reads texts into Tokens: the same text always gives the same ids.

    preprocessing: from text to words.
    terms:         (V,) from the most frequent on; term n has the id FIRST + n. Words of a run stand with a space between them.
    ngrams:        words of the longest run.
    max_tokens:    most words of a text; 0 is no limit.
    truncate:      which words of a longer text stay: the first (`head`), the last (`tail`) or half of each (`ends`).
    """

    preprocessing: Preprocessing
    terms: tuple[str, ...]
    ngrams: int = 1
    max_tokens: int = 0
    truncate: Truncation = "ends"
    _id: dict[str, int] = field(init=False, repr=False)
    _split: Splitter = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_id", {term: FIRST + n for n, term in enumerate(self.terms)})
        object.__setattr__(self, "_split", Splitter(self.preprocessing))

    def __call__(self, texts: Sequence[str]) -> Tokens:
        """Read texts (N,). Of single words those that are not in the vocabulary are UNKNOWN, of runs they are left out."""
        return self.numbered(self.words(text) for text in texts)

    def numbered(self, texts: Iterable[list[str]]) -> Tokens:
        """Read texts that are words already."""
        return Tokens.of(self._ids(words) for words in texts)

    def words(self, text: str) -> list[str]:
        """Give the words of a text that count."""
        return _cut(self._split(text), self.max_tokens, self.truncate)

    def term(self, number: int) -> str:
        """Give the term of an id, FIRST or more."""
        return self.terms[number - FIRST]

    def _ids(self, words: list[str]) -> list[int]:
        known = self._id.get
        ids = [known(word, UNKNOWN) for word in words]
        for length in range(2, self.ngrams + 1):
            ids += [found for run in _runs(words, length) if (found := known(run)) is not None]
        return ids


def learned(
    texts: Iterable[str],
    preprocessing: Preprocessing,
    *,
    vocabulary: int,
    ngrams: int = 1,
    max_tokens: int = 0,
    truncate: Truncation = "ends",
) -> Words:
    """Choose the terms that stand in most texts, at most `vocabulary` of them and each in LEAST_TEXTS at least; equals by the alphabet."""
    split = Splitter(preprocessing)
    number: dict[str, int] = {}
    read = [
        np.array([number.setdefault(word, len(number)) for word in _cut(split(text), max_tokens, truncate)], np.int64)
        for text in texts
    ]
    names = list(number)
    counts: Counter[str] = Counter()
    for length in range(1, ngrams + 1):
        counts.update(_frequent(read, names, length, vocabulary))
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Words(preprocessing, tuple(term for term, _ in islice(kept, vocabulary)), ngrams, max_tokens, truncate)


def _frequent(read: list[NDArray[np.int64]], names: list[str], length: int, most: int) -> dict[str, int]:
    """Count the texts in which each run of `length` words stands; the `most` frequent, and all that are as frequent as the last of them."""
    inside = [_keyed(words, length, len(names)) for words in read]
    if not inside or length * np.log2(max(len(names), 2)) >= 63:  # noqa: PLR2004  # bits of a key
        return {}
    keys, counts = np.unique(np.concatenate(inside), return_counts=True)
    least = max(LEAST_TEXTS, int(np.partition(counts, -most)[-most])) if counts.size > most else LEAST_TEXTS
    chosen = counts >= least
    return {
        _named(key, names, length): count
        for key, count in zip(keys[chosen].tolist(), counts[chosen].tolist(), strict=True)
    }


def _keyed(words: NDArray[np.int64], length: int, base: int) -> NDArray[np.int64]:
    """Give each distinct run of a text as one number, whose digits to this base are its words."""
    count = max(0, words.size - length + 1)
    keys = np.zeros(count, np.int64)
    for place in range(length):
        keys = keys * base + words[place : place + count]
    return np.unique(keys)


def _named(key: int, names: list[str], length: int) -> str:
    words = []
    for _ in range(length):
        key, digit = divmod(key, len(names))
        words.append(names[digit])
    return " ".join(reversed(words))


def _runs(words: list[str], length: int) -> Iterable[str]:
    return map(" ".join, zip(*(words[place:] for place in range(length)), strict=False))


def _cut(words: list[str], most: int, keep: Truncation) -> list[str]:
    if not most or len(words) <= most:
        return words
    head = {"head": most, "tail": 0, "ends": (most + 1) // 2}[keep]
    tail = most - head
    return words[:head] + (words[-tail:] if tail else [])
