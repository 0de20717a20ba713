"""Promises of columns of strings."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data.formats import strings


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "né ☃"]), max_size=30), max_size=4))
def test_a_column_is_what_it_was(pieces) -> None:
    """In one piece or in several, of few distinct strings or of many."""
    found = strings.joined(pa.chunked_array(pieces, pa.string()))
    assert found.dtype == object
    assert found.tolist() == [value for piece in pieces for value in piece]


def test_equal_strings_of_few_are_one_object() -> None:
    """Labels of millions of rows take the memory of two; texts that all differ are not looked up."""
    labels = strings.joined(pa.chunked_array([["positive", "negative"] * 500]))
    assert len({*map(id, labels)}) == 2
    few = strings.Few()
    assert len({id(few.one(f"label {n % 2}")) for n in range(100)}) == 2
    texts = strings.joined(pa.chunked_array([[f"text {n}" for n in range(1000)]]))
    assert np.unique(texts).size == 1000
