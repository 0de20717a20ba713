"""Promises of the JSON codec."""

from __future__ import annotations

import json as plain
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from relabel.codecs import json
from relabel.codecs.codec import NotFiniteError, Predictions
from relabel.errors import UserError

vectors = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(vectors)
def test_vectors_come_back_exactly_in_both_list_shapes(given_vectors) -> None:
    """Every finite float32 survives, as `instances` and as a bare list."""
    for value in ({"instances": given_vectors.tolist()}, given_vectors.tolist()):
        back = json.decode(plain.dumps(value).encode(), given_vectors.shape[1])
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, given_vectors)


def test_one_vector_is_one_row() -> None:
    """A flat list is a single vector, bare or as `instances`."""
    for body in (b"[1, 2.5, -3]", b'{"instances": [1, 2.5, -3]}'):
        np.testing.assert_array_equal(json.decode(body, 3), np.array([[1, 2.5, -3]], np.float32))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b'{"instances": [[1, 2]', "not JSON .line 1, column 22"),
        (b"\xff[1, 2]", "no UTF-8"),
        (b"[" * 100_000, "not JSON"),
        (b"[" + b"9" * 5000 + b", 1]", "not JSON"),
        (b"3", "a number where vectors are expected"),
        (b'{"rows": [[1, 2]]}', "an object without `instances`"),
        (b'{"instances": {"a": 1}}', "an object where vectors are expected"),
        (b"[]", "an empty list"),
        (b"[[1, 2], 3]", "row 1 .* is a number, expected a list of 2 numbers"),
        (b"[null]", "row 0 .* is null, expected a list of 2 numbers"),
        (b"[[1, 2], [1]]", "row 1 .* has width 1, expected 2"),
        (b"[1, 2, 3]", "row 0 .* has width 3, expected 2"),
        (b"[[1, null]]", "row 0, column 1 .* is null, expected a number"),
        (b'[[1, "2"]]', "row 0, column 1 .* is a text, expected a number"),
        (b"[[1, true]]", "row 0, column 1 .* is true or false, expected a number"),
        (b"[[1, [2]]]", "row 0, column 1 .* is a list, expected a number"),
    ],
)
def test_what_is_malformed_is_said_with_its_place(body, said) -> None:
    """The message names what was seen and what was expected; a value that cannot be used is not a matter of finiteness."""
    with pytest.raises(UserError, match=said) as refused:
        json.decode(body, 2)
    assert not isinstance(refused.value, NotFiniteError)


def test_ragged_rows_are_refused_even_where_the_total_fits() -> None:
    """Widths 1 and 3 are not two rows of 2, and both are named."""
    with pytest.raises(UserError, match=r"(?s)row 0 .* width 1, .*row 1 .* width 3, "):
        json.decode(b"[[1], [2, 3, 4]]", 2)


def test_many_bad_rows_make_a_short_message() -> None:
    """The first few rows are named, the others counted."""
    with pytest.raises(UserError, match=r"(?s)row 4 .*and 995 more$"):
        json.decode(plain.dumps([[1.0]] * 1000).encode(), 2)


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e39", b"-1e999", b"1" + b"0" * 400])
def test_values_that_are_no_finite_float32_are_refused_with_their_place(value) -> None:
    """NaN, infinity and numbers beyond float32 are told apart from malformed bodies."""
    with pytest.raises(NotFiniteError, match="row 1, column 0"):
        json.decode(b"[[1, 2], [%s, 3]]" % value, 2)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:0123456789.eE+-natruefilsc ', max_size=60).map(str.encode))
def test_any_bytes_are_vectors_or_a_refusal(body) -> None:
    """No body makes the codec fail in another way."""
    with suppress(UserError):
        assert np.isfinite(json.decode(body, 2)).all()


def test_no_message_carries_the_payload() -> None:
    """What was sent may be secret: neither texts nor keys are repeated."""
    for body in (b'{"SECRET": 1}', b'["SECRET"]', b'[["SECRET", 1]]', b'{"instances": "SECRET"}', b"SECRET"):
        with pytest.raises(UserError) as refused:
            json.decode(body, 2)
        assert "SECRET" not in str(refused.value)


def test_predictions_carry_label_class_and_probabilities() -> None:
    """The label is the index of the largest probability, the class its name; float32 values survive exactly."""
    probabilities = np.array([[0.1, 0.9], [0.75, 0.25]], np.float32)
    rows = plain.loads(json.encode(Predictions(probabilities, ("négatif", "b"))))["predictions"]
    assert [(row["label"], row["class"]) for row in rows] == [(1, "b"), (0, "négatif")]
    np.testing.assert_array_equal(np.array([row["probabilities"] for row in rows], np.float32), probabilities)
