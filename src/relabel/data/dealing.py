"""Dividing rows into parts of given shares, classes evened out and duplicates together: the one way in which splits and folds are drawn.

Letters: N rows, G groups, C classes, P parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def deal(
    labels: NDArray[np.int64], group: NDArray[np.int64], share: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int16]:
    """Give each row a part, (N,) int16 in [0, P).

    labels: (N,) classes, 0 to C-1.
    group:  (N,) duplicate groups; none is ever divided.
    share:  (P,) of the rows, summing to 1; a part of share 0 gets none.

    Groups of several rows are dealt one after another, largest first, each to the part that is most behind its share of their labels; single
    rows then fill what each part lacks of their class, all at once: millions of rows take seconds.
    """
    _, member_of, size = np.unique(group, return_inverse=True, return_counts=True)
    several = rng.permutation(np.flatnonzero(size > 1))
    several = several[np.argsort(-size[several], kind="stable")]
    dealt, got = _deal_several(several, labels, member_of, size, share)
    part = dealt[member_of]
    alone = size[member_of] == 1
    for c, count in enumerate(np.bincount(labels)):
        rows = rng.permutation(np.flatnonzero(alone & (labels == c)))
        part[rows] = np.repeat(np.arange(share.size), whole_shares(share * count - got[:, c], rows.size))
    return part


def _deal_several(
    several: NDArray[np.intp],
    labels: NDArray[np.int64],
    member_of: NDArray[np.intp],
    size: NDArray[np.intp],
    share: NDArray[np.float64],
) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Give each group of several rows a part: (G,), and the labels (P, C) that each part has got by it."""
    rows = np.argsort(member_of, kind="stable")  # the rows of group g are rows[start[g] : start[g] + size[g]]
    start = np.cumsum(size) - size
    dealt = np.zeros(size.size, np.int16)
    classes = int(labels.max(initial=-1)) + 1
    due, got = np.zeros(classes), np.zeros((share.size, classes))
    for g in several.tolist():
        counts = np.bincount(labels[rows[start[g] : start[g] + size[g]]], minlength=classes)
        due += counts
        behind = (np.outer(share, due) - got) @ counts  # sums to more than 0, so a part without a share never gets one
        dealt[g] = behind.argmax()
        got[dealt[g]] += counts
    return dealt, got


def whole_shares(lacks: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Divide `total` rows by what each part (P,) lacks, in whole numbers: the largest remainders get the odd rows."""
    lacks = lacks.clip(min=0)
    exact = lacks * (total / max(float(lacks.sum()), 1e-9))
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]] += 1
    return whole
