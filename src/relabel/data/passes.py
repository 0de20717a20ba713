"""Passes over rows: each host reads those that it holds, and all hosts get the outcome.

    mapped    a line for each row, made of its inputs
    blocks    what this host holds of the rows, some at a time, for sums
    summed    those sums, once each host has made its own

Where one host has all rows, nothing else happens than a loop over blocks of them. Where they are sharded all hosts must call these functions
with the same rows. Letters: n rows, b rows of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Features, Inputs
from relabel.data.sharded import Sharded


def mapped(
    inputs: Inputs, rows: NDArray[np.integer], function: Callable[[Any], NDArray[Any]], size: int
) -> NDArray[Any]:
    """Give a line (n, ...) for each of the rows (n,), in their order.

    function: makes lines (b, ...) of a batch of inputs (b), of none too; they may not depend on the rest of the batch.
    size:     rows of a block.
    """
    if isinstance(inputs, Sharded):
        return inputs.joined(rows, _mapped(inputs.held, rows[inputs.holds(rows)], function, size))
    return _mapped(inputs.take, rows, function, size)


def blocks(
    features: Features, rows: NDArray[np.integer], size: int
) -> Iterator[tuple[NDArray[np.integer], NDArray[np.float32]]]:
    """Give those of the rows (n,) that this host holds, `size` at a time: (their numbers (b,), their vectors (b, D))."""
    own, take = rows, features.take
    if isinstance(features, Sharded):
        own, take = rows[features.holds(rows)], features.held
    for start in range(0, own.size, size):
        block = own[start : start + size]
        yield block, take(block)


def summed(features: Features, *sums: NDArray[np.floating]) -> list[NDArray[Any]]:
    """Add up over all hosts what each has summed over its own rows."""
    return [features.company.sum(each) for each in sums] if isinstance(features, Sharded) else [*sums]


def through(inputs: Inputs, function: Callable[[Any], Features]) -> Features:
    """Give vectors that are made of other inputs row by row: `function` makes them of the inputs that lie here."""
    return inputs.of(function(inputs.local)) if isinstance(inputs, Sharded) else function(inputs)


def _mapped(
    take: Callable[[NDArray[np.integer]], Any],
    rows: NDArray[np.integer],
    function: Callable[[Any], NDArray[Any]],
    size: int,
) -> NDArray[Any]:
    first = function(take(rows[:size]))
    lines = np.empty((rows.size, *first.shape[1:]), first.dtype)
    lines[:size] = first
    for start in range(size, rows.size, size):
        lines[start : start + size] = function(take(rows[start : start + size]))
    return lines
