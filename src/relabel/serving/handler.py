"""From a request to a response: pure, and without a framework. Every door (Flask, others) answers through `handle`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import table
from relabel.codecs.codec import NotFiniteError, Predictions
from relabel.errors import UserError
from relabel.serving.served import Served

log = logging.getLogger(__name__)

JSON = "application/json"
CODES = {
    400: "malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "not_finite",
    500: "internal",
}
"""Status -> the code of its error."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; content_type is "" where none was said."""

    method: str
    path: str
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered; headers are those beyond Content-Type and Content-Length."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def handle(request: Request, served: Served) -> Response:
    """Answer a request; never raises. A failure of ours is a 500, with its traceback in the log alone."""
    try:
        return _routed(request, served)
    except NotFiniteError as error:
        return refusal(422, str(error))
    except UserError as error:
        return refusal(400, str(error))
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return refusal(500, "the server failed on this request: its log says why")


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Say an error as `{"error": {"code": …, "message": …}}`."""
    error = {"code": CODES.get(status, "refused"), "message": message}
    return Response(status, JSON, json.dumps({"error": error}, ensure_ascii=False).encode(), headers or {})


def too_large(limit: int) -> Response:
    """Refuse a body of more than `limit` bytes; said by the doors, before they read it."""
    return refusal(413, f"the body has more than {limit:,} bytes: send fewer rows per request")


def _routed(request: Request, served: Served) -> Response:
    methods = ROUTES.get(request.path)
    if methods is None:
        return refusal(404, f"no such path; there are {', '.join(ROUTES)}")
    if request.method not in methods:
        allowed = ", ".join(methods)
        return refusal(405, f"this path takes {allowed}", {"Allow": allowed})
    return methods[request.method](request, served)


def _ping(_request: Request, _served: Served) -> Response:
    """Answer that the model is loaded: without one there is nothing to hand to `handle`."""
    return Response(200, JSON, b"")


def _invocations(request: Request, served: Served) -> Response:
    codec = table.find(request.content_type)
    if codec is None:
        return refusal(415, f"this Content-Type is not spoken; spoken are {', '.join(table.CODECS)}")
    vectors = codec.decode(request.body, served.predictor.inputs)
    predictions = Predictions(_probabilities(served, vectors), served.artifact.classes)
    return Response(200, JSON, codec.encode(predictions))


def _probabilities(served: Served, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Predict (n, C) of vectors (n, D); numbers too large for the model's arithmetic are the sender's."""
    with np.errstate(over="ignore", invalid="ignore"):
        probabilities = served.predictor(vectors)
    lost = np.flatnonzero(~np.isfinite(probabilities).all(axis=1))
    if lost.size:
        raise NotFiniteError(f"row {lost[0]} (counted from 0) has values too large for this model")
    return probabilities


ROUTES: dict[str, dict[str, Callable[[Request, Served], Response]]] = {
    "/ping": {"GET": _ping, "POST": _ping},
    "/invocations": {"POST": _invocations},
}
"""Path -> method -> what answers."""
