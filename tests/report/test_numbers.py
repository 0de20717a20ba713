"""Promises of numbers: said alike everywhere, and never a minus before nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.report import numbers
from relabel.report.numbers import DASH, MINUS, Interval


@pytest.mark.parametrize("say", [numbers.count, numbers.percent, numbers.decimal])
@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_what_is_not_known_is_a_dash(say, unknown) -> None:
    """Nothing, and what is no number, is a dash."""
    assert say(unknown) == DASH


@given(value=st.floats(-1e6, 1e6), digits=st.integers(0, 4))
def test_what_rounds_to_nothing_has_no_sign(value, digits) -> None:
    """A signed number has exactly one sign, unless all its digits are 0."""
    said = numbers.signed(value, digits)
    nothing = not set(said) - set("0.,")
    assert nothing == (said[0] not in f"+{MINUS}")
    assert "-" not in said


def test_small_gains_get_another_digit() -> None:
    """A gain below half a point is not rounded away."""
    assert numbers.points(Interval(0.0001, 0.0004, 0.0007)) == "+0.04 points (+0.01 to +0.07)"
    assert numbers.points(Interval(-0.02, 0.0, 0.02)) == f"0.0 points ({MINUS}2.0 to +2.0)"
