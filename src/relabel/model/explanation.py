"""Which words of a text drove a prediction.

Of a linear model of words this is known exactly: its log odds are a sum over terms, and a term of several words is shared evenly among them.
Of every other model it is tried (occlusion; Zeiler and Fergus 2014): a word is left out wherever it stands, and the fall of the log odds is
what it was worth, the other words being there. So of two words that say the same, each may seem worth little.

Letters: n texts, C classes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relabel.model.predictor import Predictor
from relabel.model.tfidf import Entries, TfidfPredictor
from relabel.text.preprocessing import WORD
from relabel.text.reader import Reader
from relabel.text.words import Words

TOP = 10
"""Words that are given of a text."""

SINGLE = 64
"""Words that are left out one by one. Of a text with more distinct words only those of the runs that matter most are."""

RUNS = 32
"""Runs of neighbouring words of such a text, which are left out first, one run after another."""

BATCH, PIECES_AT_ONCE = 1024, 1 << 18
"""Variants of texts that are predicted at once, and their pieces together: bounds the memory of long ones."""

TEXTS = 32
"""Texts whose variants are held at once."""

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 before their odds: nearer, single precision has no digits."""

PIECES = re.compile(f"({WORD})")
"""Cuts a text at its words."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text gets its class.

    label:       the class that is explained.
    probability: of that class, by the model that is explained.
    words:       with the log odds of the class that each brings, the largest effect first; below 0 it speaks against the class.
    method:      `exact` or `occlusion`.
    """

    label: int
    probability: float
    words: tuple[tuple[str, float], ...]
    method: Literal["exact", "occlusion"]

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "label": classes[self.label],
            "probability": round(self.probability, 6),
            "method": self.method,
            "words": [[word, round(weight, 4)] for word, weight in self.words],
        }


@dataclass(frozen=True, slots=True)
class Split:
    """A text cut at its words.

    pieces: which make the text, one after another.
    words:  the word that each piece is; "" where it is none, such as a space. The same word may stand in several pieces.
    """

    pieces: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def distinct(self) -> list[str]:
        """Its words, each once, in their order."""
        return [word for word in dict.fromkeys(self.words) if word]

    def without(self, left_out: Collection[str]) -> list[str]:
        """Give the pieces, less those that are these words."""
        return [piece for piece, word in zip(self.pieces, self.words, strict=True) if word not in left_out]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A model that is asked about texts with words left out."""

    read: Reader
    predictor: Predictor

    def split(self, text: str) -> Split:
        """Cut a text at its words, as the model's reader has them where it reads words."""
        if isinstance(self.read, Words):
            words = tuple(self.read.words(text))
            return Split(words, words)
        pieces = PIECES.split(text)
        return Split(tuple(pieces), tuple(piece.lower() if n % 2 else "" for n, piece in enumerate(pieces)))

    def probability(self, variants: Iterable[list[str]]) -> NDArray[np.float32]:
        """Give probabilities (n, C) of texts in pieces (n,)."""
        found = [np.empty((0, self.predictor.classes), np.float32)]
        for batch in _batches(variants):
            words = self.read.numbered(batch) if isinstance(self.read, Words) else None
            found.append(self.predictor(self.read(["".join(one) for one in batch]) if words is None else words))
        return np.concatenate(found)

    def without(
        self, texts: Sequence[Split], labels: NDArray[np.int64], left_out: Sequence[Sequence[Collection[str]]]
    ) -> list[NDArray[np.float64]]:
        """For each text, give the probability of its label with each of these sets of words left out."""
        variants = (text.without(words) for text, sets in zip(texts, left_out, strict=True) for words in sets)
        count = [len(sets) for sets in left_out]
        probability = self.probability(variants)[np.arange(sum(count)), np.repeat(labels, count)]
        return np.split(probability.astype(np.float64), np.cumsum(count)[:-1])


