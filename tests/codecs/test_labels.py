"""Promises of labels that records carry: they arrive with their record, in every shape, and what is wrong with one is said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relabel.codecs import objects, table, vectors
from relabel.codecs.codec import LabelAudit, Predictions, Problem, Records, Takes
from relabel.codecs.table import CODECS, CSV, JSON, JSON_LINES, NPY
from relabel.errors import UserError

WIDTH = 2
LABEL_FIRST = "text/csv; label_size=1"
Given = list[Any]
"""Labels as they are sent, None for none."""


def records_with(given: Given) -> list[dict[str, Any]]:
    """Make JSON records; one without a label has no such key."""
    return [{"features": [n, -0.5]} | ({} if label is None else {"label": label}) for n, label in enumerate(given)]


def lines_of(given: Given, place: int) -> str:
    """Write CSV with the label in this column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for n, label in enumerate(given):
        numbers = [n, -0.5]
        writer.writerow([*numbers[:place], "" if label is None else label, *numbers[place:]])
    return out.getvalue()


def beside(name: str, given: Given) -> bytes:
    """Write one JSON object with the labels beside the vectors."""
    return json.dumps({name: [[n, -0.5] for n in range(len(given))], "labels": given}).encode()


WRITERS: dict[str, tuple[str, Callable[[Given], bytes]]] = {
    "a bare list": (JSON, lambda given: json.dumps(records_with(given)).encode()),
    "instances": (JSON, lambda given: json.dumps({"instances": records_with(given)}).encode()),
    "labels beside instances": (JSON, lambda given: beside("instances", given)),
    "labels beside inputs": (JSON, lambda given: beside("inputs", given)),
    "lines": (JSON_LINES, lambda given: "\n".join(map(json.dumps, records_with(given))).encode()),
    "csv, label first": (LABEL_FIRST, lambda given: lines_of(given, 0).encode()),
    "csv, a header that says first": (CSV, lambda given: b"label,a,b\n" + lines_of(given, 0).encode()),
    "csv, a header that says last": (CSV, lambda given: b"a,b,label\r\n" + lines_of(given, 2).encode()),
    "csv, a header that says second": (CSV, lambda given: b"a,label,b\n" + lines_of(given, 1).encode()),
    "csv, a header of numbers": (CSV, lambda given: b"0,1,label\n" + lines_of(given, 2).encode()),
    "csv, a header that says more than label_size": (LABEL_FIRST, lambda g: b"a,b,label\n" + lines_of(g, 2).encode()),
}
"""Name -> Content-Type, and how labelled records are written."""

some_labels = st.lists(
    st.none() | st.integers(-3, 3) | st.sampled_from(["good", " bad ", "größer", 'so "so", la', "[x]", "{", "1.0"]),
    min_size=1,
    max_size=5,
).filter(lambda given: any(label is not None for label in given))


def read(content_type: str, body: bytes, width: int = WIDTH) -> Records:
    """Read a body, as an endpoint does."""
    media_type = table.of_request(content_type)
    assert media_type
    with np.errstate(over="ignore", invalid="ignore"):
        return table.read(content_type, media_type, body, Takes(width))


