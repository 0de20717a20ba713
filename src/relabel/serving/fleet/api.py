"""The platform's API for many models in one container: requests in, responses out, pure but for the models that are loaded.

    POST   /models                 {"model_name": …, "url": …}   load
    GET    /models                                               list, in pages
    GET    /models/{name}                                        look up
    DELETE /models/{name}                                        unload
    POST   /models/{name}/invoke                                 ask, as /invocations of one model

A path of a request is the one that was sent, still quoted: names may have any character.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from relabel.codecs import table
from relabel.serving import cors, handler, process
from relabel.serving.capacity import Capacity
from relabel.serving.endpoint import Endpoint
from relabel.serving.fleet.models import Listed, Models
from relabel.serving.fleet.refusal import RefusalError
from relabel.serving.messages import Request, Response
from relabel.serving.served import Served
from relabel.settings import ServeSettings

log = logging.getLogger(__name__)

MODELS, INVOKE = "/models", "/invoke"
PAGE = 100
"""Models that one answer lists."""
TOKEN = "next_page_token"  # noqa: S105  # it opens a page, not a door
LARGEST = 1 << 16
"""Bytes of a body that asks for a model to be loaded."""
LONGEST = 1024
"""Characters of a name."""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """What the API answers from.

    draining: says whether the server is about to stop; asked at every request.
    """

    models: Models
    settings: ServeSettings
    capacity: Capacity
    draining: Callable[[], bool] = lambda: False


class Route(NamedTuple):
    """What a path names: methods -> what answers them, and the model's name, "" where it names none."""

    methods: Mapping[str, Callable[[Request, str, Fleet], Response]]
    name: str = ""


def handle(request: Request, fleet: Fleet) -> Response:
    """Answer a request; never raises."""
    try:
        found = route(request.path)
        if request.method in found.methods:
            return found.methods[request.method](request, found.name, fleet)
        if request.method == "OPTIONS" and fleet.settings.cors_origins:
            return cors.preflight(found.methods)
        allowed = ", ".join(found.methods)
        return _refusal(405, f"this path takes {allowed}", {"Allow": allowed})
    except RefusalError as error:
        return _refusal(error.status, str(error))
    except MemoryError:
        return _refusal(507, "no memory for this request: unload models, or send fewer rows")
    except Exception:
        log.exception("request %s: %s failed", request.number, request.method)
        return _refusal(500, f"the server failed on request {request.number}: its log says why")


def route(path: str) -> Route:
    """Find what a path names. Raises RefusalError 404 where that is nothing."""
    if path in (handler.PING, MODELS):
        return Route(FIXED[path])
    if path.startswith(f"{MODELS}/"):
        quoted = path.removeprefix(f"{MODELS}/")
        asked = quoted.removesuffix(INVOKE)
        try:
            name = urllib.parse.unquote(asked, errors="strict")
        except UnicodeDecodeError:
            name = ""
        if name:
            return Route(ONE if asked == quoted else ASKED, name)
    raise RefusalError(404, "no such path; there are /ping, /models, /models/{name}, /models/{name}/invoke")


def waits(request: Request) -> bool:
    """Tell whether a request may take long: it loads, unloads or asks a model."""
    return request.method in ("POST", "DELETE") and request.path.startswith(MODELS)


def asked(request: Request) -> str:
    """Give the name of the model that a request wants a prediction of, "" where it wants none."""
    try:
        found = route(request.path)
    except RefusalError:
        return ""
    return found.name if found.methods is ASKED and request.method in ASKED else ""


def _ping(_request: Request, _name: str, fleet: Fleet) -> Response:
    """Answer from the start: without models there is something to do all the same."""
    if fleet.draining():
        return _refusal(503, "the server is about to stop", handler.RETRY)
    return Response(200, table.JSON, b"")


def _load(request: Request, _name: str, fleet: Fleet) -> Response:
    name, url = _wanted(request.body)
    fleet.models.load(name, url)
    return _said({"status": "Workers scaled"})


def _unload(_request: Request, name: str, fleet: Fleet) -> Response:
    fleet.models.unload(name)
    return _said({"status": f'Model "{name}" unregistered'})


def _look_up(_request: Request, name: str, fleet: Fleet) -> Response:
    return _said(_shown(fleet.models.get(name)))


def _list(request: Request, _name: str, fleet: Fleet) -> Response:
    """Give one page. The next begins after the last name of this one, so that none is left out whatever is loaded or unloaded between."""
    found = fleet.models.after(_after(request.query), PAGE + 1)
    page: dict[str, Any] = {"models": [_shown(model) for model in found[:PAGE]]}
    if len(found) > PAGE:
        page["nextPageToken"] = base64.urlsafe_b64encode(found[PAGE - 1].name.encode()).decode()
    return _said(page)


def _invoke(request: Request, name: str, fleet: Fleet) -> Response:
    def answer(served: Served) -> Response:
        process.torch_on_one_thread()  # a model that needs it may have been the first, and loaded by another thread
        endpoint = Endpoint(served, fleet.settings, fleet.capacity)
        response = handler.handle(request._replace(path=handler.INVOCATIONS), endpoint)
        return response._replace(work=response.work._replace(model=served.artifact.short_hash))

    return fleet.models.use(name, answer)


FIXED: dict[str, Mapping[str, Callable[[Request, str, Fleet], Response]]] = {
    handler.PING: {"GET": _ping, "POST": _ping},
    MODELS: {"GET": _list, "POST": _load},
}
"""Path -> method -> what answers."""
ONE: Mapping[str, Callable[[Request, str, Fleet], Response]] = {"GET": _look_up, "DELETE": _unload}
ASKED: Mapping[str, Callable[[Request, str, Fleet], Response]] = {"POST": _invoke}
"""The same of a model's own path, and of the one below it."""


def _wanted(body: bytes) -> tuple[str, str]:
    """Read the name and the path of a model that is to be loaded."""
    if len(body) > LARGEST:
        raise RefusalError(413, f"the body has more than {LARGEST:,} bytes: send a name and a path alone")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise RefusalError(400, 'the body is no JSON object: send {"model_name": …, "url": …}')
    name, url = said.get("model_name"), said.get("url")
    problems = []
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST or not _is_text(name):
        problems.append(f"`model_name` is no text of 1 to {LONGEST:,} characters")
    if not isinstance(url, str) or not url or not _is_text(url):
        problems.append("`url` is no path")
    if problems:
        raise RefusalError(400, f"{' and '.join(problems)}: " + 'send {"model_name": …, "url": …}')
    return str(name), str(url)


def _is_text(text: str) -> bool:
    """Tell whether a text has no half of a character."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _after(query: str) -> str:
    """Give the name after which the page begins that a query asks for."""
    token = urllib.parse.parse_qs(query).get(TOKEN, [""])[0]
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise RefusalError(400, f"`{TOKEN}` is not one that was given: begin without it") from None


def _shown(model: Listed) -> dict[str, str]:
    return {"modelName": model.name, "modelUrl": model.url}


def _said(content: Mapping[str, Any]) -> Response:
    return Response(200, table.JSON, json.dumps(content).encode())


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Say an error as the platform's own containers do, and as all of ours are said."""
    plain = handler.refusal(status, message, headers)
    return plain._replace(body=json.dumps({"message": message, **json.loads(plain.body)}).encode())
