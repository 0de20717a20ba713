"""Rows that are the same example: an equal embedding, or an equal text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.data import keys as row_keys
from relabel.data.examples import Features
from relabel.data.keys import Keys
from relabel.data.texts import Texts


def groups(features: Features | None, texts: Texts | None, *, keys: Keys | None = None) -> NDArray[np.int64]:
    """Give each row (N,) its duplicate group, 0 to G-1 in order of first appearance.

    features: (N, D); rows of the same float32 values are duplicates, and -0.0 is 0.0. Compared by a 128-bit hash.
    texts:    (N,); rows of the same text are duplicates, compared as given by a 128-bit hash; "" is no text.
    keys:     (N, 2) of the features, where they are known; else they are made in a pass over them.

    A group is a connected component of both relations: a row that shares its text with one row and its embedding with
    another joins them. At least one of the two must be given.
    """
    if keys is None and features is not None:
        keys = row_keys.of_features(features)
    first = [] if keys is None else [row_keys.first_equal(keys)]
    if texts is not None:
        first.append(_first_text(texts))
    return _numbered(first[0] if len(first) == 1 else _joined(*first))


def renumbered(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups (N,) from 0 in order of first appearance, after rows were moved."""
    _, first, place = np.unique(group, return_index=True, return_inverse=True)
    return _numbered(first[place])


def left_out(group: NDArray[np.int64], split: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Rows (N,) whose group also lies in a split that wins over theirs: test over dev over train."""
    highest = np.zeros(int(group.max(initial=-1)) + 1, np.uint8)
    np.maximum.at(highest, group, split)
    beaten: NDArray[np.bool_] = split < highest[group]
    return beaten


def conflicting(group: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Rows (N,) whose group carries more than one label; unlabelled rows (-1) carry none."""
    known = labels >= 0
    low = np.full(int(group.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    high = np.full(low.size, -1)
    np.minimum.at(low, group[known], labels[known])
    np.maximum.at(high, group[known], labels[known])
    return known & (low < high)[group]


def other_labels(group: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> NDArray[np.bool_] | None:
    """Labels (N, C) that the other rows of each row's group carry and the row does not; None where no group carries two."""
    rows = np.flatnonzero(conflicting(group, labels))
    if not rows.size:
        return None
    _, place = np.unique(group[rows], return_inverse=True)
    carried = np.zeros((int(place.max()) + 1, classes), np.bool_)
    carried[place, labels[rows]] = True
    others = np.zeros((group.size, classes), np.bool_)
    others[rows] = carried[place]
    others[rows, labels[rows]] = False
    return others


def _first_text(texts: Texts) -> NDArray[np.int64]:
    """Give each text (N,) the row of the first one equal to it; an empty one equals no other."""
    first = row_keys.first_equal(row_keys.of_texts(texts))
    blank = np.flatnonzero(texts.blank)
    first[blank] = blank
    return first


def _joined(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two relations, row -> first row of its kind, into row -> first row of its component (union-find)."""
    own = np.arange(one.size)
    joined = one.copy()
    moved = np.flatnonzero(other != own)
    forest = dict(zip(*(part.tolist() for part in _touched(one, other, moved)), strict=True))
    for row in moved.tolist():
        ends = _root(forest, row), _root(forest, int(other[row]))
        forest[max(ends)] = min(ends)
    joined[[*forest]] = [*forest.values()]
    while (joined[joined] != joined).any():
        joined = joined[joined]
    return joined


def _touched(
    one: NDArray[np.int64], other: NDArray[np.int64], moved: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows whose component the second relation may change, and the first row of their kind in the first one."""
    rows = np.union1d(moved, other[moved])
    rows = np.union1d(rows, one[rows])
    return rows, one[rows]


def _root(forest: dict[int, int], row: int) -> int:
    while forest[row] != row:
        forest[row] = forest[forest[row]]
        row = forest[row]
    return row


def _numbered(first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups that are named by their first row: the names' order is that of first appearance."""
    number = np.cumsum(first == np.arange(first.size)) - 1
    return number[first]
