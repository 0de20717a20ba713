"""Columns packed for a page's script."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
import pytest

from relabel.report import packing


@pytest.mark.parametrize(("largest", "kind"), [(255, "uint8"), (256, "uint16"), (65_536, "uint32")])
def test_whole_numbers_take_no_more_bytes_than_they_need(largest, kind) -> None:
    """The kind is the narrowest that holds all, and the numbers come back."""
    packed = packing.packed(np.array([0, largest]))
    assert packed["kind"] == kind
    assert np.frombuffer(base64.b64decode(packed["bytes"]), kind).tolist() == [0, largest]


def test_no_numbers_are_packed_too() -> None:
    """An empty column is no failure."""
    assert packing.packed(np.array([], np.int64)) == {"kind": "uint8", "bytes": ""}


def test_names_stand_in_the_order_asked_for_with_nothing_last() -> None:
    """Names that are known come first, in their order, then others, then that of null; counts are by name."""
    column = pa.chunked_array([pa.array(["c", "a", None]), pa.array(["x", "a", "b"])])
    found = packing.named(column, "none", first=("a", "b", "c", "absent"))
    assert found.names == ["a", "b", "c", "x", "none"]
    assert [found.names[code] for code in found.codes] == ["c", "a", "none", "x", "a", "b"]
    assert found.counts() == [2, 1, 1, 1, 1]


def test_dictionaries_are_read_as_their_values() -> None:
    """A dictionary column, even one whose chunks differ and that names values it does not have, gives the same as a plain one."""
    halves = [
        pa.DictionaryArray.from_arrays(pa.array([1, 0]), pa.array(["p", "q", "unused"])),
        pa.array(["q"]).dictionary_encode(),
    ]
    found = packing.named(
        pa.chunked_array([half.cast(pa.dictionary(pa.int32(), pa.string())) for half in halves]), "none"
    )
    assert [found.names[code] for code in found.codes] == ["q", "p", "q"]
    assert "unused" not in found.names


def test_missing_numbers_are_no_numbers() -> None:
    """Null becomes NaN."""
    assert np.isnan(packing.numbers(pa.chunked_array([pa.array([1.0, None])]))).tolist() == [False, True]
