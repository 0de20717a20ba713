"""Promises of the handler: which request gets which answer."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.codecs.table import CODECS, CSV, JSON, JSON_LINES
from relabel.serving import handler
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import CODES, handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings


def post(body: bytes, content_type: str = JSON, **more: Any) -> Request:
    """Ask for predictions."""
    return Request("POST", "/invocations", content_type, body=body, number="n-1", **more)


def having(endpoint: Endpoint, **chosen: Any) -> Endpoint:
    """The same endpoint with other settings."""
    return dataclasses.replace(endpoint, settings=ServeSettings(**chosen))


def error(response) -> dict[str, str]:
    """Give the error of a refusal."""
    assert response.content_type == "application/json"
    return json.loads(response.body)["error"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_is_200_and_empty(endpoint, method) -> None:
    """The platform asks with GET, some clients with POST."""
    response = handle(Request(method, "/ping"), endpoint)
    assert (response.status, response.body) == (200, b"")


def test_ping_is_503_while_the_server_drains_and_requests_are_still_answered(endpoint) -> None:
    """So that nothing new is sent, and nothing that was sent is lost."""
    draining = dataclasses.replace(endpoint, draining=lambda: True)
    ping = handle(Request("GET", "/ping"), draining)
    assert (ping.status, ping.headers) == (503, {"Retry-After": "1"})
    assert handle(post(b"[1, 2, 3, 4]"), draining).status == 200


def test_predictions_come_in_the_order_of_the_rows(endpoint) -> None:
    """Each row has its label, the class of that name, and probabilities that sum to one."""
    response = handle(post(b'{"instances": [[0, 0, 2, 9], [2, 0, 0, 9], [0, 2, 0, 9]]}'), endpoint)
    assert (response.status, response.content_type) == (200, "application/json")
    rows = json.loads(response.body)["predictions"]
    assert [(row["label"], row["class"]) for row in rows] == [(2, "positive"), (0, "negative"), (1, "neutral")]
    for row in rows:
        assert sum(row["probabilities"]) == pytest.approx(1)
        assert row["probabilities"][row["label"]] > 0.99
    assert response.work.rows == 3


@pytest.mark.parametrize(
    ("request_", "status", "code", "said"),
    [
        (post(b"{"), 400, "malformed", "not JSON"),
        (post(b"[[1, 2, 3, 4], [1, 2, 3]]"), 400, "malformed", "row 1 .* has width 3, expected 4"),
        (post(b"[[1, 2, 3, NaN]]"), 422, "not_finite", "row 0 .*, column 3"),
        (post(b"[[1, 2, 3, 4]]", "text/html"), 415, "unsupported_media_type", "application/json, .*text/csv"),
        (post(b"[[1, 2, 3, 4]]", accept="image/png"), 406, "not_acceptable", "application/json, .*text/csv"),
        (Request("GET", "/"), 404, "not_found", "/ping, /invocations"),
        (Request("POST", "/ping/"), 404, "not_found", "/ping, /invocations"),
        (Request("GET", "/invocations"), 405, "method_not_allowed", "takes POST"),
        (Request("DELETE", "/ping"), 405, "method_not_allowed", "takes GET, POST"),
    ],
)
def test_refusals_have_their_status_code_and_reason(endpoint, request_, status, code, said) -> None:
    """Errors are JSON with a code for programs and a message for people."""
    response = handle(request_, endpoint)
    assert response.status == status
    assert error(response)["code"] == code
    assert len(error(response)["message"]) < 300
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(error(response)["message"])


def test_405_says_what_is_allowed_in_the_header_too(endpoint) -> None:
    """As HTTP demands."""
    assert handle(Request("PUT", "/invocations"), endpoint).headers == {"Allow": "POST"}


def test_what_is_wrong_is_decided_before_the_model_is_asked(endpoint) -> None:
    """A refusal costs no inference."""

    def unasked(_vectors: np.ndarray) -> np.ndarray:
        raise AssertionError("asked")

    unasked.inputs = 4  # type: ignore[attr-defined]
    broken = dataclasses.replace(endpoint, served=dataclasses.replace(endpoint.served, predictor=unasked))
    for request in (post(b"[[1, 2]]"), post(b"[[1, 2, 3, NaN]]"), post(b"[1]", "a/b"), post(b"[1]", accept="a/b")):
        assert handle(request, broken).status in {400, 422, 415, 406}


@pytest.mark.parametrize(
    ("accept", "default", "answered"),
    [
        ("", "", CSV),
        ("application/json", "", JSON),
        ("", JSON_LINES, JSON_LINES),
        ("*/*", JSON, CSV),
        ("text/csv", JSON, CSV),
    ],
)
def test_the_answer_s_type_is_the_request_s_the_endpoint_s_or_what_is_asked(
    endpoint, accept, default, answered
) -> None:
    """What the request accepts wins over what the endpoint is set to, which wins over the type of the body."""
    response = handle(post(b"1,2,3,4", CSV, accept=accept), having(endpoint, accept=default))
    assert (response.status, response.content_type) == (200, answered)


@pytest.mark.parametrize("media_type", [JSON_LINES, CSV])
def test_bad_records_can_be_reported_in_their_place(endpoint, media_type) -> None:
    """Batch transform then keeps the order, and one bad line does not fail a file."""
    body = {JSON_LINES: b"[2, 0, 0, 0]\n[1]\n[NaN, 0, 0, 0]\n[0, 2, 0, 0]", CSV: b"2,0,0,0\n1\nnan,0,0,0\n0,2,0,0"}
    assert handle(post(body[media_type], media_type), endpoint).status == 400
    response = handle(post(body[media_type], media_type), having(endpoint, bad_records="report"))
    lines = response.body.decode().splitlines()
    assert response.status == 200
    assert ["negative" in lines[0], "width 1" in lines[1], "not a finite" in lines[2], "neutral" in lines[3]] == [
        True
    ] * 4


def test_finite_values_that_overflow_the_model_are_the_senders(endpoint) -> None:
    """They are a 422 with the row, not a failure of the server and not a NaN in the answer."""
    response = handle(post(b"[[0, 0, 0, 0], [3e38, 3e38, 0, 0]]"), endpoint)
    assert response.status == 422
    assert "row 1" in error(response)["message"]


def test_a_failure_of_ours_is_a_500_that_names_the_request_and_the_cause_is_in_the_log_alone(endpoint, caplog) -> None:
    """The answer holds neither the traceback nor the cause."""

    def broken(_inputs: np.ndarray) -> np.ndarray:
        raise RuntimeError("the-cause")

    broken.inputs = 4  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        response = handle(
            post(b"[1, 2, 3, 4]"),
            dataclasses.replace(endpoint, served=dataclasses.replace(endpoint.served, predictor=broken)),
        )
    assert (response.status, error(response)["code"]) == (500, "internal")
    assert "n-1" in error(response)["message"]
    assert b"the-cause" not in response.body
    assert "the-cause" in caplog.text
    assert "n-1" in caplog.text


def test_what_the_platform_names_is_given_back(endpoint) -> None:
    """Custom attributes and the inference id come back as they were sent; what is no short line of text does not."""
    told = handle(post(b"[1, 2, 3, 4]", custom_attributes="trace=1", inference_id="a-b"), endpoint).headers
    assert told == {handler.CUSTOM_ATTRIBUTES: "trace=1", handler.INFERENCE_ID: "a-b"}
    for odd in ("a\r\nX: b", "ä", "a" * 1025):
        assert handle(post(b"[1, 2, 3, 4]", custom_attributes=odd), endpoint).headers == {}


def test_execution_parameters_are_what_the_server_can_take(endpoint) -> None:
    """Batch transform asks once and sends no more at a time."""
    response = handle(Request("GET", "/execution-parameters"), endpoint)
    assert json.loads(response.body) == endpoint.capacity.execution_parameters()


@given(
    st.binary(max_size=40),
    st.text(max_size=20) | st.sampled_from(list(CODECS)),
    st.text(max_size=20),
    st.sampled_from(["/ping", "/invocations", "/execution-parameters", "/", ""]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_and_any_headers_are_answered_without_a_500(endpoint, body, content_type, accept, path) -> None:
    """Whatever is sent, it is an answer or a refusal that names the sender's side."""
    response = handle(Request("POST", path, content_type, accept, body=body), endpoint)
    assert response.status in {200, *CODES} - {500, 503}
