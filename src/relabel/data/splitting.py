"""Dev and test rows drawn from the training rows, where none are given.

Letters: N rows, G groups, C classes, S splits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Split

STREAM = 7919
"""Keeps these draws apart from others made from the same seed."""


def draw(
    labels: NDArray[np.int64], group: NDArray[np.int64], shares: Mapping[Split, float], *, seed: int
) -> NDArray[np.uint8]:
    """Draw a stratified split; a duplicate group is never divided.

    labels: (N,) classes, 0 to C-1.
    group:  (N,) duplicate groups.
    shares: of the rows, for each split to draw; the rest is train.

    Gives (N,) uint8, a Split of each row. Groups of several rows are dealt one after another, largest first, each to
    the split that is most behind its share of their labels; single rows then fill what each split lacks of their class.
    """
    share = np.array([1 - sum(shares.values()), shares.get(Split.DEV, 0), shares.get(Split.TEST, 0)])
    _, member_of, size = np.unique(group, return_inverse=True, return_counts=True)
    rng = np.random.default_rng((seed, STREAM))
    several = rng.permutation(np.flatnonzero(size > 1))
    several = several[np.argsort(-size[several], kind="stable")]
    dealt, got = _deal_several(several, labels, member_of, size, share)
    split = dealt[member_of]
    alone = size[member_of] == 1
    for c, count in enumerate(np.bincount(labels)):
        rows = rng.permutation(np.flatnonzero(alone & (labels == c)))
        split[rows] = np.repeat(np.arange(share.size), _whole_shares(share * count - got[:, c], rows.size))
    return split


def _deal_several(
    several: NDArray[np.intp],
    labels: NDArray[np.int64],
    member_of: NDArray[np.intp],
    size: NDArray[np.intp],
    share: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Give each group of several rows a split: (G,), and the labels (S, C) that each split has got by it."""
    rows = np.argsort(member_of, kind="stable")  # the rows of group g are rows[start[g] : start[g] + size[g]]
    start = np.cumsum(size) - size
    dealt = np.zeros(size.size, np.uint8)
    classes = int(labels.max(initial=-1)) + 1
    due, got = np.zeros(classes), np.zeros((share.size, classes))
    for g in several.tolist():
        counts = np.bincount(labels[rows[start[g] : start[g] + size[g]]], minlength=classes)
        due += counts
        behind = (np.outer(share, due) - got) @ counts  # sums to more than 0, so a split without a share never gets one
        dealt[g] = behind.argmax()
        got[dealt[g]] += counts
    return dealt, got


def _whole_shares(lacks: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Divide `total` rows by what each split (S,) lacks, in whole numbers: the largest remainders get the odd rows."""
    lacks = lacks.clip(min=0)
    exact = lacks * (total / max(float(lacks.sum()), 1e-9))
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: total - int(whole.sum())]] += 1
    return whole
