"""Texts as sparse matrices of the terms that stand in them, weighed as `model.tfidf` does.

Letters: n texts, V terms.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from relabel.data.tokens import FIRST, Tokens
from relabel.model import tfidf

Matrix: TypeAlias = Any
"""A csr_matrix of scipy, which has no types."""


def counted(tokens: Tokens, terms: int) -> Matrix:
    """Count the terms of texts (n,): (n, V + FIRST) float64, of which a column is an id."""
    ids = terms + FIRST
    parts = [tfidf.counted(texts, ids) for _, texts in tfidf.blocks(tokens)]
    lengths = [np.bincount(part.row, minlength=part.rows) for part in parts]
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, np.int64), *lengths]))])
    column = np.concatenate([np.empty(0, np.int32), *(part.term.astype(np.int32) for part in parts)])
    value = np.concatenate([np.empty(0), *(part.value for part in parts)])
    return scipy.sparse.csr_matrix((value, column, starts), (len(tokens), ids))


def rareness(counts: Matrix) -> NDArray[np.float64]:
    """Learn the inverse document frequency (V + FIRST,) of terms: log((1 + n) / (1 + texts with it)) + 1.

    What nothing can be learned of weighs 0: NOTHING, UNKNOWN, and terms that stand in none of the texts.
    """
    texts: NDArray[np.int64] = np.bincount(counts.indices, minlength=counts.shape[1])
    idf: NDArray[np.float64] = np.log((1.0 + counts.shape[0]) / (1.0 + texts)) + 1.0
    idf[texts == 0] = 0.0
    idf[:FIRST] = 0.0
    return idf


def weighted(counts: Matrix, idf: NDArray[np.float64]) -> Matrix:
    """Weigh counted terms by their rareness (V + FIRST,), each text to the length 1; one that has no known term keeps zeros."""
    value = (1.0 + np.log(counts.data)) * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, value * value, counts.shape[0]))
    length[length == 0] = 1.0
    return scipy.sparse.csr_matrix((value / length[row], counts.indices, counts.indptr), counts.shape)
