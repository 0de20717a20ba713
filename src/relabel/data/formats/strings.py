"""Columns of strings of which equal ones are one string: a label of millions of rows takes the memory of one.

Letters: n strings.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FEW = 4
"""Strings for each distinct one, from which on a column is taken for one of few."""

SEEN = 1 << 12
"""Strings by which that is judged."""


def shared(column: pa.Array) -> NDArray[np.object_]:
    """Give a column (n,) str without missing values; where there are few distinct ones, each is one object."""
    if len(column[:SEEN].unique()) * FEW > min(len(column), SEEN):
        own: NDArray[np.object_] = column.to_numpy(zero_copy_only=False)
        return own
    encoded = column.dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), np.object_)
    few: NDArray[np.object_] = names[encoded.indices.to_numpy()]
    return few


def joined(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Give a column (n,) in pieces as one."""
    return np.concatenate([np.empty(0, np.object_), *map(shared, column.chunks)])


class Few:
    """Makes equal strings one, of those that were met first."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def one(self, value: str) -> str:
        """Give the string that stands for all that are equal to it."""
        return self._known.setdefault(value, value) if len(self._known) < SEEN else self._known.get(value, value)
