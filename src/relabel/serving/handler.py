"""From a request to a response: pure, and without a framework. Every door answers through `handle`."""

from __future__ import annotations

import json
import logging
import math
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from relabel.codecs import table
from relabel.codecs.codec import NotFiniteError, Predictions, Records
from relabel.errors import UserError
from relabel.serving import cors, label_audit, why
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import NONE, Request, Response, Work

log = logging.getLogger(__name__)

CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "not_finite",
    500: "internal",
    503: "unavailable",
    507: "out_of_memory",
}
"""Status -> the code of its error."""

PING, INVOCATIONS, QUERY = "/ping", "/invocations", "/"
INPUT = "input_str"
"""Name of the text in a query."""
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
LONGEST = 1024
"""Characters of a header that is given back."""

RETRY = {"Retry-After": "1"}


class _Asked(NamedTuple):
    """Records that were read, their labels as row -> class, what the answer is to be written in, and the microseconds that reading took.

    words: words of each text that are to be given with its prediction.
    """

    answered: str
    records: Records
    given: Mapping[int, int] | None
    parse: int
    words: int


class _Predicted(NamedTuple):
    """Predictions, and what they are to be written in."""

    answered: str
    predictions: Predictions
    work: Work


Stage = Callable[[Request, Any, Endpoint], Any]
"""From what the stage before has made of a request to what the next one needs, or to the answer."""


def handle(request: Request, endpoint: Endpoint) -> Response:
    """Answer a request; never raises. A failure of ours is a 500, with its traceback in the log alone."""
    return handle_all((request,), endpoint)[0]


def handle_all(requests: Sequence[Request], endpoint: Endpoint) -> list[Response]:
    """Answer requests that came together, each as `handle` would, stage by stage: all are read, then all predicted, then all written.

    Code that has just run runs faster: a stage done many times in a row takes half of its time alone.
    """
    answers: list[Any] = [None] * len(requests)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused
        for stage in (_read, _predict, _write):
            answers = [
                answer if isinstance(answer, Response) else _guarded(stage, request, answer, endpoint)
                for request, answer in zip(requests, answers, strict=True)
            ]
    return answers


