"""Promises of the reader of UBJSON."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.model import ubjson


def test_values_are_read_as_they_were_written() -> None:
    """Objects, strings, numbers of every width, lists of all three forms."""
    content = (
        b"{U\x01ai\xffU\x01b[I\x01\x00TFZ]U\x01c[$d#U\x02\x3f\x80\x00\x00\xc0\x00\x00\x00U\x01d[#U\x01SU\x02\xc3\xa9"
        b"i\x01eL\x00\x00\x00\x00\x00\x00\x00\x05i\x01fD\x3f\xe0\x00\x00\x00\x00\x00\x00}"
    )
    found = ubjson.read(content)
    assert found.pop("c").tolist() == [1.0, -2.0]
    assert found == {"a": -1, "b": [256, True, False, None], "d": ["é"], "e": 5, "f": 0.5}


def test_arrays_are_native() -> None:
    """An array of numbers of one type has this machine's byte order."""
    found = ubjson.read(b"[$l#U\x01\x00\x00\x01\x00")
    assert found.dtype == np.dtype(np.int32)
    assert found.tolist() == [256]


@given(st.binary(max_size=60) | st.builds(lambda tail: b"[$L#L" + tail, st.binary(min_size=8, max_size=20)))
def test_what_is_no_ubjson_is_refused(content) -> None:
    """Any bytes give a value or a ValueError, and nothing else."""
    try:
        ubjson.read(content)
    except ValueError as error:
        assert str(error) == ubjson.TORN  # noqa: PT017  # some bytes are right by chance


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"{" + b"U\x01a{" * 100_000, b"ZZ", b"[$Z#L\x7f" + b"\xff" * 7]
)
def test_endless_and_torn_content_is_refused(content) -> None:
    """Nesting without an end, counts of nothing and bytes left over are refused at once."""
    with pytest.raises(ValueError, match="no whole UBJSON"):
        ubjson.read(content)
