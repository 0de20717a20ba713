"""Which rows to annotate next.

A batch should hold rows that the model is unsure of, in places where there are many like them, and far from each other: a row that
nothing resembles teaches about itself alone, and of two that are alike the second tells little. Letters: N rows, D width,
C classes, M annotators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus

from relabel.auditing import confident
from relabel.auditing.probabilities import checked
from relabel.errors import AlgorithmError

Method = Literal["margin", "activelab", "random"]

DIVERSITY = 5
"""Candidates for each row that is chosen. With one, rows of a batch are alike; with 20 or 30, rows come in that the model is sure of."""

NEAR = 0.05
"""Rows are near duplicates up to this share of the mean squared distance of two rows: texts that differ in a mark or two."""

LIKE = 10
"""Neighbours that tell how many rows are like one."""

SAMPLE = 2000
"""Rows among which neighbours are looked for, and that the scale is taken from: more say the same."""

BLOCK = 1024

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The next batch.

    rows:       (n,), the most useful first; fewer than asked for where there are no more that differ.
    margin:     (N,) float64, by how much the likeliest class leads the second.
    score:      (N,) float64, what the method goes by; the lower, the more useful.
    duplicates: near duplicates that were passed over on the way to these rows.
    """

    rows: Rows
    margin: Floats
    score: Floats
    duplicates: int


def select(
    probability: NDArray[np.floating],
    features: Vectors,
    count: int,
    *,
    labels: NDArray[np.int64],
    group: NDArray[np.int64],
    method: Method = "margin",
    diversity: int = DIVERSITY,
    seed: int = 0,
) -> Selection:
    """Choose `count` rows (1 or more) to annotate.

    probability: (N, C) of a model that was not trained on these rows.
    features:    (N, D) embeddings, finite.
    labels:      (N, M) int64 of M annotators, -1 where one gave none. ActiveLab may choose a labelled row again; otherwise nothing
                 that is nearly the same as a labelled row is chosen.
    group:       (N,) duplicate groups; of each, one row at most is chosen.
    method:      margin: 1 less the product of unsureness (1 - margin) and of the mean likeness of the nearest rows; activelab: the
                 score of Goh and Mueller 2023; random: chance.
    diversity:   margin and activelab choose among so many candidates for each row, those of the lowest score, by k-means++ seeding
                 on the embeddings (Arthur and Vassilvitskii 2007), weighted by unsureness; 1 takes the lowest as they are.

    Raises UserError where probabilities are none, AlgorithmError where shapes do not fit.
    """
    _check(features, labels, group, count, diversity)
    rng = np.random.default_rng(seed)
    likely = checked(probability, group.size, probability.shape[-1])
    margin = _margin(likely)
    space = _Space(features, rng)
    score = SCORES[method](likely, labels, space, rng)
    labelled = (labels >= 0).any(axis=1)
    again = method == "activelab"
    ordered = np.flatnonzero(~labelled | again)
    ordered = ordered[np.argsort(score[ordered], kind="stable")]
    taken = np.flatnonzero(labelled & (not again))
    wanted = count if method == "random" else count * diversity
    chosen, duplicates = _distinct(ordered, taken, group, space, wanted)
    if chosen.size > count:
        chosen = _spread(chosen, 1 - margin[chosen], space, count, rng)
    return Selection(chosen[np.argsort(score[chosen], kind="stable")], margin, score, duplicates)


def _check(features: Vectors, labels: NDArray[np.int64], group: NDArray[np.int64], count: int, diversity: int) -> None:
    if features.ndim != 2 or labels.ndim != 2 or not len(features) == len(labels) == group.size:  # noqa: PLR2004 (two axes)
        raise AlgorithmError(f"features {features.shape}, labels {labels.shape} and groups {group.shape} do not fit")
    if min(count, diversity) < 1:
        raise AlgorithmError(f"{count} rows of {diversity} candidates each: both must be 1 or more")


