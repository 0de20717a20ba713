"""Promises of reading bodies, the same for each media type: what is sent arrives, and what is wrong is said with its place."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from relabel.codecs import codec, table, vectors
from relabel.codecs.codec import NotFiniteError, Records, Takes
from relabel.codecs.table import CODECS, CSV, JSON, JSON_LINES, NPY
from relabel.errors import UserError

Rows = list[list[Any]]

matrices = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
ragged = st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), min_size=2, max_size=5).filter(
    lambda rows: any(len(row) != 2 for row in rows)
)
pieces = st.lists(
    st.sampled_from(
        [
            *'[]{}",:\n\r \t0123456789.eE+-',
            "NaN",
            "Infinity",
            "nan",
            "null",
            "true",
            '"instances":',
            '"features":',
            "\ufeff",
        ]
    ),
    max_size=40,
).map("".join)


def npy(array: Any) -> bytes:
    """Write an array as numpy does."""
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def csv_line(row: list[Any]) -> str:
    """Write one line of CSV."""
    return ",".join(str(value) for value in row)


WRITERS: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "a bare list": (JSON, lambda rows: json.dumps(rows).encode()),
    "instances": (JSON, lambda rows: json.dumps({"instances": rows}).encode()),
    "inputs": (JSON, lambda rows: json.dumps({"inputs": rows}).encode()),
    "features": (JSON, lambda rows: json.dumps({"instances": [{"features": row} for row in rows]}).encode()),
    "lines of lists": (JSON_LINES, lambda rows: "".join(f"{json.dumps(row)}\n" for row in rows).encode()),
    "lines of features": (JSON_LINES, lambda rows: "\r\n".join(json.dumps({"features": row}) for row in rows).encode()),
    "lines with blanks": (JSON_LINES, lambda rows: "\n\n".join(f" {json.dumps(row)} " for row in rows).encode()),
    "csv": (CSV, lambda rows: "\n".join(map(csv_line, rows)).encode()),
    "csv with a header": (CSV, lambda rows: "\r\n".join(["a,b,c,d,e", *map(csv_line, rows), ""]).encode()),
}
"""Name -> media type, and how rows are written in it."""


def decoded(media_type: str, body: bytes, width: int) -> Records:
    """Read a body, as an endpoint does."""
    with np.errstate(over="ignore", invalid="ignore"):
        return CODECS[media_type].decode(body, Takes(width))


def refusal(media_type: str, body: bytes, width: int) -> UserError:
    """Read a body that must be refused, as an endpoint does; the refusal."""
    with pytest.raises(UserError) as refused:
        decoded(media_type, body, width).refuse()
    assert str(refused.value)
    return refused.value


@pytest.mark.parametrize(("media_type", "write"), WRITERS.values(), ids=WRITERS.keys())
@given(sent=matrices)
def test_vectors_arrive_exactly(media_type, write, sent) -> None:
    """Every finite float32, in every shape of every media type."""
    records = decoded(media_type, write(sent.tolist()), sent.shape[1])
    assert (records.inputs.dtype, records.problems) == (np.float32, ())
    np.testing.assert_array_equal(records.inputs, sent)


@given(sent=matrices, kind=st.sampled_from(["<f4", ">f4", "<f8", "<f2", "<i4", "u1"]), fortran=st.booleans())
def test_arrays_arrive_as_float32(sent, kind, fortran) -> None:
    """Any real type, byte order and memory order; one vector is one row."""
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.asarray(sent.astype(np.float64) % 100, dtype=kind, order="F" if fortran else "C")
    for given_array in (array, array[0]):
        records = decoded(NPY, npy(given_array), sent.shape[1])
        np.testing.assert_array_equal(records.inputs, np.atleast_2d(given_array).astype(np.float32))


def test_one_vector_is_one_row() -> None:
    """A flat list, bare or as `instances`, and one object."""
    for body in (b"[1, 2.5, -3]", b'{"instances": [1, 2.5, -3]}', b'{"features": [1, 2.5, -3]}'):
        np.testing.assert_array_equal(decoded(JSON, body, 3).inputs, np.array([[1, 2.5, -3]], np.float32))


@pytest.mark.parametrize(("media_type", "write"), WRITERS.values(), ids=WRITERS.keys())
@given(rows=ragged)
def test_ragged_rows_are_never_vectors(media_type, write, rows) -> None:
    """Even where all their numbers together would make whole rows, each row of another width is named."""
    refused = refusal(media_type, write(rows), 2)
    first = next(n for n, row in enumerate(rows) if len(row) != 2)
    if len(rows) > 1 or media_type != JSON:
        assert f"row {first} (counted from 0) has width {len(rows[first])}, expected 2" in str(refused)


@given(body=pieces.map(str.encode) | st.binary(max_size=30), media_type=st.sampled_from([JSON, JSON_LINES, CSV]))
def test_the_fast_path_gives_the_answer_of_the_slow_one(body, media_type) -> None:
    """For any bytes: the same vectors and the same problems, or the same refusal."""

    def answer() -> tuple[list[list[float]], tuple[codec.Problem, ...]] | str:
        try:
            records = decoded(media_type, body, 2)
        except UserError as error:
            return str(error)
        return records.inputs.tolist(), records.problems

    quick = answer()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "parse", lambda _text, _width: None)
        assert answer() == quick


@given(body=st.binary(max_size=200) | pieces.map(str.encode), media_type=st.sampled_from(list(CODECS)))
def test_any_bytes_are_records_or_a_refusal(body, media_type) -> None:
    """No body makes a codec fail in another way, and what is read is finite."""
    with suppress(UserError):
        records = decoded(media_type, body, 2)
        assert records.inputs.shape[1] == 2
        assert records.count == len(records.inputs) + len(records.problems) >= 1
        assert np.isfinite(records.inputs).all()


@given(cut=st.integers(0, 200), flip=st.integers(0, 199), sent=matrices)
def test_damaged_arrays_are_read_or_refused(cut, flip, sent) -> None:
    """A file that was cut or changed anywhere is never unpickled and never more than its bytes."""
    body = bytearray(npy(sent))
    body[flip % len(body)] ^= 0xFF
    with suppress(UserError):
        decoded(NPY, bytes(body[: len(body) - cut % len(body)]), sent.shape[1])


MALFORMED = [
    (JSON, b"", "not JSON"),
    (JSON, b'{"instances": [[1, 2]', r"not JSON \(line 1, column 22"),
    (JSON, b"\xff[1, 2]", "no UTF-8"),
    (JSON, b"[" * 100_000, "not JSON"),
    (JSON, b"[" + b"9" * 5000 + b", 1]", "not JSON"),
    (JSON, b"3", "a number where vectors of 2 numbers are expected"),
    (JSON, b'{"rows": [[1, 2]]}', "an object without `instances` or `inputs`"),
    (JSON, b'{"instances": [[1, 2]], "inputs": [[1, 2]]}', "an object with both `instances` and `inputs`"),
    (JSON, b'{"instances": {"a": 1}}', "an object where vectors of 2 numbers are expected"),
    (JSON, b"[]", "an empty list"),
    (JSON, b"[[1, 2], 3]", "row 1 .* is a number, expected a list of 2 numbers"),
    (JSON, b"[null]", "row 0 .* is null, expected a list of 2 numbers"),
    (JSON, b"[1, 2, 3]", "row 0 .* has width 3, expected 2"),
    (JSON, b"[[1, null]]", "row 0 .*, column 1 is null, expected a number"),
    (JSON, b'[[1, "2"]]', "row 0 .*, column 1 is a text, expected a number"),
    (JSON, b"[[1, true]]", "row 0 .*, column 1 is true or false, expected a number"),
    (JSON, b"[[1, [2]]]", "row 0 .*, column 1 is a list, expected a number"),
    (JSON, b"[[[1, 2]]]", "row 0 .* has width 1, expected 2"),
    (JSON, b'[{"features": [1, 2], "x": 1}, {"f": 1}]', "row 1 .* is an object, expected a list"),
    (JSON_LINES, b"\n \n", "an empty body"),
    (JSON_LINES, b"[1, 2]\n[1,\n2]", "row 1 .* is not JSON"),
    (JSON_LINES, b"[1, 2]\n{}", "row 1 .* is an object without one `features`"),
    (CSV, b"", "an empty body"),
    (CSV, b"a,b\n", "a header without records"),
    (CSV, b"1,x", "row 0 .*, column 1 is a text, expected a number"),
    (CSV, b"1,2\n1,", "row 1 .*, column 1 is empty, expected a number"),
    (CSV, b"1,2\n1_0,2", "row 1 .*, column 0 is a text"),
    (CSV, b'1,2\n"1', "row 1 .* is not CSV"),
    (NPY, b"1,2", "no .npy file"),
    (NPY, npy(np.zeros((2, 2, 2))), r"shape \(2, 2, 2\)"),
    (NPY, npy(np.zeros((0, 2))), r"shape \(0, 2\)"),
    (NPY, npy(np.array(["a", "b"])), "does not hold real numbers"),
    (NPY, npy(np.zeros((2, 2)))[:-1], "another length"),
    (NPY, npy(np.zeros((2, 2))) + b"x", "another length"),
]


@pytest.mark.parametrize(("media_type", "body", "said"), MALFORMED)
def test_what_is_malformed_is_said_with_its_place(media_type, body, said) -> None:
    """The message names what was seen and what was expected; it is not a matter of finiteness."""
    refused = refusal(media_type, body, 2)
    assert not isinstance(refused, NotFiniteError)
    assert len(str(refused)) < 300
    with pytest.raises(AssertionError, match=f"(?s){said}"):
        raise AssertionError(str(refused))


def test_objects_in_an_array_are_never_unpickled() -> None:
    """A pickle may run anything."""
    assert "does not hold real numbers" in str(refusal(NPY, npy(np.array([{"a": 1}, None], dtype=object)), 2))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e39", "-1e999", "1" + "0" * 400])
@pytest.mark.parametrize("media_type", [JSON, JSON_LINES, CSV])
def test_values_that_are_no_finite_float32_are_told_apart(media_type, value) -> None:
    """They are the record's problem with its place, and another kind of refusal."""
    body = {JSON: "[[1, 2], [%s, 3]]", JSON_LINES: "[1, 2]\n[%s, 3]", CSV: "1,2\n%s,3"}[media_type] % value
    refused = refusal(media_type, body.encode(), 2)
    assert isinstance(refused, NotFiniteError)
    assert str(refused) == "row 1 (counted from 0), column 0: not a finite float32 number"