def without_fast_path(content_type: str, body: bytes) -> Records:
    """Read a body by the slow path alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "parse", lambda _text, _width: None)
        return read(content_type, body)


@pytest.mark.parametrize(("content_type", "write"), WRITERS.values(), ids=WRITERS.keys())
@given(sent=some_labels)
def test_labels_arrive_with_their_records(content_type, write, sent) -> None:
    """In every shape, beside records without a label, without spaces around them, by either path."""
    expected = {n: str(label).strip() for n, label in enumerate(sent) if label is not None}
    for found in (read(content_type, write(sent)), without_fast_path(content_type, write(sent))):
        assert (found.labels, found.problems) == (expected, ())
        np.testing.assert_array_equal(found.inputs, [[n, -0.5] for n in range(len(sent))])


@pytest.mark.parametrize(("content_type", "write"), WRITERS.values(), ids=WRITERS.keys())
def test_plain_labels_take_the_fast_path(monkeypatch, content_type, write) -> None:
    """But in a column between the numbers."""
    monkeypatch.setattr(objects, "records", lambda *_: pytest.fail("the slow path"))
    if write is not WRITERS["csv, a header that says second"][1]:
        assert read(content_type, write(["good", 1, "bad"])).labels == {0: "good", 1: "1", 2: "bad"}


pieces = st.lists(
    st.sampled_from(
        [
            *'[]{}",:\n\r 012.-',
            "[1, 2]",
            '{"features": [1, 2], "label": "a"}',
            '{"label": 1.0, "features": [1, 2]}',
            '{"instances": [[1, 2], [3, 4]], "labels": ["a", null]}',
            '"label":',
            '"labels":',
            '"instances":',
            '"features":',
            "label",
            "a,b,label\n",
            "0,1,label\n",
            "good,1,2\n",
            "1,2,bad\n",
            "true",
            "null",
            "NaN",
            "\\ud800",
            "\u2028",
            "é",
        ]
    ),
    max_size=24,
).map("".join)


@given(
    body=pieces.map(str.encode) | st.binary(max_size=30),
    content_type=st.sampled_from([JSON, JSON_LINES, CSV, LABEL_FIRST]),
)
@example(body=b'{"features": [1, 2], "label": "}\n{", "features": [1, 2]}', content_type=JSON_LINES)
@example(body=b"a\rb,1,2", content_type=LABEL_FIRST)
@example(body=b"\r1,2", content_type=CSV)
@example(body=b"\rgood,1,2\r\n", content_type=LABEL_FIRST)
@example(body=b"\xff,1,2", content_type=LABEL_FIRST)
@example(body=b"good,1,2\n\n ,3,4", content_type=LABEL_FIRST)
@example(body=b"good,1,2\n3,4", content_type=LABEL_FIRST)
@example(body=b"a,b,label\n1,2", content_type=CSV)
@example(body=b'[{"features": [1, 2], "label": "a", "label": "b"}]', content_type=JSON)
@example(body=b'[{"features": [1, 2], "label": NaN}, {"features": [1, 2], "label": 1e999}]', content_type=JSON)
@example(body=b'{"instances": [{"features": [1, 2], "label": "a"}], "labels": ["b"]}', content_type=JSON)
@example(body=b'{"instances": [1, 2], "labels": ["b"]}', content_type=JSON)
def test_the_fast_path_gives_the_answer_of_the_slow_one(body, content_type) -> None:
    """For any bytes: the same vectors, labels and problems, or the same refusal."""

    def answer(how: Callable[[str, bytes], Records]) -> object:
        try:
            found = how(content_type, body)
        except UserError as error:
            return str(error)
        return found.inputs.tolist(), found.labels, found.problems

    assert answer(read) == answer(without_fast_path)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b"[[1, 2]]"),
        (JSON, b'[{"features": [1, 2]}]'),
        (JSON_LINES, b'{"features": [1, 2]}'),
        (CSV, b"a,b\n1,2"),
        (CSV, b"label,label\n1,2"),
        (CSV, b"a,label\n1,2"),
        ("text/csv; label_size=0", b"1,2"),
        (NPY, None),
    ],
)
def test_a_body_without_a_place_for_labels_has_none(content_type, body) -> None:
    """None is told from an empty place; a header of as many names as numbers names numbers."""
    if body is None:
        out = io.BytesIO()
        np.save(out, np.array([[1, 2]], np.float32))
        body = out.getvalue()
    found = read(content_type, body)
    assert (found.labels, found.inputs.tolist()) == (None, [[1, 2]])


def test_an_empty_place_is_told_from_none() -> None:
    """So that all answers to one kind of body have the same columns."""
    assert read(LABEL_FIRST, b",1,2\n  ,3,4").labels == {}
    assert read(JSON, b'{"instances": [[1, 2]], "labels": [null]}').labels == {}
    assert read(JSON_LINES, b'{"features": [1, 2], "label": ""}').labels == {}


WRONG = [
    (JSON, b'[{"features": [1, 2], "label": ["a"]}]', "row 0 .*, `label` is a list, expected the name of a class"),
    (JSON, b'[[1, 2], {"features": [1, 2], "label": true}]', "row 1 .*, `label` is true or false"),
    (JSON_LINES, b'{"features": [1, 2], "label": {}}', "row 0 .*, `label` is an object"),
    (JSON, b'{"instances": [[1, 2]], "labels": "a"}', "`labels` is a text, expected a list of 1"),
    (JSON, b'{"instances": [[1, 2]], "labels": ["a", "b"]}', "`labels` is 2 long, expected a list of 1"),
    (JSON, b'{"inputs": [[1, 2]], "label": "a"}', "`label` beside `inputs`: send `labels`"),
    (
        JSON,
        b'{"instances": [{"features": [1, 2], "label": 1}], "labels": [1]}',
        "both `labels` and records with a `label`",
    ),
    (LABEL_FIRST, b"good,1,2\ngood,1", "row 1 .* has 2 columns, expected 3: a label and 2 numbers"),
    (LABEL_FIRST, b"good,1,x", "row 0 .*, column 1 is a text"),
    (LABEL_FIRST, b"good,1,NaN", "row 0 .*, column 1: not a finite"),
    (CSV, b"a,label,b\n1,good,2,3", "row 0 .* has 4 columns, expected 3"),
    ("text/csv; label_size=2", b"a,b,1,2", "label_size is neither 0 nor 1"),
    ("text/csv;LABEL_SIZE=", b"a,1,2", "label_size is neither 0 nor 1"),
]


@pytest.mark.parametrize(("content_type", "body", "said"), WRONG)
def test_what_is_wrong_with_labels_is_said(content_type, body, said) -> None:
    """With the record's place where it is one record's."""
    with pytest.raises(UserError, match=said) as refused:
        read(content_type, body).refuse()
    assert len(str(refused.value)) < 300


def test_a_record_with_a_wrong_label_costs_itself_alone() -> None:
    """The others keep their place and their labels."""
    found = read(JSON, b'[{"features": [1, 2], "label": "a"}, {"features": [1, 2], "label": []}, [3, 4]]')
    assert ([problem.row for problem in found.problems], found.places().tolist()) == ([1], [0, 2])
    assert found.labels == {0: "a"}


@pytest.mark.parametrize(
    "said", ["text/csv;label_size=1", 'Text/CSV; charset=utf-8; Label_Size="1"', "text/csv ; label_size = 1"]
)
def test_label_size_is_understood_however_it_is_said(said) -> None:
    """Case, spaces, quotes and other parameters do not matter."""
    assert read(said, b"good,1,2").labels == {0: "good"}


NAMES = ('so "so", la\nla', "good")
probabilities = np.array([[0.25, 0.75], [0.5, 0.5], [1, 0]], np.float32)


def encoded(media_type: str, audits: Mapping[int, LabelAudit] | None, **more: Any) -> bytes:
    """Write three rows."""
    return CODECS[media_type].encode(Predictions(probabilities, NAMES, audits=audits, **more))


AUDITS = {0: LabelAudit(NAMES[0], 1 / 3, "good", in_sample=True), 2: LabelAudit("good", None, NAMES[0], in_sample=None)}


def test_json_says_more_of_records_with_a_label() -> None:
    """Given and suggested label by name, the posterior, whether the row was trained on; what is not known is null."""
    for rows in (
        json.loads(encoded(JSON, AUDITS))["predictions"],
        [json.loads(line) for line in encoded(JSON_LINES, AUDITS).decode().splitlines()],
    ):
        assert rows[0] == {
            "label": 1,
            "class": "good",
            "probabilities": [0.25, 0.75],
            "given_label": NAMES[0],
            "error_posterior": 0.333333333,
            "suggested_label": "good",
            "in_sample": True,
        }
        assert rows[1].keys() == {"label", "class", "probabilities"}
        assert (rows[2]["error_posterior"], rows[2]["in_sample"]) == (None, None)


def test_csv_has_four_more_columns_where_there_is_a_place_for_labels() -> None:
    """On every line, refused or without a label too, and on none where the request has no such place."""
    plain = list(csv.reader(io.StringIO(encoded(CSV, None).decode())))
    rows = list(csv.reader(io.StringIO(encoded(CSV, AUDITS, refused={1: "no"}).decode())))
    assert [len(row) for row in plain] == [4] * 3
    assert rows[0] == [*plain[0], " ".join(NAMES[0].splitlines()), "0.333333333", "good", "true"]
    assert rows[1] == ["", "error: no", "", "", "", "", "", ""]
    assert rows[2][4:] == ["good", "", " ".join(NAMES[0].splitlines()), ""]
    assert [row[4:] for row in csv.reader(io.StringIO(encoded(CSV, {}).decode()))] == [[""] * 4] * 3


def test_npy_says_nothing_of_labels() -> None:
    """An array of probabilities has no room for it."""
    assert encoded(NPY, AUDITS) == encoded(NPY, None)


def test_problems_do_not_repeat_the_label() -> None:
    """It may be secret, as all of a payload."""
    found = read(JSON, b'[{"features": [1, "S3CRET"], "label": "S3CRET"}]')
    assert found.problems == (Problem(0, ", column 1 is a text, expected a number"),)
