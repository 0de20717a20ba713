"""Rows that are nearly the same as another, without being equal.

Letters: N rows, U searched rows, one for each group of equal ones, k neighbours, E pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import digamma

from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.neighbours import Graph, Standard, View
from relabel.data import duplicates
from relabel.data.examples import Examples, Features
from relabel.data.phrases import counted

NAME = "near_duplicates"

NEAR = 0.4
"""A pair is near where its distance is below this part of the typical distance of a tenth neighbour; other rows differ in content."""

BY_CHANCE = 0.01
"""Expected number of pairs that are so near without being copies, at most, where rows fill their space evenly."""

SAMPLE = 500
BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Nearness:
    """Where nearness begins.

    typical: median distance of a k-th neighbour, in the whole width.
    limit:   a pair closer than this part of it is near.
    """

    typical: float
    limit: float


def find(examples: Examples, graph: Graph, view: View) -> Issue:
    """Find sets of near duplicates, across splits too.

    Distance is that between directions of standardised rows in their whole width, 0 to 2. Sets are the connected components
    of near pairs, with all rows equal to one of them; equal rows alone make no set. The score of a row is 1 less the distance to the
    nearest of its set in typical distances.
    """
    assert examples.features is not None  # noqa: S101  # there is no graph without
    nearness = measure(graph, examples.features, view.standard)
    pairs, distance = near_pairs(graph, examples.features, view, nearness)
    rows, part, nearest = _sets(graph, pairs, distance / nearness.typical, examples.group)
    return _issue(examples, rows, part, nearest, nearness)


def measure(graph: Graph, features: Features, standard: Standard) -> Nearness:
    """Say what is typical, from a sample, and where nearness begins.

    In m dimensions a row has k f^m neighbours within f times the distance of its k-th. So that hardly any pair is near by
    chance, f is smaller in few dimensions, which are read from the growth from half of the neighbours to all (Levina and Bickel 2005).
    """
    count, k = graph.index.shape
    chosen = np.unique(np.linspace(0, count - 1, min(SAMPLE, count)).astype(np.int64))
    last = np.stack([chosen, graph.index[chosen, -1]], axis=1)
    typical = float(np.median(_distances(graph, last, features, standard)))
    half = max(k // 2, 1)
    far, mid = (np.sqrt(np.maximum(1 - graph.cosine[:, at], 1e-12)) for at in (k - 1, half - 1))
    growth = float(np.median(np.log(far / mid)))
    dimension = float(digamma(k) - digamma(half)) / max(growth, 1e-3)
    chance = (2 * BY_CHANCE / (k * count)) ** (1 / max(dimension, 1.0))
    return Nearness(max(typical, 1e-6), min(NEAR, chance))


def near_pairs(
    graph: Graph, features: Features, view: View, nearness: Nearness
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Give near pairs (E, 2) of positions in the graph's rows, each once, and their distance (E,) in the whole width.

    Measured are the pairs that can be near: what lies outside the view's directions is at best the same in both.
    """
    bound = nearness.limit * nearness.typical
    inside = view.inside[graph.rows]
    outside = np.sqrt(1 - np.square(inside))
    most = graph.cosine * inside[:, None] * inside[graph.index] + outside[:, None] * outside[graph.index]
    one, place = np.nonzero(most > 1 - bound**2 / 2)
    pairs = np.unique(np.sort(np.stack([one, graph.index[one, place]], axis=1), axis=1), axis=0)
    distance = _distances(graph, pairs, features, view.standard)
    near = distance < bound
    return pairs[near], distance[near]


def _distances(graph: Graph, pairs: NDArray[np.int64], features: Features, standard: Standard) -> NDArray[np.float64]:
    """Distances (E,) of pairs (E, 2), between directions in the whole width."""
    distance = np.empty(len(pairs))
    for start in range(0, len(pairs), BLOCK):
        one, other = (standard(features.take(graph.rows[side])) for side in pairs[start : start + BLOCK].T)
        lengths = np.sqrt(np.einsum("nd,nd->n", one, one) * np.einsum("nd,nd->n", other, other))
        cosine = np.einsum("nd,nd->n", one, other) / np.maximum(lengths, 1e-12)
        distance[start : start + BLOCK] = np.sqrt((2 - 2 * cosine).clip(min=0))
    return distance


def _sets(
    graph: Graph, pairs: NDArray[np.int64], distance: NDArray[np.float64], group: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.float64]]:
    """Rows in sets, the set of each, the nearest first, and the distance of each to its nearest, in typical ones."""
    count = graph.rows.size
    joined = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, component = connected_components(joined, directed=False)
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, pairs.ravel(), np.repeat(distance, 2))
    names, number = np.unique(component[pairs[:, 0]], return_inverse=True)
    closest = np.full(names.size, np.inf)
    np.minimum.at(closest, number, distance)
    rank = np.full(int(component.max(initial=0)) + 1, -1)
    rank[names[np.argsort(closest, kind="stable")]] = np.arange(names.size)
    of_group = np.full(int(group.max()) + 1, -1)
    of_group[group[graph.rows]] = np.arange(count)
    position = of_group[group]  # of the row that was searched for each
    part = rank[component[position]]
    rows = np.flatnonzero(part >= 0)
    rows = rows[np.lexsort((rows, nearest[position[rows]], part[rows]))]
    return rows, part[rows].astype(np.int64), nearest[position[rows]]


def _issue(
    examples: Examples,
    rows: NDArray[np.intp],
    part: NDArray[np.int64],
    nearest: NDArray[np.float64],
    nearness: Nearness,
) -> Issue:
    sets = int(part.max(initial=-1)) + 1
    kept = ~examples.left_out[rows]
    across = _differing(part[kept], examples.split[rows][kept].astype(np.int64), sets)
    conflict = _differing(part, examples.labels[rows], sets)
    sentence = (
        f"{counted(sets, 'set')} of near duplicates with {counted(rows.size, 'row')}; {across:,} of them lie in several splits, "
        f"{conflict:,} carry different labels"
        if sets
        else "no near duplicates"
    )
    figures = {
        "sets_across_splits": across,
        "sets_with_different_labels": conflict,
        "typical_distance": nearness.typical,
        "near_below": nearness.limit,
    }
    return Issue(NAME, sets, "set", sentence, rows, 1 - nearest, part, figures)


def _differing(part: NDArray[np.int64], value: NDArray[np.int64], sets: int) -> int:
    """Count the sets with more than one value of 0 or more."""
    if not sets:
        return 0
    known = value >= 0
    differ = np.zeros(sets, bool)
    differ[part[known][duplicates.conflicting(part[known], value[known])]] = True
    return int(differ.sum())