@pytest.mark.parametrize("media_type", [JSON, JSON_LINES, CSV])
def test_good_records_stand_beside_bad_ones(media_type) -> None:
    """A bad record costs its own row: the others keep their place."""
    rows = [["1", "2"], ["1"], ["NaN", "1"], ["3", "4"]]
    lists = [f"[{','.join(row)}]" for row in rows]
    body = {JSON: f"[{','.join(lists)}]", JSON_LINES: "\n".join(lists), CSV: "\n".join(map(",".join, rows))}[media_type]
    records = decoded(media_type, body.encode(), 2)
    np.testing.assert_array_equal(records.inputs, np.array([[1, 2], [3, 4]], np.float32))
    assert (records.count, records.places().tolist()) == (4, [0, 3])
    assert [(problem.row, problem.malformed) for problem in records.problems] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON, b"[" + b"[]," * 30_000 + b"[]]"),
        (JSON_LINES, b"0\n" * 30_000),
        (CSV, b"+1\n" * 30_000),
        (CSV, b"x,1\n" * 20_000),
    ],
)
def test_many_small_wrong_records_cost_little(media_type, body) -> None:
    """None of them becomes a vector: what is refused is not a thousand times larger in memory than it was sent."""
    tracemalloc.start()
    try:
        records = decoded(media_type, body, 768)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(records.inputs), len(records.problems)) == (0, records.count)
    assert peak < 600 * len(body)