def explain(
    texts: Sequence[str],
    read: Reader,
    predictor: Predictor,
    *,
    top: int = TOP,
    labels: NDArray[np.int64] | None = None,
) -> list[Explanation]:
    """Explain the class of each text (n,): the likeliest, or that of `labels` (n,).

    top: most words of each.

    Costs one prediction of a text for each of its distinct words, SINGLE + RUNS at most; next to nothing for a linear model of words.
    """
    asked = Asked(read, predictor)
    found: list[Explanation] = []
    for start in range(0, len(texts), TEXTS):
        place = slice(start, start + TEXTS)
        some = [asked.split(text) for text in texts[place]]
        probability = asked.probability([list(text.pieces) for text in some])
        chosen = probability.argmax(axis=1) if labels is None else labels[place]
        if isinstance(read, Words) and isinstance(predictor, TfidfPredictor):
            weights, method = (
                [_shares(text, int(c), read, predictor) for text, c in zip(some, chosen, strict=True)],
                "exact",
            )
        else:
            weights, method = _falls(some, chosen, asked), "occlusion"
        found += [
            Explanation(int(c), float(p[c]), _largest(words, top), method)  # type: ignore[arg-type]  # one of the two
            for c, p, words in zip(chosen, probability, weights, strict=True)
        ]
    return found


def log_odds(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give log p / (1 - p)."""
    kept = probability.astype(np.float64).clip(SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def _batches(variants: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    """Take variants together, as many as BATCH and PIECES_AT_ONCE allow, one at least."""
    batch: list[list[str]] = []
    pieces = 0
    for variant in variants:
        if batch and (len(batch) == BATCH or pieces + len(variant) > PIECES_AT_ONCE):
            yield batch
            batch, pieces = [], 0
        batch.append(variant)
        pieces += len(variant)
    if batch:
        yield batch


def _shares(text: Split, label: int, read: Words, predictor: TfidfPredictor) -> dict[str, float]:
    """Give the words of a text, with their part of the logit of a class above the mean of the others."""
    entries: Entries = predictor.entries(read.numbered([list(text.pieces)]))
    others = np.delete(predictor.weight, label, axis=0).mean(axis=0)
    brings = entries.value * (predictor.weight[label] - others)[entries.term]
    found = dict.fromkeys(text.distinct, 0.0)
    for term, weight in zip(entries.term.tolist(), brings.tolist(), strict=True):
        if weight:
            words = read.term(term).split(" ")
            for word in words:
                found[word] += weight / len(words)
    return found


def _falls(texts: list[Split], labels: NDArray[np.int64], asked: Asked) -> list[dict[str, float]]:
    """Leave words out one by one, in long texts only those of the runs that matter most."""
    runs = [_runs(text.distinct) for text in texts]
    odds = [log_odds(each) for each in asked.without(texts, labels, [[(), *own] for own in runs])]
    worth = [own[0] - own[1:] for own in odds]
    found = [
        {run[0]: float(fall) for run, fall in zip(own, falls, strict=True)} if _are_single(own) else {}
        for own, falls in zip(runs, worth, strict=True)
    ]
    singles = [[] if _are_single(own) else _chosen(own, falls) for own, falls in zip(runs, worth, strict=True)]
    later = asked.without(texts, labels, [[(word,) for word in own] for own in singles])
    for n, (words, without) in enumerate(zip(singles, later, strict=True)):
        found[n] |= dict(zip(words, (odds[n][0] - log_odds(without)).tolist(), strict=True))
    return found


def _runs(words: list[str]) -> list[list[str]]:
    """Give each word as a run of its own, or RUNS runs of about the same length where there are more than SINGLE."""
    if len(words) <= SINGLE:
        return [[word] for word in words]
    ends = np.linspace(0, len(words), RUNS + 1).round().astype(int).tolist()
    return [words[start:end] for start, end in pairwise(ends)]


def _are_single(runs: list[list[str]]) -> bool:
    return all(len(run) == 1 for run in runs)


def _chosen(runs: list[list[str]], worth: NDArray[np.float64]) -> list[str]:
    """Give SINGLE words, from the runs whose absence changes most."""
    order = np.argsort(-np.abs(worth), kind="stable")
    return [word for n in order for word in runs[n]][:SINGLE]


def _largest(words: dict[str, float], top: int) -> tuple[tuple[str, float], ...]:
    """Order words by the size of their effect; those without any are left out."""
    order = sorted(words.items(), key=lambda item: -abs(item[1]))
    return tuple((word, weight) for word, weight in order[:top] if weight)
