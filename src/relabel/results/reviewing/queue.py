"""The order in which people are asked: disputes, then what puts most labels right, with a share drawn by chance among it.

Letters: Q questions, n of them in the queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.reviews import DISPUTED, RANDOM, Verdict
from relabel.results.reviewing.questions import Questions, Weighed

CONFLICT, WORST = "conflict", "worst"
RANDOM_SHARE = 0.1
"""Usual share of the questions that is drawn by chance."""

STREAM = 5
"""Keeps these draws apart from others made from the same seed."""


@dataclass(frozen=True, slots=True, eq=False)
class Queue:
    """Questions to ask, in order: `question` (n,) int64 into Questions, and why each is asked: `why`, n names."""

    question: NDArray[np.int64]
    why: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.question.size)


def drawn(
    questions: Questions | Weighed,
    wanted: NDArray[np.bool_],
    verdicts: Mapping[int, Verdict],
    *,
    count: int,
    random_share: float,
    seed: int,
) -> Queue:
    """Choose up to `count` questions.

    wanted:       (Q,) those that may be asked, such as the ones of a split.
    verdicts:     what answers came to so far, by question; settled ones are not asked again.
    random_share: of the places that disputes leave, this share goes to questions drawn uniformly from all open ones that
                  are not among the worst: what is found there tells how many errors the others hide.

    Disputed questions come first. The drawn ones stand at random places, so that a queue that is done in part has its
    share of them.
    """
    rng = np.random.default_rng((seed, STREAM))
    settled = [question for question, verdict in verdicts.items() if verdict.answer is not None]
    disputed = np.array(sorted(set(verdicts) - set(settled)), np.int64)
    disputed = disputed[wanted[disputed]]
    open_ = wanted & ~questions.reviewed
    open_[settled] = False
    open_[disputed] = False
    disputed = worst_first(questions, disputed)[:count]
    ordered = worst_first(questions, np.flatnonzero(open_))
    places = min(count - disputed.size, ordered.size)
    by_chance = round(random_share * places)
    worst, rest = ordered[: places - by_chance], ordered[places - by_chance :]
    chance = rng.choice(rest, by_chance, replace=False)
    drawn_here = np.isin(np.arange(places), rng.choice(places, by_chance, replace=False))
    mixed = np.empty(places, np.int64)
    mixed[drawn_here], mixed[~drawn_here] = chance, worst
    why = [
        RANDOM if by_luck else CONFLICT if questions.conflict[question] else WORST
        for question, by_luck in zip(mixed.tolist(), drawn_here.tolist(), strict=True)
    ]
    return Queue(np.concatenate([disputed, mixed]), (*[DISPUTED] * disputed.size, *why))


def worst_first(questions: Questions | Weighed, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order questions (n,): conflicting ones first, then by value, then as they stand in the data."""
    ordered: NDArray[np.int64] = chosen[np.lexsort((chosen, -questions.value[chosen], ~questions.conflict[chosen]))]
    return ordered
