"""Rows unlike all others.

Letters: N rows, U searched rows, k neighbours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from relabel.auditing.data_issues.issue import Issue, percent
from relabel.auditing.neighbours import Graph, View
from relabel.data.examples import Examples
from relabel.data.phrases import counted

NAME = "outliers"

BY_CHANCE = 0.02
"""Expected number of outliers, at most, where the tails go on as they begin."""

STEP = 1.0
"""Deviations: further up there are too few rows, less far they say little of the tail. More outliers than 1 in 50 hide each other."""

STRAIGHT = 1e-3
"""A bend below this is none."""

LEAST = 0.01
"""A smaller cosine is as good as none."""


def find(examples: Examples, graph: Graph, view: View) -> Issue:
    """Find rows that are far from their k-th neighbour, or whose length is far from the usual.

    The distance is 1 less the cosine in the whole width, as it is where what lies outside the view's directions is unrelated: so a row
    that differs in other directions than the rest is far from all. Both that cosine and the length are taken as logarithms, in deviations
    from their median; the score of a row is the larger one. Equal rows are one.
    """
    score = scores(graph, view)
    highest = limit(score.size)
    found = np.flatnonzero(score > highest)
    found = found[np.lexsort((found, -score[found]))]
    groups = examples.group[graph.rows[found]]
    place = {group: n for n, group in enumerate(groups.tolist())}
    members = np.flatnonzero(np.isin(examples.group, groups))
    order = np.array([place[group] for group in examples.group[members].tolist()], np.intp)
    rows = members[np.lexsort((members, order))]
    sentence = (
        f"{counted(rows.size, 'row')} ({percent(rows.size / len(examples))}) unlike all others"
        if rows.size
        else "no outliers"
    )
    return Issue(
        NAME, int(rows.size), "row", sentence, rows, score[found][np.sort(order)], np.full(rows.size, -1),
        {"limit": highest, "searched": int(score.size)},
    )  # fmt: skip


def limit(count: int) -> float:
    """Give the score above which one of `count` rows is an outlier: there are two values of each, distance and length."""
    return float(norm.isf(BY_CHANCE / (2 * count)))


def scores(graph: Graph, view: View) -> NDArray[np.float64]:
    """Score the searched rows (U,): how many deviations above the usual."""
    far = -np.log(np.maximum(1 - distances(graph, view)[:, -1], LEAST))
    length = np.log(np.maximum(view.length[graph.rows].astype(np.float64), 1e-9))
    return np.maximum(_deviations(far), np.maximum(_deviations(length), _deviations(-length)))


def distances(graph: Graph, view: View) -> NDArray[np.float64]:
    """Give the distances (U, k) to the neighbours in the whole width, as estimated, rising."""
    inside = view.inside[graph.rows].astype(np.float64)
    far = 1 - graph.cosine * inside[:, None] * inside[graph.index]
    return np.sort(far, axis=1)


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many deviations above the median values would be, were their upper half bent into that of a bell curve.

    By the g-distribution (Tukey 1977), fitted to the quantiles one and two steps up: a tail that is longer there is taken to go on so.
    """
    middle, one, two = np.quantile(values, norm.cdf([0, STEP, 2 * STEP]))
    scale = max(float(one - middle), 1e-9)
    above = (values - middle) / scale
    bend = math.log(max((two - middle) / scale - 1, 1.0))
    if bend < STRAIGHT:
        return np.asarray(STEP * above)
    bent: NDArray[np.float64] = np.log1p(np.maximum(above * math.expm1(bend), -0.999)) * STEP / bend
    return bent
