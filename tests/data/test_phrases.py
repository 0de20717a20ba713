"""Promises of how rows and names are said."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from relabel.data import phrases


def test_examples_of_the_docstrings_hold() -> None:
    """Every example in the module prints what stands under it."""
    assert doctest.testmod(phrases).attempted > 0
    assert doctest.testmod(phrases).failed == 0


@given(st.lists(st.text()))
def test_names_are_few_and_short(values) -> None:
    """Whatever stands in a file, a message stays on one line of bounded length."""
    said = phrases.names(values)
    assert len(said.splitlines()) <= 1
    assert len(said) <= phrases.FEW * (phrases.LONGEST + 5) + 20
