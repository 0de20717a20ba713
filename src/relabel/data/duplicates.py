"""Rows that are the same example: an equal embedding, or an equal text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

import numpy as np
import xxhash
from numpy.typing import NDArray

from relabel.data.examples import Features

BLOCK_BYTES = 1 << 22
"""Embeddings hashed at a time; what stays in the processor's cache is fastest."""


def groups(features: Features | None, texts: NDArray[np.object_] | None) -> NDArray[np.int64]:
    """Give each row (N,) its duplicate group, 0 to G-1 in order of first appearance.

    features: (N, D); rows of the same float32 values are duplicates, and -0.0 is 0.0. Compared by a 128-bit hash.
    texts:    (N,) str; rows of the same text are duplicates, compared as given; "" is no text.

    A group is a connected component of both relations: a row that shares its text with one row and its embedding with
    another joins them. At least one of the two must be given.
    """
    parts = [keys for keys in (_embedding_keys(features), _text_keys(texts)) if keys is not None]
    first = [first_equal(keys) for keys in parts]
    return _numbered(first[0] if len(first) == 1 else _joined(*first))


def renumbered(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups (N,) from 0 in order of first appearance, after rows were moved."""
    return _numbered(first_equal(group.tolist()))


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


def first_equal(keys: Iterable[Hashable]) -> NDArray[np.int64]:
    """Give each key (N,) the row of the first key equal to it."""
    seen: dict[Hashable, int] = {}
    return np.fromiter((seen.setdefault(key, row) for row, key in enumerate(keys)), np.int64)


def _embedding_keys(features: Features | None) -> Iterator[bytes] | None:
    return None if features is None else _digests(features)


def _digests(features: Features) -> Iterator[bytes]:
    rows, width = features.shape
    step = max(1, BLOCK_BYTES // (4 * width))
    for start in range(0, rows, step):
        block = features.take(np.arange(start, min(start + step, rows))) + np.float32(0)  # turns -0.0 into 0.0
        buffer = np.ascontiguousarray(block).data.cast("B")
        for at in range(0, len(buffer), 4 * width):
            yield xxhash.xxh3_128_digest(buffer[at : at + 4 * width])


def _text_keys(texts: NDArray[np.object_] | None) -> Iterator[Hashable] | None:
    """Give the texts, and for an empty one its own row number, which equals no text."""
    return None if texts is None else (text or row for row, text in enumerate(texts.tolist()))


def _joined(parent: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join two relations, row -> first row of its kind, into row -> first row of its component (union-find)."""
    forest = parent.tolist()
    for row in np.flatnonzero(other != np.arange(other.size)).tolist():
        one, two = _root(forest, row), _root(forest, int(other[row]))
        forest[max(one, two)] = min(one, two)
    joined = np.array(forest, np.int64)
    while (joined[joined] != joined).any():
        joined = joined[joined]
    return joined


def _root(forest: list[int], row: int) -> int:
    while forest[row] != row:
        forest[row] = forest[forest[row]]
        row = forest[row]
    return row


def _numbered(first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups that are named by their first row: the names' order is that of first appearance."""
    number = np.cumsum(first == np.arange(first.size)) - 1
    return number[first]
