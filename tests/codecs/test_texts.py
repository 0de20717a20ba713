"""Promises of reading texts, the same for each media type: what is sent arrives, and what is no text is said with its place."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relabel.codecs import table, texts
from relabel.codecs.codec import Predictions, Records, Takes
from relabel.codecs.table import CSV, JSON, JSON_LINES, PLAIN
from relabel.errors import UserError

TEXTS, BOTH = Takes(None, texts=True), Takes(2, texts=True)
SAID = "is 'this' a \"good\" film? naïve, 好, \U0001f600 \x00 <br/>\u202e\u2028"

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
one_line = anything.filter(lambda text: not set(text) & {"\r", "\n"} and not text.startswith("\ufeff"))
many = st.lists(anything, min_size=1, max_size=4)


def table_of(sent: list[str], header: str, *others: str) -> bytes:
    """Write CSV as Python does, texts in the first column, and other fields beside them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    if header:
        writer.writerow(header.split(","))
    writer.writerows([text, *others] for text in sent)
    return out.getvalue().encode()


def lines_of(rows: list[object]) -> bytes:
    """Write JSON Lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


WRITERS: dict[str, tuple[str, Callable[[list[str]], bytes]]] = {
    "a bare list": (JSON, lambda sent: json.dumps(sent).encode()),
    "instances": (JSON, lambda sent: json.dumps({"instances": sent}, ensure_ascii=False).encode()),
    "inputs": (JSON, lambda sent: json.dumps({"inputs": sent, "explain": False}).encode()),
    "records": (JSON, lambda sent: json.dumps({"instances": [{"text": text} for text in sent]}).encode()),
    "reviews": (JSON, lambda sent: json.dumps([{"review": text, "id": 1} for text in sent]).encode()),
    "lines of texts": (JSON_LINES, lambda sent: lines_of([*sent])),
    "lines of records": (JSON_LINES, lambda sent: lines_of([{"text": text} for text in sent])),
    "lines of inputs": (JSON_LINES, lambda sent: lines_of([{"inputs": text} for text in sent])),
    "csv": (CSV, lambda sent: table_of(sent, "")),
    "csv with a header": (CSV, lambda sent: table_of(sent, "text")),
    "csv with columns": (CSV, lambda sent: table_of(sent, "review,id,when", "1", "a, b")),
}


def read(content_type: str, body: bytes, takes: Takes = TEXTS, *, by_line: bool = False) -> Records:
    """Read a body, as an endpoint does."""
    media_type = table.of_request(content_type)
    assert media_type
    return table.read(content_type, media_type, body, takes, table.has_lines(content_type, otherwise=by_line))


@pytest.mark.parametrize(("media_type", "write"), WRITERS.values(), ids=WRITERS.keys())
@given(sent=many)
@example(sent=[SAID, "", " ", "5", "null"])
def test_texts_arrive_exactly(media_type, write, sent) -> None:
    """In every shape of every media type, whatever stands in them."""
    if media_type == CSV and {*texts.NAMES, *texts.ALSO} & {text.strip() for text in sent}:
        return  # a column without a header must not begin with the name of one
    for takes in (TEXTS, BOTH):
        records = read(media_type, write(sent), takes)
        assert (records.inputs, records.problems, records.count) == (tuple(sent), (), len(sent))


@given(st.lists(one_line, min_size=1, max_size=4), st.booleans())
@example([SAID.replace("\u2028", " "), "", "b"], True)
def test_each_line_of_plain_text_is_a_text(sent, windows) -> None:
    """Blank lines too, so that the answers stand beside their lines; the end of the last line begins none."""
    if sent == [""]:
        return
    body = ("\r\n" if windows else "\n").join([*sent, ""]).encode()
    assert read("text/plain; lines=true", body).inputs == tuple(sent)
    assert read("text/plain", body, by_line=True).inputs == tuple(sent)


@given(anything.filter(lambda text: text and not text.startswith("\ufeff")))
def test_plain_text_is_one_text(sent) -> None:
    """Whatever lines it has, unless they are asked for."""
    assert read("text/plain; charset=UTF-8; lines=false", sent.encode(), by_line=True).inputs == (sent,)
    assert read(PLAIN, sent.encode()).inputs == (sent,)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ('text/plain; charset="latin1"', b"caf\xe9", "café"),
        ("text/csv; charset=latin-1", b"text,id\ncaf\xe9,1\n", "café"),
        (PLAIN, b"\xef\xbb\xbfa", "a"),
        (CSV, b"\xef\xbb\xbftext\na\n", "a"),
        (JSON, b'"a"', "a"),
        (JSON, b'{"text": "a"}', "a"),
        (JSON, b'{"inputs": "a"}', "a"),
        (JSON, b'{"text": "a", "features": [1, 2]}', "a"),
        (CSV, b"a\r\n\r\n", "a"),
        (CSV, b'id, text \n1,"a, ""b""\nc"\n', 'a, "b"\nc'),
        (CSV, b'a "quoted" word\n', 'a "quoted" word'),
    ],
)
def test_other_ways_to_say_one_text(content_type, body, expected) -> None:
    """Encodings, marks of byte order, single texts, and quotes of CSV."""
    assert read(content_type, body).inputs == (expected,)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b'{"instances": [{"text": "a", "label": "good"}, {"text": "b"}]}'),
        (JSON, b'{"instances": ["a", "b"], "labels": ["good", null]}'),
        (JSON_LINES, b'{"text": "a", "label": "good"}\n{"review": "b"}'),
        (CSV, b"label,text,id\ngood,a,1\n,b,2\n"),
        ("text/csv; label_size=1", b"good,a\n,b\n"),
    ],
)
def test_labels_come_with_their_text(content_type, body) -> None:
    """Inside the records or beside them all, and in CSV by a header or as the first of two columns."""
    for takes in (TEXTS, BOTH):
        records = read(content_type, body, takes)
        assert (records.inputs, records.labels) == (("a", "b"), {0: "good"})


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        (JSON, b'["a", null]', "row 1 .* is null, expected a text"),
        (JSON, b'["a", 5]', "row 1 .* is a number, expected a text"),
        (JSON, b"[[1, 2]]", "row 0 .* is a list, expected a text"),
        (JSON, b"[1, 2]", "row 0 .* is a list, expected a text"),
        (JSON, b'{"features": [1, 2]}', "row 0 .* is a list, expected a text"),
        (JSON, b'[{"text": "a", "review": "b"}]', "row 0 .* is an object, expected a text"),
        (JSON, b'["a", "\\ud800"]', "row 1 .* surrogate"),
        (JSON, b'[{"text": "a", "label": []}]', "`label` is a list"),
        (JSON, b"5", "a number where texts are expected: .*instances"),
        (JSON, b'{"a": "b"}', "without `instances` or `inputs`: send .*text"),
        (JSON_LINES, b'"a"\n{"features": [1]}', "row 1 .* without one `text`"),
        (CSV, b"text,label\na\n", "row 0 .* has 1 columns, expected 2"),
        (CSV, b"so, it was bad\n", "row 0 .* has 2 columns, expected 1: quote"),
        (
            CSV,
            b"body,label\nbad,a\n",
            "row 0 .* has 2 columns.* or name its column in a header, `text` or `review`",
        ),
        (CSV, b"text,review\na,b\n", "more than one column of texts"),
        (CSV, b'"a\n', "quoted field"),
        (CSV, b'"a" b\n', "quoted field"),
        (CSV, b"text\n", "header without records"),
        (CSV, b"text\ncaf\xe9\n", "row 0 .* another encoding"),
        (CSV, b"\n\n", "empty body"),
        (PLAIN, b"", "empty body: send a text"),
        (PLAIN, b"caf\xe9", "row 0 .* another encoding"),
        ("text/plain; charset=ebcdic", b"a", "charset that is not known"),
        ("text/plain; lines=maybe", b"a", "neither true nor false"),
        (PLAIN, b"a" * (texts.LONGEST + 1), "1,048,577 characters"),
        (JSON, b'{"text": "a", "explain": 101}', "`explain` is neither"),
        (JSON, b'{"text": "a", "explain": "a"}', "`explain` is neither"),
    ],
)
def test_what_is_no_text_is_said_and_not_repeated(content_type, body, said) -> None:
    """With its row where there is one."""
    with pytest.raises(UserError, match=said) as refused:
        read(content_type, body).refuse()
    assert len(str(refused.value)) < 300


def test_no_more_texts_than_memory_holds(monkeypatch) -> None:
    """Empty ones take memory too."""
    monkeypatch.setattr(texts, "MOST", 3)
    assert read("text/plain;lines=1", b"\n\n\n").count == 3
    with pytest.raises(UserError, match="more than 3 texts in one request"):
        read("text/plain;lines=1", b"\n\n\n\n")
    assert read(CSV, b"text\na\nb\nc\n").count == 3
    with pytest.raises(UserError, match="more than 3 texts in one request"):
        read(CSV, b"text\na\nb\nc\nd\ne\n")
    with pytest.raises(UserError, match="10,000 columns"):
        read(CSV, b"," * 10_001)


@pytest.mark.parametrize("header", ["id,sentence", "sentence,content", "content,text", "sentence"])
def test_a_header_names_texts_as_data_for_training_does(header) -> None:
    """A column `sentence` or `content` is read where there is no `text`, and no header becomes a text."""
    columns = header.split(",")
    expected = next(name for name in ("text", "sentence", "content") if name in columns)
    assert read(CSV, f"{header}\n{header}\n".encode()).inputs == (expected,)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b'{"instances": [[1, 0.5]]}'),
        (JSON, b'{"features": [1, 0.5], "text": "a"}'),
        (JSON_LINES, b"[1, 0.5]\n"),
        (CSV, b"1,0.5\n"),
        (CSV, b"a,b\n1,0.5\n"),
        ("text/csv; label_size=1", b"x,1,0.5\n"),
    ],
)
def test_a_model_of_both_takes_vectors_as_ever(content_type, body) -> None:
    """It is asked for texts only by texts."""
    np.testing.assert_array_equal(read(content_type, body, BOTH).inputs, [[1, 0.5]])
    np.testing.assert_array_equal(read(content_type, body, Takes(2)).inputs, [[1, 0.5]])


@pytest.mark.parametrize(
    ("content_type", "body", "said"),
    [
        (JSON, b'{"text": "a"}', "row 0 .* is a text, expected a list of 2 numbers"),
        (JSON, b'["a"]', "row 0 .* is a text, expected a list of 2 numbers"),
        (CSV, b"x,a\n", "header without records"),
        (PLAIN, b"a", "this model takes vectors of 2 numbers"),
    ],
)
def test_texts_are_refused_by_a_model_of_vectors(content_type, body, said) -> None:
    """The message says what it takes."""
    with pytest.raises(UserError, match=said):
        read(content_type, body, Takes(2)).refuse()


@given(
    st.binary(max_size=30) | st.text('[]{}",:\n\r \t19.ae\\ud8', max_size=30).map(str.encode),
    st.sampled_from([JSON, JSON_LINES, CSV, PLAIN, "text/csv; label_size=1", "text/plain; lines=true"]),
    st.sampled_from([TEXTS, BOTH]),
)
def test_any_bytes_are_read_or_refused(body, content_type, takes) -> None:
    """Each record is there once, as a text or a vector, or as a problem."""
    try:
        records = read(content_type, body, takes)
    except UserError:
        return
    assert records.count == len(records.inputs) + len(records.problems) > 0
    if isinstance(records.inputs, tuple):
        assert all(text.encode().decode() == text for text in records.inputs)


def test_as_plain_text_an_answer_is_the_name_of_the_class() -> None:
    """One line for each record, in order, also for names with line breaks and for records that were refused."""
    said = Predictions(np.array([[1, 0], [0, 1], [0.5, 0.5]], np.float32), ("so\nso", "gut"), {2: "row 2, bad"})
    assert table.CODECS[PLAIN].encode(said) == b"so so\ngut\nerror: row 2, bad\n"


def test_words_stand_in_the_object_of_their_record() -> None:
    """As a list, the heaviest first."""
    said = Predictions(np.array([[1, 0]], np.float32), ("a", "b"), words={0: [('so "so"', 0.5), ("x", -0.25)]})
    row = json.loads(table.CODECS[JSON].encode(said))["predictions"][0]
    assert row["words"] == [{"word": 'so "so"', "weight": 0.5}, {"word": "x", "weight": -0.25}]
    assert row["probabilities"] == [1, 0]
