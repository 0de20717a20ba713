"""Promises of an endpoint that takes texts: the same text gets the same answer however it comes, and nobody waits for another's."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how
from hypothesis import strategies as st

from relabel.codecs import table
from relabel.codecs.table import CSV, JSON, JSON_LINES, NPY, PLAIN
from relabel.serving import served
from relabel.serving.handler import handle
from relabel.serving.messages import Request
from relabel.serving.served import Served
from relabel.text.reader import TextInput

HOSTILE = {
    "html": "<script>alert('good')</script><p>bad &amp; great",
    "comments that do not end": "<!--" * 200_000,
    "a number of many digits": "&#" + "9" * 5000 + ";",
    "control characters": "good\x00\x07\x1b[31m bad\x7f\u200b",
    "emoji": "good \U0001f600\U0001f469\u200d\U0001f469 bad",
    "right to left": "סרט good \u202e טוב مفيد",
    "marks": "o\u0301\u0316" + "\u0301\u0316" * 200_000,
    "one word": "y" * 1_000_000,
    "a long review": "good film " * 100_000,
    "other scripts": "хорошо 好 नमस्ते",
    "unknown words": "qwertz asdf",
    "blank": " \t ",
    "empty": "",
}


def csv_of(text: str) -> str:
    """Write one field of CSV."""
    return '"' + text.replace('"', '""') + '"'


WAYS: dict[str, Callable[[Callable[..., Request], str], Request]] = {
    "instances": lambda post, text: post(json.dumps({"instances": [text]})),
    "text": lambda post, text: post(json.dumps({"text": text}, ensure_ascii=False)),
    "inputs": lambda post, text: post(json.dumps({"inputs": [text]})),
    "bare": lambda post, text: post(json.dumps(text)),
    "lines": lambda post, text: post(json.dumps({"review": text}), JSON_LINES, accept=JSON),
    "csv": lambda post, text: post(csv_of(text), CSV, accept=JSON),
    "csv with a header": lambda post, text: post(f"id,review\n7,{csv_of(text)}\n", CSV, accept=JSON),
    "plain": lambda post, text: post(text, PLAIN),
    "plain in Latin-1": lambda post, text: post(text.encode("latin-1"), "text/plain; charset=ISO-8859-1"),
    "query": lambda _post, text: Request("GET", "/", query=urllib.parse.urlencode({"input_str": text})),
}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@example("a good film, not dull")
@example("хорошо \x00 <b>bad</b>\n\nfilm\r")
@how(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_text_gets_the_same_answer_in_every_way_to_send_it(text_endpoint, having, post, answers, text) -> None:
    """To the last digit, which is also what the model says of it."""
    endpoint = having(text_endpoint, query_text=True)
    said = endpoint.served((text,)).tolist()[0]
    for name, way in WAYS.items():
        plain = name in ("plain", "plain in Latin-1", "query")
        if (plain and (not text or text.startswith("\ufeff"))) or (
            name == "csv" and text.strip() in ("text", "review")
        ):
            continue
        if name == "plain in Latin-1" and not all(ord(each) < 256 for each in text):
            continue
        found = answers(handle(way(post, text), endpoint))
        assert [row["probabilities"] for row in found] == [pytest.approx(said, abs=1e-9)], name


def test_words_of_the_vocabulary_decide(text_endpoint, post, answers) -> None:
    """In any script; a text without one of them is answered too."""
    body = json.dumps(["a great film", "Dull, dull!", "хорошо", "好", "qwertz", ""])
    classes = [row["class"] for row in answers(handle(post(body), text_endpoint))]
    assert classes == ["positive", "negative", "positive", "positive", "negative", "negative"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("content_type", [JSON, CSV, PLAIN])
def test_hostile_texts_are_answered_in_time(text_endpoint, post, answers, content_type, text) -> None:
    """Or refused, and never by a failure of ours."""
    body = {JSON: json.dumps([text]), CSV: f"text\n{csv_of(text)}\n", PLAIN: text or " "}[content_type]
    began = time.perf_counter()
    response = handle(post(body, content_type, accept=JSON), text_endpoint)
    assert time.perf_counter() - began < 5
    assert sum(answers(response)[0]["probabilities"]) == pytest.approx(1)


def test_bad_texts_are_refused_or_reported_in_their_place(text_endpoint, having, post, answers, message) -> None:
    """A lone surrogate, null and a vector among texts."""
    body = '["good", "\\ud800", null, [1, 2], "bad"]'
    refused = handle(post(body), text_endpoint)
    assert refused.status == 400
    assert all(said in message(refused) for said in ("row 1 ", "row 2 ", "is null", "row 3 ", "is a list"))
    found = answers(handle(post(body), having(text_endpoint, bad_records="report")))
    assert [row.get("class") for row in found] == ["positive", None, None, None, "negative"]
    assert all("error" in row for row in found[1:4])
    alone = answers(handle(post("[null]"), having(text_endpoint, bad_records="report")))
    assert "error" in alone[0]


def test_a_model_of_texts_takes_no_vectors_and_says_so(text_endpoint, post, message) -> None:
    """As JSON, and as an array."""
    assert "expected a text" in message(handle(post("[[1, 2]]"), text_endpoint))
    refused = handle(post(b"", NPY), text_endpoint)
    assert refused.status == 415
    assert "takes texts, as application/json" in message(refused)
    assert NPY not in message(refused)


@pytest.mark.parametrize(
    ("content_type", "accept", "answered"),
    [
        (PLAIN, "", JSON),
        ("text/plain; lines=true", "", JSON_LINES),
        (JSON, "", JSON),
        (CSV, "", CSV),
        (PLAIN, CSV, CSV),
        (PLAIN, "*/*", JSON),
        (PLAIN, PLAIN, "text/plain; charset=utf-8"),
        (JSON, PLAIN, "text/plain; charset=utf-8"),
    ],
)
def test_an_answer_to_plain_text_is_json_unless_another_is_asked_for(
    text_endpoint, post, content_type, accept, answered
) -> None:
    """Of one on each line an object on each line."""
    response = handle(post('"good"', content_type, accept=accept), text_endpoint)
    assert (response.status, response.content_type) == (200, answered)


def test_plain_text_asks_for_the_name_of_the_class_and_gets_it_alone(text_endpoint, post) -> None:
    """One for each line."""
    asked = post("good\n\nbad\n", "text/plain; lines=true", accept=PLAIN)
    assert handle(asked, text_endpoint).body == b"positive\nnegative\nnegative\n"


@pytest.mark.parametrize("chosen", [{"batch": True}, {"plain_lines": True}])
def test_lines_of_plain_text_are_texts_where_the_endpoint_is_set_so(
    text_endpoint, having, post, answers, chosen
) -> None:
    """As batch transform sends them."""
    found = answers(handle(post("good\nbad\n", PLAIN), having(text_endpoint, **chosen)))
    assert [row["class"] for row in found] == ["positive", "negative"]


def test_labels_of_texts_are_audited(text_endpoint, post, answers) -> None:
    """With the noise that the model knows, and whether it was trained on exactly this text."""
    body = '{"instances": ["a good film", "a  good film", "bad"], "labels": ["negative", "positive", null]}'
    first, second, third = answers(handle(post(body), text_endpoint))
    assert (first["suggested_label"], first["in_sample"], second["in_sample"]) == ("positive", True, False)
    assert first["error_posterior"] > 0.5 > second["error_posterior"]
    assert "given_label" not in third
    lines = (
        handle(post("negative,a good film\n,bad\n", "text/csv; label_size=1"), text_endpoint).body.decode().splitlines()
    )
    assert lines[0].split(",")[4::3] == ["negative", "true"]


def test_a_model_with_an_encoder_takes_texts_and_vectors(text_endpoint, post, message, model_folder) -> None:
    """The text gets what its vector would."""
    dense = served.load(model_folder)
    about = dataclasses.replace(dense.artifact, text=TextInput("encoder", {}))

    def read(texts: tuple[str, ...]) -> np.ndarray:
        return np.array([[len(text), 0, 1, 0] for text in texts], np.float32)

    both = dataclasses.replace(text_endpoint, served=Served(about, dense.predictor, read))
    assert handle(post('["aaa"]'), both).body == handle(post("[[3, 0, 1, 0]]"), both).body
    assert handle(post("aaa", PLAIN), both).body == handle(post("3,0,1,0", CSV, accept=JSON), both).body
    assert handle(post("aaa", CSV), both).body == handle(post("3,0,1,0", CSV), both).body
    assert handle(post("[[3, 0, 1]]"), both).status == handle(post("5"), both).status == 400
    assert "texts or vectors of 4 numbers" in message(handle(post("5"), both))


def test_a_text_in_the_address_is_answered_where_it_is_allowed(text_endpoint, having, answers) -> None:
    """And nowhere else."""
    asked = Request("GET", "/", query="input_str=python%20is+great")
    assert handle(asked, text_endpoint).status == 404
    allowed = having(text_endpoint, query_text=True, batch=True)
    assert answers(handle(asked, allowed))[0]["class"] == "positive"
    for query in ("", "input_str=a&input_str=b", "a=b", "input_str=%ff", "input_str="):
        assert handle(Request("GET", "/", query=query), allowed).status == 400
    assert handle(Request("POST", "/"), allowed).status == 405


def test_an_endpoint_of_texts_loads_what_its_model_needs(text_model) -> None:
    """Neither torch nor any library of training, for a model that is words and numbers."""
    code = (
        "import sys; from pathlib import Path; from relabel.serving import app, door, server, served; "
        "served.load(Path(sys.argv[1]))(('a good film',)); "
        "print(sorted({'torch', 'transformers', 'tokenizers', 'xgboost', 'pandas', 'pyarrow', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, text_model], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_type_of_answer_is_one_line_or_object_for_each_text(text_endpoint, post) -> None:
    """Also where texts have line breaks."""
    body = csv_of("good\nfilm") + "\n" + csv_of("bad") + "\n"
    for accept in (CSV, JSON_LINES, PLAIN):
        assert len(handle(post(body, CSV, accept=accept), text_endpoint).body.splitlines()) == 2
    assert len(list(csv.reader(io.StringIO(handle(post(body, CSV), text_endpoint).body.decode())))) == 2
    assert table.spoken(text_endpoint.served.takes) == (JSON, JSON_LINES, CSV, PLAIN)
