"""What people label next, out of the traffic that is there.

Four parts, of which each answers another question:

test      drawn by chance from the traffic of this round, and never trained on: is the next model better on what comes now?
random    drawn by chance from all that waits: what does the model not know that it does not know?
unsure    chosen: unsure rows with many like them, far apart from each other
doubtful  labelled rows whose label the last job doubts

Unsure rows alone may teach the places where the model wavers and nothing else. A tenth drawn by chance costs next to nothing where traffic is
plenty, and keeps watch where it moves. Letters: N rows, D width, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import selection
from relabel.auditing.selection import Method
from relabel.errors import AlgorithmError

TEST, RANDOM, UNSURE, DOUBTFUL = "test", "random", "unsure", "doubtful"
STREAM = 11
"""Keeps these draws apart from others made from the same seed."""

RANDOM_SHARE = 0.1
"""Of the rows that are trained on; what it is worth stands in benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Rows (n,) of the pool, no row twice, and why each was chosen (n,)."""

    rows: NDArray[np.intp]
    why: NDArray[np.object_]


def choose(
    probability: NDArray[np.floating],
    features: NDArray[np.float32],
    count: int,
    *,
    fresh: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    test_share: float,
    random_share: float = RANDOM_SHARE,
    method: Method = "margin",
    seed: int,
) -> Chosen:
    """Choose up to `count` rows of a pool (N,), fewer where no more are left that differ.

    probability: (N, C) of the model that serves. features: (N, D).
    fresh:       (N,) traffic of this round, from which the test rows are drawn.
    asked:       (N,) rows that were chosen before: never again, and nothing that is nearly the same.
    test_share:  of the count. random_share: of the rest, beside the method's own choice.
    method:      of `auditing.selection`.

    The draws are made first, so that neither depends on what the method prefers.
    """
    if not len(probability) == len(features) == fresh.size == asked.size:
        raise AlgorithmError(
            f"{len(probability)} probabilities, {len(features)} vectors, {fresh.size} and {asked.size} marks"
        )
    rng = np.random.default_rng((seed, STREAM))
    test = _drawn(np.flatnonzero(fresh & ~asked), round(count * test_share), rng)
    taken = _with(asked, test)
    rest = count - round(count * test_share)
    chance = _drawn(np.flatnonzero(~taken), rest if method == "random" else round(rest * random_share), rng)
    taken = _with(taken, chance)
    unsure = _unsure(
        probability, features, min(rest - chance.size, int((~taken).sum())), taken=taken, method=method, seed=seed
    )
    parts = {TEST: test, RANDOM: chance, UNSURE: unsure}
    why = np.concatenate([np.full(rows.size, name, np.object_) for name, rows in parts.items()])
    return Chosen(np.concatenate([*parts.values()]), why)


def _unsure(
    probability: NDArray[np.floating],
    features: NDArray[np.float32],
    count: int,
    *,
    taken: NDArray[np.bool_],
    method: Method,
    seed: int,
) -> NDArray[np.intp]:
    if count < 1:
        return np.empty(0, np.intp)
    labels = np.where(taken, 0, -1)[:, None]  # which label is of no account: taken rows are passed over
    return selection.select(
        probability, features, count, labels=labels, group=np.arange(taken.size), method=method, seed=seed
    ).rows


def _drawn(rows: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.permutation(rows)[:count]


def _with(marked: NDArray[np.bool_], rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    both = marked.copy()
    both[rows] = True
    return both
