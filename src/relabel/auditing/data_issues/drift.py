"""Splits that are not alike.

Letters: N rows, d directions, C classes, n and m rows of two splits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues import intervals
from relabel.auditing.data_issues.issue import Issue, percent
from relabel.auditing.neighbours import View
from relabel.data import phrases
from relabel.data.examples import Examples, Split

NAME = "drift"

MOST = 5000
"""Rows of each split that are compared."""

FEWEST = 50
RIDGE = 0.01
CLEAR = 0.55
"""Inputs drifted where a row of the other split is surely told from one of train more often than this; 0.5 is chance."""

CLEAR_SHARE = 0.02
"""Labels drifted where a class' share surely differs by more than this."""

UNUSUAL = 0.95
"""Listed rows score above this share of the training rows."""


def find(examples: Examples, view: View, *, whole: Examples, seed: int) -> Issue:
    """Compare dev and test with train, as they were given, duplicates and all.

    whole: all rows, of which the examples are those that the view holds.

    Inputs by a classifier that is trained to tell the splits apart and tried on rows that it did not see (Lopez-Paz and Oquab 2017): on the
    view's directions, their squares and the row's length. Labels by the difference of each class' share. The score of a row of a split
    that drifted is the share of the training rows that look less like that split.
    """
    known = [split for split in (Split.DEV, Split.TEST) if (examples.split == split).sum() >= FEWEST]
    known = known if (examples.split == Split.TRAIN).sum() >= FEWEST else []
    compared = [_compared(examples, whole, view, split, looks=len(known), seed=seed) for split in known]
    rows = np.concatenate([np.empty(0, np.intp), *(rows for _, rows, _ in compared)])
    score = np.concatenate([np.empty(0), *(score for _, _, score in compared)])
    part = np.repeat(np.arange(len(compared)), [rows.size for _, rows, _ in compared])
    said = [figures for figures, _, _ in compared]
    figures = {"splits": said, "clear_above": CLEAR, "clear_share": CLEAR_SHARE}
    return Issue(NAME, sum(one["drifted"] for one in said), "split", _sentence(said), rows, score, part, figures)


def _compared(
    examples: Examples, whole: Examples, view: View, split: Split, *, looks: int, seed: int
) -> tuple[dict[str, Any], NDArray[np.intp], NDArray[np.float64]]:
    """Figures of one split against train, and where it drifted the rows of it that are least like train, with their score."""
    rng = np.random.default_rng((seed, int(split)))
    rows = [np.sort(rng.permutation(np.flatnonzero(examples.split == one))[:MOST]) for one in (Split.TRAIN, split)]
    auc, half, scores = told_apart(view, rows, examples.group, looks, rng)
    labels = _labels(whole, split, looks)
    inputs_drifted = auc - half > CLEAR
    here = whole.split == split
    drifted = inputs_drifted or any(one["drifted"] for one in labels)
    figures = {
        "split": split.name.lower(),
        "drifted": drifted,
        "inputs_drifted": inputs_drifted,
        "auc": auc,
        "auc_interval": [max(0.0, auc - half), min(1.0, auc + half)],
        "compared": [int(one.size) for one in rows],
        "labels": labels,
        "rows_equal_to_train": int(np.isin(whole.group[here], whole.group[whole.split == Split.TRAIN]).sum()),
    }
    place = np.searchsorted(np.sort(scores[0]), scores[1]) / rows[0].size
    listed = np.flatnonzero(place > UNUSUAL) if inputs_drifted else np.empty(0, np.intp)
    listed = listed[np.lexsort((listed, -place[listed]))]
    return figures, rows[1][listed], place[listed]


def told_apart(
    view: View,
    rows: list[NDArray[np.intp]],
    group: NDArray[np.int64],
    looks: int,
    rng: np.random.Generator,
) -> tuple[float, float, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Give the chance that a row of the second kind is told from one of the first, half of its interval, and scores (n,), (m,).

    A ridge on each half of the groups of equal rows scores the other half. Where there are too few groups nothing is told.
    """
    both = np.concatenate(rows)
    points = view.points[both]
    inputs = np.concatenate([points, np.square(points), np.log(view.length[both] + 1)[:, None]], axis=1)
    second = np.repeat([0.0, 1.0], [rows[0].size, rows[1].size])
    side = (rng.permutation(int(group.max()) + 1) % 2 == 0)[group[both]]
    score = np.zeros(both.size)
    found = []
    if min((one & (second == kind)).sum() for one in (side, ~side) for kind in (0, 1)) < 2:  # noqa: PLR2004 (for a variance)
        return 0.5, 0.5, (score[second == 0], score[second == 1])
    for tried in (side, ~side):
        weight = _ridge(inputs[~tried], second[~tried])
        score[tried] = inputs[tried] @ weight
        found.append(intervals.auc(score[tried & (second == 0)], score[tried & (second == 1)]))
        score[tried] -= score[tried & (second == 0)].mean()
    auc = float(np.mean([one[0] for one in found]))
    half = intervals.z(looks) * math.sqrt(sum(one[1] for one in found)) / len(found)
    return auc, half, (score[second == 0], score[second == 1])


def _ridge(inputs: NDArray[np.float32], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of a ridge on standardised inputs (n, d); what is added to all scores does not matter."""
    mean, deviation = inputs.mean(axis=0, dtype=np.float64), inputs.std(axis=0, dtype=np.float64)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-9)  # noqa: PLR2004
    standard = (inputs - mean) * scale
    pull = standard.T @ (target - target.mean())
    weight: NDArray[np.float64] = np.linalg.solve(standard.T @ standard + RIDGE * target.size * np.eye(mean.size), pull)
    return np.asarray(weight * scale)


def _labels(examples: Examples, split: Split, looks: int) -> list[dict[str, Any]]:
    """The share of each class in train and in the split, and the interval of the difference."""
    classes = len(examples.classes)
    counts = [
        np.bincount(examples.labels[(examples.split == one) & (examples.labels >= 0)], minlength=classes)
        for one in (Split.TRAIN, split)
    ]
    first, second = (float(each.sum()) for each in counts)
    if not first or not second:
        return []
    found = []
    for c, name in enumerate(examples.classes):
        here, there = float(counts[0][c]), float(counts[1][c])
        low, high = intervals.difference((here, there), (first, second), looks * classes)
        found.append(
            {
                "class": name,
                "train": here / first,
                "here": there / second,
                "interval": [low, high],
                "drifted": low > CLEAR_SHARE or high < -CLEAR_SHARE,
            }
        )
    return found


def _sentence(splits: list[dict[str, Any]]) -> str:
    def one(figures: dict[str, Any]) -> str:
        low, high = figures["auc_interval"]
        said = [
            f"a row of {figures['split']} is told from one of train {percent(figures['auc'])} of the time ({percent(low)} to {percent(high)})"
        ]
        said += [
            f"{percent(label['here'])} of {figures['split']} are {phrases.name(label['class'])}, {percent(label['train'])} of train"
            for label in figures["labels"]
            if label["drifted"]
        ]
        return ", ".join(said[not figures["inputs_drifted"] :])

    drifted = [one(figures) for figures in splits if figures["drifted"]]
    return "splits that are not alike: " + "; ".join(drifted) if drifted else "the splits are alike"