@pytest.mark.parametrize(
    "shape",
    [
        "(10**30, 0)",
        "(0, 10**30)",
        "(2**64, 0)",
        "(True, 2)",
        f"({'1,' * 70})",
        "()",
        "(2,)",
        "(-1, 2)",
        "(1.0, 2)",
        f"({'9' * 4299}, 0)",
    ],
)
def test_any_shape_that_a_header_says_is_an_array_or_a_refusal(shape) -> None:
    """Also those that no array can have."""
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape.replace('10**30', '1' + '0' * 30).replace('2**64', str(2**64))}, }}"
    header = text.encode() + b" " * (64 - (len(text) + 11) % 64) + b"\n"
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    if shape == "(2,)":
        assert decoded(NPY, body + bytes(8), 2).count == 1
    else:
        assert len(str(refusal(NPY, body, 2))) < 300


def test_numbers_as_people_write_them_are_read_from_csv() -> None:
    """A sign before, no digit before or after the point, spaces around, quotes."""
    records = decoded(CSV, b' +1.5 ,.5\n"2",3.\n1e-3,-0', 2)
    np.testing.assert_array_equal(records.inputs, np.array([[1.5, 0.5], [2, 3], [0.001, 0]], np.float32))


def test_many_bad_rows_make_a_short_message() -> None:
    """The first few rows are named, the others counted."""
    refused = str(refusal(JSON, json.dumps([[1.0]] * 1000).encode(), 2))
    assert "row 4" in refused
    assert refused.endswith("and 995 more")


