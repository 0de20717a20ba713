"""Texts as sparse matrices of the terms that stand in them, weighed as `model.tfidf` does.

Letters: n texts, V terms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.model import tfidf

Matrix: TypeAlias = Any
"""A csr_matrix of scipy, which has no types."""


BLOCK = 1 << 20
"""Tokens, or terms of texts, that are counted or weighed at a time, about."""

MOST = 1 << 26
"""Tokens that one model learns from, at most: some two million short reviews."""

PART_STREAM = 5
"""Keeps the draw of a model's texts apart from its seed's other random streams."""


def part(lengths: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """Give which of the texts (n,), of so many tokens each, one model learns from: all, or a random part with about MOST tokens; rising."""
    count = size_of_part(lengths)
    if count == lengths.size:
        return np.arange(count)
    return np.sort(np.random.default_rng((seed, PART_STREAM)).choice(lengths.size, count, replace=False))


def size_of_part(lengths: NDArray[np.integer]) -> int:
    """Give how many of the texts (n,) one model learns from."""
    total = int(lengths.sum())
    return lengths.size if total <= MOST else max(1, lengths.size * MOST // total)


def counted(tokens: Tokens, terms: int, rows: NDArray[np.integer] | None = None) -> Matrix:
    """Count the terms of texts (n,), all or the chosen rows: (n, V + FIRST) float64, of which a column is an id.

    Nothing but the matrix is held of more than some texts at a time.
    """
    chosen = np.arange(len(tokens)) if rows is None else rows
    ids = terms + FIRST
    ends = np.cumsum(tokens.lengths[chosen])
    most = int(ends[-1]) if ends.size else 0  # what is not written to takes no memory
    column, value = np.empty(most, np.int32), np.empty(most, np.float64)
    starts = np.zeros(chosen.size + 1, np.int64)
    end = 0
    for start, stop in _blocks(ends):
        part = tfidf.counted(tokens.take(chosen[start:stop]), ids)
        begin, end = end, end + part.term.size
        column[begin:end], value[begin:end] = part.term, part.value
        starts[start + 1 : stop + 1] = begin + np.cumsum(np.bincount(part.row, minlength=part.rows))
    return scipy.sparse.csr_matrix((value[:end], column[:end], starts), (chosen.size, ids))


def rareness(counts: Matrix) -> NDArray[np.float64]:
    """Learn the inverse document frequency (V + FIRST,) of terms: log((1 + n) / (1 + texts with it)) + 1.

    What nothing can be learned of weighs 0: NOTHING, UNKNOWN, and terms that stand in none of the texts.
    """
    texts: NDArray[np.int64] = np.bincount(counts.indices, minlength=counts.shape[1])
    idf: NDArray[np.float64] = np.log((1.0 + counts.shape[0]) / (1.0 + texts)) + 1.0
    idf[texts == 0] = 0.0
    idf[:FIRST] = 0.0
    return idf


def weigh(counts: Matrix, idf: NDArray[np.float64]) -> None:
    """Weigh counted terms, in place, by their rareness (V + FIRST,), each text to the length 1; one that has no known term keeps zeros."""
    for start, stop in _blocks(counts.indptr[1:]):
        starts = counts.indptr[start : stop + 1].astype(np.int64)
        here = slice(starts[0], starts[-1])
        value = (1.0 + np.log(counts.data[here])) * idf[counts.indices[here]]
        row = np.repeat(np.arange(starts.size - 1), np.diff(starts))
        length = np.sqrt(np.bincount(row, value * value, starts.size - 1))
        length[length == 0] = 1.0
        counts.data[here] = value / length[row]


def _blocks(ends: NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """Cut texts (n,), of which the entries end at these places (n,), into runs with about BLOCK entries, one text at least."""
    start, done = 0, 0
    while start < ends.size:
        stop = max(start + 1, int(np.searchsorted(ends, done + BLOCK, "right")))
        yield start, stop
        start, done = stop, int(ends[stop - 1])
