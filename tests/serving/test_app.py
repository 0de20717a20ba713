"""Promises of the Flask app, asked as any WSGI server asks it."""

from __future__ import annotations

import io

import pytest
from flask.testing import FlaskClient

from relabel.serving import app
from relabel.serving.app import MB
from relabel.settings import ServeSettings


@pytest.fixture
def client(loaded) -> FlaskClient:
    """A client of the app, limited to bodies of 1 MB."""
    return app.create(loaded, ServeSettings(max_payload_mb=1)).test_client()


def test_ping_and_invocations_answer(client) -> None:
    """What the handler says goes out as it is: status, type, body."""
    ping = client.get("/ping")
    assert (ping.status_code, ping.data) == (200, b"")
    answer = client.post("/invocations", data=b"[0, 9, 0, 0]", content_type="application/json; charset=utf-8")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.json["predictions"][0]["class"] == "neutral"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/a//ping", 404),
        ("PATCH", "/a/b", 404),
        ("OPTIONS", "/ping", 405),
        ("TRACE", "/ping", 405),
    ],
)
def test_refusals_are_json_whoever_makes_them(client, method, path, status) -> None:
    """Neither a page of Flask's nor a redirect comes out."""
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    assert answer.json["error"]["code"] == {404: "not_found", 405: "method_not_allowed"}[status]


def test_405_says_what_is_allowed(client) -> None:
    """The handler's headers go out too."""
    assert client.get("/invocations").headers["Allow"] == "POST"


def test_a_body_over_the_limit_is_refused_before_it_is_read(client) -> None:
    """Its declared length is enough."""

    class Unread(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("read")

    answer = client.post("/invocations", input_stream=Unread(), environ_overrides={"CONTENT_LENGTH": str(MB + 1)})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    assert "1,048,576" in answer.json["error"]["message"]


def test_a_body_without_a_length_is_held_to_the_limit_too(client) -> None:
    """As chunked requests come from some servers."""
    body = {"input_stream": io.BytesIO(b" " * (MB + 1)), "environ_overrides": {"wsgi.input_terminated": True}}
    answer = client.post("/invocations", content_type="application/json", **body)
    assert answer.status_code == 413


def test_a_form_is_no_payload(client) -> None:
    """What curl sends unless told otherwise is refused with the types that are spoken."""
    answer = client.post("/invocations", data={"a": "1"})
    assert (answer.status_code, answer.json["error"]["code"]) == (415, "unsupported_media_type")
