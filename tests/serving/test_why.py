"""Promises of the words that drove a prediction, which a request may ask for."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from relabel.codecs.table import CSV, JSON, JSON_LINES
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request, Response
from relabel.settings import ServeSettings


@pytest.fixture
def endpoint(text_endpoint) -> Endpoint:
    """The model of texts loaded."""
    return text_endpoint


def having(endpoint: Endpoint, **chosen: Any) -> Endpoint:
    """The same endpoint with other settings."""
    return dataclasses.replace(endpoint, settings=ServeSettings(**chosen))


def post(body: bytes | str, content_type: str = JSON, **more: Any) -> Request:
    """Ask for predictions."""
    sent = body if isinstance(body, bytes) else body.encode()
    return Request("POST", "/invocations", content_type, body=sent, number="n-1", **more)


def answers(response: Response) -> list[dict[str, Any]]:
    """Give the predictions of an answer in JSON or JSON Lines."""
    assert response.status == 200, response.body
    if response.content_type == JSON:
        return json.loads(response.body)["predictions"]
    return [json.loads(line) for line in response.body.splitlines()]


def message(response: Response) -> str:
    """Give the message of a refusal."""
    return json.loads(response.body)["error"]["message"]


@pytest.mark.parametrize(
    "request_",
    [
        post('{"instances": ["a great, great film"], "explain": 1}'),
        post('{"text": "a great, great film", "explain": 1}'),
        post('"a great, great film"', "application/json; explain=1"),
        post('"a great, great film"', custom_attributes="trace=7, explain=1"),
        post("a great, great film", "text/plain; Explain=1"),
        post("review\na great great film\n", "text/csv; explain=1", accept=JSON_LINES),
    ],
)
def test_the_words_that_weigh_most_are_given_where_they_are_asked_for(endpoint, request_) -> None:
    """In the body, beside it, or among the platform's attributes; what speaks for the class has a positive weight."""
    (found,) = answers(handle(request_, endpoint))
    assert [word["word"] for word in found["words"]] == ["great"]
    assert found["words"][0]["weight"] > 1
    assert found["class"] == "positive"


def test_words_stand_in_the_place_of_their_text(endpoint) -> None:
    """Also where a record is no text, or a text has no word that counts."""
    body = '{"instances": ["good dull dull", null, "qwertz", "good film"], "explain": true}'
    found = answers(handle(post(body), having(endpoint, bad_records="report")))
    assert [[word["word"] for word in row.get("words", ())] for row in found] == [["dull", "good"], [], [], ["good"]]
    assert [word["weight"] > 0 for word in found[0]["words"]] == [True, False]
    assert "words" not in answers(handle(post('{"text": "good", "explain": 0}'), endpoint))[0]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (post(json.dumps({"instances": ["good"] * 101, "explain": 1})), "101 texts: send 100 at most"),
        (post('{"text": "good", "explain": 5}', accept=CSV), "application/json and application/jsonlines"),
        (post('"good"', "application/json; explain=all"), "`explain` is neither"),
        (post('"good"', custom_attributes=f"explain={'9' * 5000}"), "`explain` is neither"),
    ],
)
def test_words_have_their_bounds(endpoint, request_, said) -> None:
    """Each may take a prediction."""
    refused = handle(request_, endpoint)
    assert refused.status == 400
    assert said in message(refused)
