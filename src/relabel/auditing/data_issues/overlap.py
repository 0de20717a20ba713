"""Classes that a model cannot tell apart. Letters: N rows, C classes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues import intervals
from relabel.auditing.data_issues.issue import Issue, percent
from relabel.data import phrases
from relabel.data.examples import Examples

NAME = "class_overlap"

NOTABLE = 0.1
"""A pair of classes overlaps where more than this share of their rows is surely taken for the other class."""

MOST = 100
"""Pairs in the figures at most, the worst, if not more of them overlap."""


def find(
    examples: Examples, rows: NDArray[np.intp], probability: NDArray[np.floating], wrong: NDArray[np.floating]
) -> Issue:
    """Find pairs of classes whose rows are taken for each other.

    rows:        (n,) those that count, each group of equal rows once.
    probability: (N, C) of models that did not see the row.
    wrong:       (N,) probability that a label is wrong; a confused row counts less by it, for its label may be what is wrong.

    The share is of the rows of both classes; its interval holds for all pairs together. The score of a row is the probability of the
    other class less that of its own.
    """
    labels = examples.labels
    counts = np.bincount(labels[rows], minlength=len(examples.classes))
    pairs = [
        ((a, b), int(counts[a] + counts[b]), confused, float((1 - wrong[confused]).sum()))
        for (a, b), confused in _confused(labels[rows], probability[rows].argmax(axis=1), rows, counts.size)
    ]
    bounds = {names: intervals.share(hits, count, len(pairs)) for names, count, _, hits in pairs}
    pairs.sort(key=lambda pair: (-pair[3] / max(pair[1], 1), pair[0]))
    overlapping = [pair for pair in pairs if bounds[pair[0]][0] > NOTABLE]
    part = np.repeat(np.arange(len(overlapping)), [pair[2].size for pair in overlapping])
    row = np.concatenate([np.empty(0, np.int64), *(pair[2] for pair in overlapping)])
    own = labels[row]
    score = (probability[row].max(axis=1) - probability[row, own]).astype(np.float64)
    order = np.lexsort((row, -score, part))
    said = [
        {
            "classes": [examples.classes[c] for c in names],
            "rows": count,
            "confused": int(confused.size),
            "beyond_wrong_labels": hits,
            "share": hits / max(count, 1),
            "interval": [*bounds[names]],
        }
        for names, count, confused, hits in pairs[: max(MOST, len(overlapping))]
    ]
    figures = {"pairs": said, "notable_above": NOTABLE}
    sentence = _sentence(said[: len(overlapping)])
    return Issue(NAME, len(overlapping), "pair", sentence, row[order], score[order], part[order], figures)


def _confused(
    labels: NDArray[np.int64], predicted: NDArray[np.intp], rows: NDArray[np.intp], classes: int
) -> Iterator[tuple[tuple[int, int], NDArray[np.intp]]]:
    """Give every pair of classes, and those of the rows (n,) that are of one of them and predicted as the other."""
    differ = np.flatnonzero(labels != predicted)
    one, other = labels[differ], predicted[differ]
    code = np.minimum(one, other) * classes + np.maximum(one, other)
    order = np.argsort(code, kind="stable")
    differ, code = rows[differ[order]], code[order]
    for a, b in combinations(range(classes), 2):
        first, last = np.searchsorted(code, [a * classes + b, a * classes + b + 1])
        yield (a, b), differ[first:last]


def _sentence(overlapping: list[dict[str, Any]]) -> str:
    if not overlapping:
        return "no two classes overlap much"
    said = (
        f"{' and '.join(phrases.name(c) for c in pair['classes'])} ({percent(pair['share'])} of their rows are taken for the other, "
        "not counting likely wrong labels)"
        for pair in overlapping[: phrases.FEW]
    )
    return f"classes that overlap, {phrases.counted(len(overlapping), 'pair')}: " + ", ".join(said)