class _Space:
    """Embeddings less their mean: as places, at the scale where two rows are 2 apart in the mean of squared distances, or as directions.

    What rows have in common beyond the mean is their direction; by places, those near the middle would be like all others.
    """

    def __init__(self, features: Vectors, rng: np.random.Generator) -> None:
        self._features = features
        sample = np.sort(rng.choice(len(features), min(SAMPLE, len(features)), replace=False))
        values = features[sample].astype(np.float64)
        mean = values.mean(axis=0)
        variance = float(((values - mean) ** 2).sum(axis=1).mean())
        self._mean = mean.astype(np.float32)
        self._scale = np.float32(1 / np.sqrt(variance) if variance else 1.0)
        self._sample = self.directions(sample)

    def places(self, rows: Rows) -> Vectors:
        """Give rows (n,) by place: (n, D)."""
        placed: Vectors = (self._features[rows] - self._mean) * self._scale
        return placed

    def directions(self, rows: Rows) -> Vectors:
        """Give rows (n,) by direction, of length 1: (n, D)."""
        placed = self.places(rows)
        length = np.sqrt((placed**2).sum(axis=1, keepdims=True))
        directions: Vectors = placed / np.maximum(length, np.float32(1e-12))
        return directions

    def likeness(self) -> Floats:
        """How like each row (N,) its nearest rows are in the mean: mean cosine, 0 at least."""
        like = min(LIKE, len(self._sample) - 1)
        found = np.ones(len(self._features))
        for start in range(0, found.size if like else 0, BLOCK):
            rows = np.arange(start, min(start + BLOCK, found.size))
            nearest = np.partition(_squared(self.directions(rows), self._sample), like, axis=1)[:, : like + 1]
            # The least is left out: it may be the row itself.
            found[rows] = (1 - np.sort(nearest, axis=1)[:, 1:] / 2).clip(min=0).mean(axis=1)
        return found


def _unsure_and_dense(likely: Floats, _labels: NDArray[np.int64], space: _Space, _rng: np.random.Generator) -> Floats:
    score: Floats = 1 - (1 - _margin(likely)) * space.likeness()
    return score


def _margin(likely: Floats) -> Floats:
    """By how much the likeliest class leads the second: (N,)."""
    top = np.partition(likely, -2, axis=1)[:, -2:]
    margin: Floats = top[:, 1] - top[:, 0]
    return margin


SCORES: Mapping[str, Callable[[Floats, NDArray[np.int64], _Space, np.random.Generator], Floats]] = {
    "margin": _unsure_and_dense,
    "activelab": lambda likely, labels, _space, _rng: confident.next_scores(labels, likely),
    "random": lambda likely, _labels, _space, rng: rng.random(len(likely)),
}
"""What each method goes by, (N,), the lower the more useful: of checked probabilities, labels and embeddings."""


def _distinct(ordered: Rows, taken: Rows, group: NDArray[np.int64], space: _Space, wanted: int) -> tuple[Rows, int]:
    """Give the first `wanted` of the ordered rows that are no near duplicate of one before or of one taken, and how many were passed over."""
    near = 2 * NEAR
    kept, seen, passed = space.places(taken), {*group[taken].tolist()}, 0
    found: list[int] = []
    for start in range(0, ordered.size, BLOCK):
        rows = ordered[start : start + BLOCK]
        values = space.places(rows)
        far = _squared(values, kept).min(axis=1, initial=np.inf) > near
        apart = _squared(values, values) > near
        for n, row in enumerate(rows.tolist()):
            if len(found) == wanted:
                return np.array(found, dtype=np.intp), passed
            if not far[n] or group[row] in seen:
                passed += 1
                continue
            found.append(row)
            seen.add(group[row])
            far[n + 1 :] &= apart[n, n + 1 :]
        kept = np.concatenate([kept, space.places(np.intersect1d(rows, np.array(found, np.intp)))])
    return np.array(found, dtype=np.intp), passed


def _spread(candidates: Rows, weight: Floats, space: _Space, count: int, rng: np.random.Generator) -> Rows:
    """Choose `count` of the candidates (m,), far from each other and of high weight."""
    seed = int(rng.integers(2**31))
    _, places = kmeans_plusplus(
        space.directions(candidates), count, sample_weight=weight.clip(min=1e-9), random_state=seed
    )
    rows: Rows = candidates[np.unique(places)]
    return rows


def _squared(one: Vectors, other: Vectors) -> Vectors:
    """Squared distances of rows (n, D) and (m, D): (n, m)."""
    products = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    squared: Vectors = products.clip(min=0)
    return squared
