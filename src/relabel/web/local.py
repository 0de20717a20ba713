"""The page on one machine: the handler of AWS Lambda behind a small server, so that what is tried here is what runs there."""

from __future__ import annotations

import base64
import http.client
import io
import ipaddress
import socket
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import flask
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from relabel.errors import UserError
from relabel.web.handler import LARGEST, PATIENCE, Event, Front

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All go to the handler: which path takes which is said there."""
GOOD, HTTP = 200, 80
WAITING = 64
"""Connections that may wait to be taken."""


class Endpoint:
    """An endpoint at an address, asked as boto3's client of sagemaker-runtime asks one of SageMaker."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"--endpoint {url} is no address: give one like http://127.0.0.1:8080")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path if parts.path != "/" else "") or "/invocations"
        self.url, self._patience = url, patience

    def invoke_endpoint(self, *, Body: bytes, ContentType: str, Accept: str, **_: Any) -> dict[str, Any]:  # noqa: N803  # boto3's names
        """Ask. Raises what botocore raises: ClientError (ModelError), ReadTimeoutError, EndpointConnectionError."""
        connection = self._kind(self._host, self._port, timeout=self._patience)
        try:
            connection.request("POST", self._path, Body, {"Content-Type": ContentType, "Accept": Accept})
            reply = connection.getresponse()
            said = reply.read()
        except TimeoutError:
            raise ReadTimeoutError(endpoint_url=self.url) from None
        except (OSError, http.client.HTTPException):
            raise EndpointConnectionError(endpoint_url=self.url) from None
        finally:
            connection.close()
        if reply.status != GOOD:
            told = {"OriginalStatusCode": reply.status, "OriginalMessage": said.decode(errors="replace")}
            raise ClientError({"Error": {"Code": "ModelError", "Message": ""}, **told}, "InvokeEndpoint")
        return {"Body": io.BytesIO(said)}


def create(front: Front, names: tuple[str, ...]) -> flask.Flask:
    """Make the application around a handler.

    names: what a request may call this server, `name:port`, or bare addresses where other machines may reach it (`*` beside them). A page
    elsewhere may have let its own name point here; it must not ask in the name of whoever opened it.
    """
    app = flask.Flask("relabel.web", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 2 * LARGEST
    app.url_map.merge_slashes = False

    def door(path: str = "") -> flask.Response:  # noqa: ARG001  # the path is taken whole, from the request
        if not _known(flask.request.headers.get("Host", "").lower(), names):
            return flask.Response("this server is not known by that name: open the address that it printed", 421)
        answer = front(event(flask.request))
        body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"]
        return flask.Response(body, answer["statusCode"], answer["headers"])

    for rule in ("/", "/<path:path>"):
        app.add_url_rule(rule, "door", door, methods=METHODS, provide_automatic_options=False)
    return app


def event(asked: flask.Request) -> Event:
    """Say a request as API Gateway does (payload format 2.0); a body that is no text comes in base64."""
    body = asked.get_data(cache=False)
    text = _decoded(body)
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": asked.path,
        "rawQueryString": asked.query_string.decode("latin-1"),
        "headers": {name.lower(): value for name, value in asked.headers.items()},
        "requestContext": {
            "http": {"method": asked.method, "path": asked.path, "sourceIp": asked.remote_addr or ""},
            "requestId": uuid.uuid4().hex[:12],
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode() if text is None else text,
        "isBase64Encoded": text is None,
    }


def hosts(port: int, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """List what a server at a port may be called: this machine's own names, and those of `--allow-remote`."""
    bare = [*(LOOPBACK if port == HTTP else ()), *(name.lower() for name in names)]  # browsers leave this port out
    return (*bare, *(f"{name.lower()}:{port}" for name in (*LOOPBACK, *names)), *(["*"] if names else []))


def listening(host: str, port: int, create: Callable[[int], flask.Flask]) -> BaseWSGIServer:
    """Make a server that listens; port 0 takes any that is free.

    create: makes the application, given the port.

    Raises UserError where the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, port))
            made.listen(WAITING)
            at = int(made.getsockname()[1])
            return make_server(host, at, create(at), threaded=True, request_handler=_Quiet, fd=made.fileno())
    except OSError as error:
        raise UserError(f"port {port} on {host} cannot be had ({error.strerror}): choose another with --port") from None


def free_port() -> int:
    """Find a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class _Quiet(WSGIRequestHandler):
    """The handler's log has a line for each request; addresses with what people typed into them are not written."""

    timeout = 30

    def log_request(self, *_: Any) -> None:
        """Write nothing."""

    def version_string(self) -> str:
        """Name nobody's version."""
        return "relabel"


def _decoded(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def _known(host: str, names: tuple[str, ...]) -> bool:
    """Tell whether a Host header is ours; a bare address is no name, so none that could have been made to point here."""
    if host in names:
        return True
    if "*" not in names:
        return False
    bare = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True
