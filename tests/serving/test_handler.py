"""Promises of the handler: which request gets which answer."""

from __future__ import annotations

import dataclasses
import json
import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.serving.handler import CODES, Request, handle, too_large


def post(body: bytes, content_type: str = "application/json") -> Request:
    """Ask for predictions."""
    return Request("POST", "/invocations", content_type, body)


def error(response) -> dict[str, str]:
    """Give the error of a refusal."""
    assert response.content_type == "application/json"
    return json.loads(response.body)["error"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_is_200_and_empty(loaded, method) -> None:
    """The platform asks with GET, some clients with POST."""
    response = handle(Request(method, "/ping"), loaded)
    assert (response.status, response.body) == (200, b"")


def test_predictions_come_in_the_order_of_the_rows(loaded) -> None:
    """Each row has its label, the class of that name, and probabilities that sum to one."""
    response = handle(post(b'{"instances": [[0, 0, 2, 9], [2, 0, 0, 9], [0, 2, 0, 9]]}'), loaded)
    assert (response.status, response.content_type) == (200, "application/json")
    rows = json.loads(response.body)["predictions"]
    assert [(row["label"], row["class"]) for row in rows] == [(2, "positive"), (0, "negative"), (1, "neutral")]
    for row in rows:
        assert sum(row["probabilities"]) == pytest.approx(1)
        assert row["probabilities"][row["label"]] > 0.99


@pytest.mark.parametrize(
    ("request_", "status", "code", "said"),
    [
        (post(b"{"), 400, "malformed", "not JSON"),
        (post(b"[[1, 2, 3, 4], [1, 2, 3]]"), 400, "malformed", "row 1 .* has width 3, expected 4"),
        (post(b"[[1, 2, 3, NaN]]"), 422, "not_finite", "row 0, column 3"),
        (post(b"[[1, 2, 3, 4]]", "text/csv"), 415, "unsupported_media_type", "application/json"),
        (Request("GET", "/"), 404, "not_found", "/ping, /invocations"),
        (Request("POST", "/ping/"), 404, "not_found", "/ping, /invocations"),
        (Request("GET", "/invocations"), 405, "method_not_allowed", "takes POST"),
        (Request("DELETE", "/ping"), 405, "method_not_allowed", "takes GET, POST"),
    ],
)
def test_refusals_have_their_status_code_and_reason(loaded, request_, status, code, said) -> None:
    """Errors are JSON with a code for programs and a message for people."""
    response = handle(request_, loaded)
    assert response.status == status
    assert error(response)["code"] == code
    assert len(error(response)["message"]) < 300
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(error(response)["message"])


def test_405_says_what_is_allowed_in_the_header_too(loaded) -> None:
    """As HTTP demands."""
    assert handle(Request("PUT", "/invocations"), loaded).headers == {"Allow": "POST"}


def test_too_large_names_the_limit() -> None:
    """The sender learns how much may be sent."""
    response = too_large(1_000_000)
    assert (response.status, error(response)["code"]) == (413, "too_large")
    assert "1,000,000 bytes" in error(response)["message"]


def test_finite_values_that_overflow_the_model_are_the_senders(loaded) -> None:
    """They are a 422 with the row, not a failure of the server and not a NaN in the answer."""
    response = handle(post(b"[[0, 0, 0, 0], [3e38, 3e38, 0, 0]]"), loaded)
    assert response.status == 422
    assert "row 1" in error(response)["message"]


def test_a_failure_of_ours_is_a_500_and_told_to_the_log_alone(loaded, caplog) -> None:
    """The answer holds neither the traceback nor the cause."""

    def broken(_inputs: np.ndarray) -> np.ndarray:
        raise RuntimeError("the-cause")

    broken.inputs = 4  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        response = handle(post(b"[1, 2, 3, 4]"), dataclasses.replace(loaded, predictor=broken))
    assert (response.status, error(response)["code"]) == (500, "internal")
    assert b"the-cause" not in response.body
    assert "the-cause" in caplog.text


@given(st.binary(max_size=40), st.text(max_size=20), st.sampled_from(["/ping", "/invocations", "/", ""]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_and_any_content_type_are_answered_without_a_500(loaded, body, content_type, path) -> None:
    """Whatever is sent, it is an answer or a refusal that names the sender's side."""
    response = handle(Request("POST", path, content_type, body), loaded)
    assert response.status in {200, *CODES} - {500}
