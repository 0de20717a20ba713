"""The endpoint as a Flask app: complete under any WSGI server."""

from __future__ import annotations

import flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from relabel.serving import handler
from relabel.serving.served import Served
from relabel.settings import ServeSettings

MB = 1 << 20
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All go to the handler: which path takes which is said there, once."""


def create(served: Served, settings: ServeSettings) -> flask.Flask:
    """Make the app around a loaded model."""
    limit = settings.max_payload_mb * MB
    app = flask.Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.url_map.merge_slashes = False  # a redirect to the right spelling would lose the body

    def door(path: str = "") -> flask.Response:  # noqa: ARG001  # the path is taken whole, from the request
        asked = flask.request
        request = handler.Request(asked.method, asked.path, asked.content_type or "", asked.get_data(cache=False))
        return _response(handler.handle(request, served))

    def refused(error: HTTPException) -> flask.Response:
        """Say what Flask refuses by itself in our shape."""
        if isinstance(error, RequestEntityTooLarge):
            return _response(handler.too_large(limit))
        return _response(handler.refusal(error.code or 500, error.name))

    app.register_error_handler(HTTPException, refused)
    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, "door", door, methods=METHODS, provide_automatic_options=False)
    return app


def _response(answer: handler.Response) -> flask.Response:
    return flask.Response(answer.body, answer.status, dict(answer.headers), content_type=answer.content_type)
