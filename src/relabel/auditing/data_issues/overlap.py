"""Classes that a model cannot tell apart. Letters: N rows, C classes."""

from __future__ import annotations

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
    predicted = probability[rows].argmax(axis=1)
    pairs = []
    for a, b in combinations(range(len(examples.classes)), 2):
        both = np.isin(labels[rows], (a, b))
        confused = rows[both & (predicted == a + b - labels[rows]) & np.isin(predicted, (a, b))]
        pairs.append(((a, b), int(both.sum()), confused, float((1 - wrong[confused]).sum())))
    bounds = {names: intervals.share(hits, count, len(pairs)) for names, count, _, hits in pairs}
    pairs.sort(key=lambda pair: (-pair[3] / max(pair[1], 1), pair[0]))
    overlapping = [pair for pair in pairs if bounds[pair[0]][0] > NOTABLE]
    listed = [(number, row) for number, pair in enumerate(overlapping) for row in pair[2].tolist()]
    part, row = np.array(listed, np.int64).reshape(-1, 2).T
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


def _sentence(overlapping: list[dict[str, Any]]) -> str:
    if not overlapping:
        return "no two classes overlap much"
    said = (
        f"{' and '.join(phrases.name(c) for c in pair['classes'])} ({percent(pair['share'])} of their rows are taken for the other, "
        "not counting likely wrong labels)"
        for pair in overlapping[: phrases.FEW]
    )
    return f"classes that overlap, {phrases.counted(len(overlapping), 'pair')}: " + ", ".join(said)