@pytest.mark.parametrize("media_type", list(CODECS))
def test_no_message_carries_the_payload(media_type) -> None:
    """What was sent may be secret: neither texts nor keys nor numbers are repeated."""
    for body in (
        b'{"S3CRET": 1}',
        b'["S3CRET"]',
        b'[["S3CRET", 1]]',
        b'{"instances": "S3CRET"}',
        b"S3CRET,1",
        b"1,2\nS3CRET,1",
    ):
        with suppress(UserError):
            records = decoded(media_type, body, 2)
            assert not records.problems or "S3CRET" not in str(refusal(media_type, body, 2))
            continue
        assert "S3CRET" not in str(refusal(media_type, body, 2))


MANY = 1_500_000


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (JSON, b"[" + b"[]," * MANY + b"[]]"),
        (JSON, b'{"instances": [' + b"{}," * MANY + b"{}]}"),
        (JSON, b"[" + b'"",' * MANY + b'""]'),
        (JSON_LINES, b"[\n" * MANY),
        (JSON_LINES, b"[]\n" * MANY),
        (CSV, b"1\n" * MANY),
        (CSV, b"+1\n" * MANY),
        (f"{CSV}; label_size=1", b"1\n" * MANY),
        (CSV, b"," * MANY),
        (CSV, b"a," * MANY),
    ],
)
def test_millions_of_wrong_records_are_refused_before_each_is_looked_at(media_type, body) -> None:
    """The memory that they take is bounded as that of right ones is, and the time."""
    tracemalloc.start()
    began = time.process_time()
    known = table.of_request(media_type)
    with pytest.raises(UserError, match=r"more than 1,000,000 records|columns, expected"):
        table.read(media_type, known, body, Takes(768)).refuse()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * len(body)
    assert time.process_time() - began < 10


def test_millions_of_narrow_vectors_are_read() -> None:
    """The bound is for what is wrong."""
    assert decoded(CSV, b"1,2\n" * 1_200_000, 2).count == 1_200_000


def test_every_type_is_tested_here() -> None:
    """A new codec joins the tables above."""
    assert {media_type for media_type, _ in WRITERS.values()} | {NPY} == {*table.spoken(Takes(2))}
