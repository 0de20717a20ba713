"""A linear model of texts that says in words what a model of embeddings sees in numbers, and how well it does so.

It learns from texts alone what the other model makes of them: its probabilities are the targets (a surrogate; Craven and Shavlik 1996).

Letters: N rows, C classes, h rows held out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.texts import Texts
from relabel.model.explanation import log_odds
from relabel.model.tfidf import TfidfPredictor
from relabel.text import words
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words
from relabel.training.learner import Snapshot
from relabel.training.learners.tfidf import Tfidf
from relabel.training.member import Member

VOCABULARY = 20_000
WEIGHT_DECAY = 0.25
"""Weaker than for labels: probabilities have less noise."""

LEAST_HELD = 10
"""Held out rows of which fidelity is said."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How well the words stand for the other model, on texts that were not learned from.

    rows:      h.
    agreement: share of them that get the same class.
    r2:        share of the variance of the other model's log odds that is explained; below 0 it is worse than their mean.
    """

    rows: int
    agreement: float
    r2: float

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return dataclasses.asdict(self)

    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"On {self.rows} texts that it did not learn from, the model of words gives the class of the model that it explains to "
            f"{self.agreement:.1%} and explains {max(self.r2, 0.0):.0%} of the variance of its log odds."
        )


@dataclass(frozen=True, slots=True, eq=False)
class SideModel:
    """A model of words and its reader. fidelity is None where too few rows were held out."""

    read: Words
    predictor: TfidfPredictor
    fidelity: Fidelity | None


def fitted(
    texts: Texts,
    probability: NDArray[np.floating],
    rows: NDArray[np.integer],
    held: NDArray[np.integer],
    preprocessing: Preprocessing | None = None,
) -> SideModel:
    """Fit a model of words to what another model makes of texts (N,).

    probability: (N, C) by the other model; on `rows` by such as did not learn from them.
    rows:        those learned from.
    held:        (h,) those that tell the fidelity, no duplicates of the others.
    """
    read = words.learned(texts.among(rows), preprocessing or Preprocessing(), vocabulary=VOCABULARY)
    learner = Tfidf(probability.shape[1], len(read.terms), WEIGHT_DECAY)
    targets = probability[rows].astype(np.float32)
    member = Member(np.arange(rows.size, dtype=np.int32), targets, np.ones(rows.size, np.float32), 0)
    predictor = TfidfPredictor(learner.fit_one(read(texts.among(rows)), member, None, _Alone()))
    fidelity = None
    if held.size >= LEAST_HELD:
        fidelity = compared(probability[held], predictor(read(texts.among(held))))
    return SideModel(read, predictor, fidelity)


def compared(probability: NDArray[np.floating], by_words: NDArray[np.floating]) -> Fidelity:
    """Compare the probabilities (h, C) of a model with those of the model of words."""
    agreement = (probability.argmax(axis=1) == by_words.argmax(axis=1)).mean()
    odds, told = log_odds(probability), log_odds(by_words)
    spread = ((odds - odds.mean(axis=0)) ** 2).sum()
    return Fidelity(len(probability), float(agreement), float(1 - ((odds - told) ** 2).sum() / max(spread, 1e-12)))


class _Alone:
    """A run that nobody asks to end: it takes seconds."""

    kept: Snapshot | None = None

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def safe_point(self, done: int, total: int, snapshot: Callable[[], Snapshot]) -> None:
        pass
