"""Promises of the words that drove a prediction, which a request may ask for."""

from __future__ import annotations

import json

import pytest

from relabel.codecs.table import CSV, JSON_LINES
from relabel.serving.handler import handle


@pytest.mark.parametrize(
    "asked",
    [
        {"body": '{"instances": ["a great, great film"], "explain": 1}'},
        {"body": '{"text": "a great, great film", "explain": 1}'},
        {"body": '"a great, great film"', "content_type": "application/json; explain=1"},
        {"body": '"a great, great film"', "custom_attributes": "trace=7, explain=1"},
        {"body": "a great, great film", "content_type": "text/plain; Explain=1"},
        {"body": "review\na great great film\n", "content_type": "text/csv; explain=1", "accept": JSON_LINES},
    ],
)
def test_the_words_that_weigh_most_are_given_where_they_are_asked_for(text_endpoint, post, answers, asked) -> None:
    """In the body, beside it, or among the platform's attributes; what speaks for the class has a positive weight."""
    (found,) = answers(handle(post(**asked), text_endpoint))
    assert [word["word"] for word in found["words"]] == ["great"]
    assert found["words"][0]["weight"] > 1
    assert found["class"] == "positive"


def test_words_stand_in_the_place_of_their_text(text_endpoint, having, post, answers) -> None:
    """Also where a record is no text, or a text has no word that counts."""
    body = '{"instances": ["good dull dull", null, "qwertz", "good film"], "explain": true}'
    found = answers(handle(post(body), having(text_endpoint, bad_records="report")))
    assert [[word["word"] for word in row.get("words", ())] for row in found] == [["dull", "good"], [], [], ["good"]]
    assert [word["weight"] > 0 for word in found[0]["words"]] == [True, False]
    assert "words" not in answers(handle(post('{"text": "good", "explain": 0}'), text_endpoint))[0]


def test_classes_are_named_beside_words(text_endpoint, post) -> None:
    """In the order of the probabilities; an answer without words is as ever."""
    said = json.loads(handle(post('{"text": "good", "explain": 1}'), text_endpoint).body)
    assert said["classes"] == ["negative", "positive"]
    assert json.loads(handle(post('{"text": "good"}'), text_endpoint).body).keys() == {"predictions"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"body": json.dumps({"instances": ["good"] * 101, "explain": 1})}, "101 texts: send 100 at most"),
        ({"body": '{"text": "good", "explain": 5}', "accept": CSV}, "application/json and application/jsonlines"),
        ({"body": '"good"', "content_type": "application/json; explain=all"}, "`explain` is neither"),
        ({"body": '"good"', "custom_attributes": f"explain={'9' * 5000}"}, "`explain` is neither"),
    ],
)
def test_words_have_their_bounds(text_endpoint, post, message, asked, said) -> None:
    """Each may take a prediction."""
    refused = handle(post(**asked), text_endpoint)
    assert refused.status == 400
    assert said in message(refused)
