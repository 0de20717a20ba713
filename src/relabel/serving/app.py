"""The endpoint as a Flask app: complete under any WSGI server."""

from __future__ import annotations

import time
import uuid

import flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from relabel.serving import cors, handler
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request, Response
from relabel.serving.request_log import RequestLog

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All go to the handler: which path takes which is said there, once."""


def create(endpoint: Endpoint, log: RequestLog) -> flask.Flask:
    """Make the app around an endpoint."""
    limit, origins = endpoint.capacity.limit, endpoint.settings.cors_origins
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.url_map.merge_slashes = False  # a redirect to the right spelling would lose the body

    def door(path: str = "") -> flask.Response:  # noqa: ARG001  # the path is taken whole, from the request
        started = time.perf_counter()
        request = _head(flask.request)._replace(body=flask.request.get_data(cache=False))
        response = handler.handle(request, endpoint)
        if log.write(request, response, time.perf_counter() - started):
            log.flush()
        return _response(request, response)

    def _response(request: Request, answer: Response) -> flask.Response:
        if origins:
            answer = cors.answered(request, answer, origins)
        return flask.Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)

    def refused(error: HTTPException) -> flask.Response:
        """Say what Flask refuses by itself in our shape."""
        request = _head(flask.request)
        if isinstance(error, RequestEntityTooLarge):
            return _response(request, handler.too_large(limit))
        return _response(request, handler.refusal(error.code or 500, error.name))

    app.register_error_handler(HTTPException, refused)
    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, "door", door, methods=METHODS, provide_automatic_options=False)
    return app


def _head(asked: flask.Request) -> Request:
    """Make a request without its body."""
    return Request(
        method=asked.method,
        path=asked.path,
        content_type=asked.content_type or "",
        accept=asked.headers.get("Accept", ""),
        custom_attributes=asked.headers.get(handler.CUSTOM_ATTRIBUTES, ""),
        inference_id=asked.headers.get(handler.INFERENCE_ID, ""),
        number=uuid.uuid4().hex,
        query=asked.query_string.decode("latin-1"),
        origin=asked.headers.get("Origin", ""),
    )
