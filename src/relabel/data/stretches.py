"""Rows taken a stretch at a time: what is worked out of each row by itself needs no room for all of them on the way.

Letters: N rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 1 << 18
"""Rows of a stretch: data with no more are done in one, as if there were no stretches."""


def stretches(rows: int, size: int = ROWS) -> Iterator[slice]:
    """Divide N rows into slices of `size`; only the last is shorter.

    >>> list(stretches(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def mapped(
    function: Callable[..., NDArray[Any]], first: NDArray[Any], *others: NDArray[Any] | None, size: int = ROWS
) -> NDArray[Any]:
    """Give what a function of rows makes of arrays (N, ...), a stretch of each at a time; an array that is None is handed on so.

    The function gives one row for each row that it gets, and none depends on another.
    """
    arrays = (first, *others)
    rows = len(first)
    if rows <= size:
        return function(*arrays)
    made: NDArray[Any] | None = None
    for part in stretches(rows, size):
        done = function(*(None if array is None else array[part] for array in arrays))
        if made is None:
            made = np.empty((rows, *done.shape[1:]), done.dtype)
        made[part] = done
    assert made is not None  # noqa: S101  # there are more rows than none
    return made
