"""Promises of work that is done a stretch of rows at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.stretches import mapped, stretches


@given(rows=st.integers(0, 50), size=st.integers(1, 20))
def test_stretches_hold_every_row_once_and_in_order(rows: int, size: int) -> None:
    """Put together they are all rows, and only the last is shorter."""
    found = [np.arange(rows)[part] for part in stretches(rows, size)]
    assert np.array_equal(np.concatenate([np.empty(0, np.intp), *found]), np.arange(rows))
    assert all(part.size == size for part in found[:-1])


@pytest.mark.parametrize("size", [1, 3, 7, 8, 100])
def test_the_outcome_does_not_depend_on_the_stretches(size: int) -> None:
    """Whatever their size, each row gives what it gives by itself; an array that is None is handed on."""
    one, other = np.arange(14.0).reshape(7, 2), np.arange(7)
    found = mapped(lambda a, b, none: a.sum(axis=1) * b if none is None else b, one, other, None, size=size)
    assert np.array_equal(found, one.sum(axis=1) * other)


def test_no_rows_give_none() -> None:
    """The function sees the empty arrays, so that shape and type are its own."""
    assert mapped(lambda a: a[:, :1].astype(np.int8), np.empty((0, 3))).shape == (0, 1)