def _guarded(stage: Stage, request: Request, before: Any, endpoint: Endpoint) -> Any:
    try:
        return stage(request, before, endpoint)
    except NotFiniteError as error:
        return refusal(422, str(error))
    except UserError as error:
        return refusal(400, str(error))
    except MemoryError:
        return refusal(507, f"no memory for request {request.number}: send fewer rows")
    except Exception:
        log.exception("request %s: %s %s failed", request.number, request.method, request.path)
        return refusal(500, f"the server failed on request {request.number}: its log says why")


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Say an error as `{"error": {"code": …, "message": …}}`."""
    error = {"code": CODES.get(status, "refused"), "message": message}
    return Response(status, table.JSON, json.dumps({"error": error}, ensure_ascii=False).encode(), headers or NONE)


def too_large(limit: int) -> Response:
    """Refuse a body of more than `limit` bytes; said by the doors, before they read it."""
    return refusal(413, f"the body has more than {limit:,} bytes: send fewer rows per request")


def late() -> Response:
    """Refuse a body that does not come to its end; said by the doors."""
    return refusal(408, "the body did not arrive: send all that Content-Length says")


def busy(request: Request) -> Response:
    """Refuse what the server has no room for now; said by the doors."""
    return refusal(503, f"the server is busy: send request {request.number} again in a moment", RETRY)


def _read(request: Request, _before: None, endpoint: Endpoint) -> Response | _Asked:
    """Answer what needs no model, refuse what is wrong, read the records of all else."""
    methods = ROUTES.get(request.path)
    if methods is None or request.method not in methods:
        return _not_taken(request, methods, endpoint)
    return methods[request.method](request, endpoint)


def _not_taken(request: Request, methods: Mapping[str, object] | None, endpoint: Endpoint) -> Response:
    """Refuse a path or a method, or answer what a browser asks before it asks."""
    if methods is None or (request.path == QUERY and not endpoint.settings.query_text):
        known = [path for path in ROUTES if path != QUERY or endpoint.settings.query_text]
        return refusal(404, f"no such path; there are {', '.join(known)}")
    if request.method == "OPTIONS" and endpoint.settings.cors_origins:
        return cors.preflight(methods)
    allowed = ", ".join(methods)
    return refusal(405, f"this path takes {allowed}", {"Allow": allowed})


def _ping(_request: Request, endpoint: Endpoint) -> Response:
    """Answer that the model is loaded: without one there is nothing to hand to `handle`."""
    if endpoint.draining():
        return refusal(503, "the server is about to stop", RETRY)
    return Response(200, table.JSON, b"")


def _execution_parameters(_request: Request, endpoint: Endpoint) -> Response:
    return Response(200, table.JSON, json.dumps(endpoint.capacity.execution_parameters()).encode())


def _invocations(request: Request, endpoint: Endpoint) -> Response | _Asked:
    served, settings = endpoint.served, endpoint.settings
    asked = table.of_request(request.content_type)
    if asked is None or asked not in served.spoken:
        spoken = ", ".join(table.spoken(served.takes))
        return refusal(415, f"this Content-Type is not spoken: this model takes {served.takes}, as {spoken}")
    default, by_line = asked, False
    if asked == table.PLAIN:
        by_line = table.has_lines(request.content_type, otherwise=settings.batch or settings.plain_lines)
        default = table.JSON_LINES if by_line else table.JSON
    answered = table.of_response(request.accept or settings.accept, default)
    if answered is None:
        return refusal(406, f"none of the types in Accept is spoken; spoken are {', '.join(table.CODECS)}")
    started = time.perf_counter_ns()
    records, given = table.read(request.content_type, asked, request.body, served.takes, by_line), None
    if records.labels is not None:
        records, given = label_audit.known(records, records.labels, served.artifact.classes)
    if records.problems and settings.bad_records == "refuse":
        records.refuse()
    words = why.words(request, records, answered) if served.takes.texts else 0
    return _Asked(answered, records, given, (time.perf_counter_ns() - started) // 1000, words)


def _query(request: Request, endpoint: Endpoint) -> Response | _Asked:
    """Answer a text in the address as if it came as plain text, where that is allowed."""
    if not endpoint.settings.query_text:
        return _not_taken(request, None, endpoint)
    said = urllib.parse.parse_qs(request.query, keep_blank_values=True, errors="surrogateescape").get(INPUT, [])
    if len(said) != 1:
        return refusal(400, f"a query without one `{INPUT}`: ask for /?{INPUT}=…")
    body = said[0].encode(errors="surrogateescape")
    return _invocations(request._replace(content_type=f"{table.PLAIN}; lines=false", body=body), endpoint)


def _predict(_request: Request, asked: _Asked, endpoint: Endpoint) -> _Predicted:
    """Predict each record; numbers too large for the model's arithmetic are the sender's."""
    started = time.perf_counter_ns()
    records, served = asked.records, endpoint.served
    probabilities = served(records.inputs) if served.takes.texts else served.predictor(records.inputs)
    words = why.of(asked.words, records, served) if asked.words else None
    finite = math.isfinite(np.add.reduce(probabilities, axis=None))
    if records.problems:
        every = np.zeros((records.count, probabilities.shape[1]), np.float32)
        every[records.places()] = probabilities
        probabilities = every
    refused = {problem.row: str(problem) for problem in records.problems}
    if not finite:
        for row in np.flatnonzero(~np.isfinite(probabilities).all(axis=1)).tolist():
            refused[row] = f"row {row} (counted from 0) has values too large for this model"
        if endpoint.settings.bad_records == "refuse":
            raise NotFiniteError(next(iter(refused.values())))
    artifact = served.artifact
    audits = None if asked.given is None else label_audit.of(asked.given, records, probabilities, refused, artifact)
    work = Work(len(probabilities), asked.parse, (time.perf_counter_ns() - started) // 1000)
    return _Predicted(asked.answered, Predictions(probabilities, artifact.classes, refused, audits, words), work)


def _write(request: Request, predicted: _Predicted, _endpoint: Endpoint) -> Response:
    body = table.CODECS[predicted.answered].encode(predicted.predictions)
    headers = _given_back(request) if request.custom_attributes or request.inference_id else NONE
    return Response(200, table.CONTENT_TYPES[predicted.answered], body, headers, predicted.work)


def _given_back(request: Request) -> dict[str, str]:
    """Give the platform's headers back as they came; what is no short line of ASCII is not."""
    said = {CUSTOM_ATTRIBUTES: request.custom_attributes, INFERENCE_ID: request.inference_id}
    return {
        name: text
        for name, text in said.items()
        if text and len(text) <= LONGEST and text.isascii() and text.isprintable()
    }


ROUTES: dict[str, dict[str, Callable[[Request, Endpoint], Response | _Asked]]] = {
    PING: {"GET": _ping, "POST": _ping},
    INVOCATIONS: {"POST": _invocations},
    "/execution-parameters": {"GET": _execution_parameters},
    QUERY: {"GET": _query},
}
"""Path -> method -> what answers."""

PREDICTING = {("POST", INVOCATIONS), ("GET", QUERY)}
"""Methods and paths that ask the model; all others wait for nobody."""
