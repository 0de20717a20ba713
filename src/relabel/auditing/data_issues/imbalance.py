"""Classes with few rows. Letters: C classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.data_issues import intervals
from relabel.auditing.data_issues.issue import Issue, percent
from relabel.data import phrases
from relabel.data.examples import Examples, Split

NAME = "imbalance"

RARE = 0.2
"""A class is rare where its share is surely below this part of an even one: below 10% of two classes."""


def find(examples: Examples) -> Issue:
    """Find classes that are rare among the training rows; the rows are theirs, and the score is 1 less share over even share."""
    training = examples.rows(Split.TRAIN)
    labels = examples.labels[training]
    classes = len(examples.classes)
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    shares = counts / max(counts.sum(), 1)
    bounds = [intervals.share(count, counts.sum(), classes) for count in counts.tolist()]
    rare = [c for c in np.argsort(shares, kind="stable").tolist() if bounds[c][1] < RARE / classes]
    part = np.concatenate([np.empty(0, np.int64), *(np.full(counts[c], n) for n, c in enumerate(rare))])
    rows = np.concatenate([np.empty(0, np.intp), *(training[labels == c] for c in rare)])
    score = np.concatenate([np.empty(0), *(np.full(counts[c], 1 - shares[c] * classes) for c in rare)])
    figures = {
        "rare": [examples.classes[c] for c in rare],
        "classes": [
            {"class": name, "rows": int(counts[c]), "share": float(shares[c]), "interval": [*bounds[c]]}
            for c, name in enumerate(examples.classes)
        ],
        "even_share": 1 / classes,
        "classes_in_effect": float(np.exp(-sum(s * np.log(s) for s in shares[shares > 0]))),
    }
    return Issue(NAME, len(rare), "class", _sentence(examples.classes, counts, rare), rows, score, part, figures)


def _sentence(classes: tuple[str, ...], counts: NDArray[np.int64], rare: list[int]) -> str:
    def said(c: int) -> str:
        return f"{phrases.name(classes[c])} has {counts[c]:,} of {counts.sum():,} rows ({percent(counts[c] / counts.sum())})"

    if not rare:
        return f"no rare class; the smallest, {said(int(counts.argmin()))}"
    return f"rare classes, {len(rare)} of {len(classes)}: " + ", ".join(said(c) for c in rare[: phrases.FEW])
