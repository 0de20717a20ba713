"""The guard before every use of predicted probabilities: NaN, infinities, wrong shapes and rows that are no distribution.

Letters: N rows, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relabel.data.stretches import stretches
from relabel.errors import UserError

OUTSIDE = 1e-3
"""How far a value may lie outside [0, 1]: single precision does that, and it is clipped."""

OFF = 1e-2
"""How far a row's sum may lie from 1: it is then divided by its sum."""

PROBLEMS = (
    "hold NaN or infinity: predict them again, or leave these rows out",
    "hold values outside [0, 1]: give probabilities, not logits",
    "do not sum to 1: give every class its column, and normalise the rows",
)

SHOWN = 5
"""Rows named in a message."""


def checked(probability: ArrayLike, n: int, c: int) -> NDArray[np.float64]:
    """Give probabilities (n, c) in float64, clipped to [0, 1], each row with the sum 1.

    Raises UserError with every problem at once: another shape, no numbers, rows with NaN or infinity, rows with values
    outside [0, 1] by more than OUTSIDE, rows whose sum is off by more than OFF.
    """
    values = _numbers(probability)
    if values.shape != (n, c):
        raise UserError(
            f"probabilities have the shape {values.shape}, expected ({n}, {c}): "
            "give one row for each label and one column for each class"
        )
    normal, problem = np.empty((n, c)), np.zeros(n, np.int8)
    for part in stretches(n):
        block = values[part].astype(np.float64)
        problem[part] = _problem(block)
        if not problem[part].any():
            clipped = block.clip(0.0, 1.0)
            np.divide(clipped, clipped.sum(axis=1, keepdims=True), out=normal[part])
    if problem.any():
        raise UserError(
            *(
                f"probabilities: {rows_shown(problem == kind)} {what}"
                for kind, what in enumerate(PROBLEMS, 1)
                if (problem == kind).any()
            )
        )
    return normal


def rows_shown(wrong: NDArray[np.bool_]) -> str:
    """Name the first of the rows (n,) in question, for a message."""
    rows = np.flatnonzero(wrong)
    named = ", ".join(map(str, rows[:SHOWN])) + (", …" if rows.size > SHOWN else "")
    return f"{rows.size} of {wrong.size} rows (counted from 0: {named})"


def _numbers(probability: ArrayLike) -> NDArray[Any]:
    try:
        given: NDArray[Any] = np.asarray(probability)
    except ValueError:  # rows of different length
        given = np.empty(0, dtype=np.object_)
    if given.dtype.kind not in "fiu":
        raise UserError("probabilities are no array of numbers: give an array of shape (rows, classes)")
    return given


def _problem(values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Say of each row of (n, c) which of the PROBLEMS it has, counted from 1, or 0 for none; one row has one problem."""
    infinite = ~np.isfinite(values).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        outside = ~infinite & np.any((values < -OUTSIDE) | (values > 1 + OUTSIDE), axis=1)
        off = ~infinite & ~outside & (np.abs(values.sum(axis=1) - 1.0) > OFF)
    return np.select([infinite, outside, off], [1, 2, 3], 0).astype(np.int8)
