"""Promises of the guard before probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.auditing.probabilities import checked
from relabel.errors import UserError


@given(st.integers(1, 30), st.integers(2, 5), st.integers(0, 999))
def test_what_single_precision_leaves_is_made_exact(rows, classes, seed) -> None:
    """Rows that are off by a little come out within [0, 1], with the sum 1, in double precision, in the same order."""
    rng = np.random.default_rng(seed)
    exact = rng.dirichlet(np.ones(classes), rows)
    rough = (exact + rng.uniform(-5e-4, 5e-4, exact.shape)).astype(np.float32)
    clean = checked(rough, rows, classes)
    assert clean.dtype == np.float64
    assert clean.min() >= 0
    assert clean.max() <= 1
    np.testing.assert_allclose(clean.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(clean, exact, atol=3e-3)


def test_a_value_just_above_one_is_clipped() -> None:
    """1.00001, on which cleanlab fails, is taken for 1."""
    assert checked([[1.00001, -0.00001]], 1, 2).tolist() == [[1.0, 0.0]]


def test_every_kind_of_problem_is_told_at_once_with_its_rows() -> None:
    """One message names rows with NaN, rows outside [0, 1] and rows that do not sum to 1."""
    rows = np.full((6, 2), 0.5)
    rows[1, 0], rows[2, 1], rows[4], rows[5] = np.nan, np.inf, [1.2, -0.2], [0.25, 0.25]
    with pytest.raises(UserError) as error:
        checked(rows, 6, 2)
    nan, outside, off = error.value.problems
    assert "2 of 6 rows (counted from 0: 1, 2) hold NaN or infinity" in nan
    assert "1 of 6 rows (counted from 0: 4) hold values outside [0, 1]" in outside
    assert "1 of 6 rows (counted from 0: 5) do not sum to 1" in off


def test_long_lists_of_rows_are_cut() -> None:
    """A message names five rows and says that there are more."""
    with pytest.raises(UserError, match=r"100 of 100 rows \(counted from 0: 0, 1, 2, 3, 4, …\)"):
        checked(np.full((100, 2), np.nan), 100, 2)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(np.full((2, 2), 0.5), id="rows"),
        pytest.param(np.full((3, 3), 1 / 3), id="classes"),
        pytest.param(np.full(3, 0.5), id="one column"),
        pytest.param([["a", "b"]] * 3, id="text"),
        pytest.param([[True, False]] * 3, id="bool"),
        pytest.param([[0.5, 0.5], [1.0], [0.5, 0.5]], id="ragged"),
    ],
)
def test_other_shapes_and_kinds_are_refused(given) -> None:
    """What is no array (rows, classes) of numbers never gets to an estimate."""
    with pytest.raises(UserError, match="give "):
        checked(given, 3, 2)
