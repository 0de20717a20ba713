"""Promises of both doors to texts: they come in and are not logged, web pages may ask where they are allowed, and nobody waits for another's."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.wsgi import WsgiToAsgi

from relabel.codecs.table import PLAIN
from relabel.serving import app
from relabel.serving.capacity import MB
from relabel.serving.door import Door
from relabel.serving.drain import Drain
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request, Response
from relabel.serving.request_log import RequestLog
from relabel.serving.served import Served


def flask_door(endpoint: Endpoint, log: io.StringIO) -> Callable[[Request], Response]:
    """Ask the Flask app as a WSGI server does."""
    client = app.create(endpoint, RequestLog(log, 1.0, "abc")).test_client()

    def ask(request: Request) -> Response:
        headers = {"Origin": request.origin} if request.origin else {}
        said = client.open(
            request.path,
            method=request.method,
            query_string=request.query,
            headers=headers,
            data=request.body,
            content_type=request.content_type or None,
        )
        return Response(said.status_code, said.content_type, said.data, {k.lower(): v for k, v in said.headers})

    return ask


def fast_door(endpoint: Endpoint, log: io.StringIO) -> Callable[[Request], Response]:
    """Ask the fast door as an ASGI server does."""
    lines = RequestLog(log, 1.0, "abc")
    door = Door(endpoint, lines, WsgiToAsgi(app.create(endpoint, lines)), Drain())

    def ask(request: Request) -> Response:
        response = asyncio.run(through(door, request))
        lines.flush()
        return response

    return ask


async def through(door: Door, request: Request) -> Response:
    """Hand one request to the door."""
    headers = [(b"content-type", request.content_type.encode()), (b"origin", request.origin.encode())]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": [header for header in headers if header[1]],
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request.body}

    async def send(message: Any) -> None:
        sent.append(message)

    await door(scope, receive, send)
    named = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
    return Response(sent[0]["status"], named["content-type"], sent[1]["body"], named)


@pytest.mark.parametrize("door", [flask_door, fast_door])
def test_both_doors_answer_texts_and_log_none(text_endpoint, having, post, door) -> None:
    """Neither the body nor the address."""
    log = io.StringIO()
    ask = door(having(text_endpoint, query_text=True), log)
    for request in (post("a great film", PLAIN), Request("GET", "/", query="input_str=a%20great+film")):
        response = ask(request)
        assert response.body == handle(post("a great film", PLAIN), text_endpoint).body
    assert [json.loads(line)["status"] for line in log.getvalue().splitlines()] == [200, 200]
    assert "great" not in log.getvalue()


PAGE, OTHER = "https://example.org", "https://example.com"


@pytest.mark.parametrize("door", [flask_door, fast_door])
def test_web_pages_may_ask_where_they_are_allowed(text_endpoint, having, post, door) -> None:
    """A preflight and answers name the page; refusals do too, by whichever part they are made, and other pages are not named."""
    ask = door(having(text_endpoint, cors_origins=f"https://a.example, {PAGE}", query_text=True), io.StringIO())
    for path in ("/invocations", "/"):
        preflight = ask(Request("OPTIONS", path, origin=PAGE))
        assert preflight.status == 200
        assert preflight.headers["access-control-allow-origin"] == PAGE
        assert "Content-Type" in preflight.headers["access-control-allow-headers"]
    assert ask(Request("OPTIONS", "/invocations", origin=PAGE)).headers["access-control-allow-methods"] == "POST"
    for request in (
        post("good", PLAIN, origin=PAGE),
        post("{", origin=PAGE),
        Request("GET", "/nothing", origin=PAGE),
        post(b"a" * (26 * MB), PLAIN, origin=PAGE),
    ):
        answered = ask(request)
        assert (answered.headers["access-control-allow-origin"], answered.headers["vary"]) == (PAGE, "Origin")
    assert "access-control-allow-origin" not in ask(post("good", PLAIN, origin=OTHER)).headers


@pytest.mark.parametrize("door", [flask_door, fast_door])
def test_web_pages_are_let_in_by_all_or_by_none(text_endpoint, having, post, door) -> None:
    """A star is everybody; by default a preflight is refused and nothing says that a page may read."""
    everybody = door(having(text_endpoint, cors_origins="*"), io.StringIO())
    assert everybody(post("good", PLAIN, origin=OTHER)).headers["access-control-allow-origin"] == "*"
    nobody = door(text_endpoint, io.StringIO())
    assert nobody(Request("OPTIONS", "/invocations", origin=OTHER)).status == 405
    assert "access-control-allow-origin" not in nobody(post("good", PLAIN, origin=OTHER)).headers


class Slow:
    """Reads as another does, when it is let; notes in which threads, and how many at a time."""

    def __init__(self, read: Any) -> None:
        self._read = read
        self.let = threading.Event()
        self.threads: set[str] = set()
        self.inside = self.most = 0

    def __call__(self, texts: Any) -> Any:
        self.threads.add(threading.current_thread().name)
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.let.wait(10)
        time.sleep(0.01)
        self.inside -= 1
        return self._read(texts)


def slowed(endpoint: Endpoint, **room: int) -> tuple[Endpoint, Slow]:
    """The same endpoint, which waits to be let before it reads."""
    slow = Slow(endpoint.served.read)
    known = endpoint.served
    return dataclasses.replace(
        endpoint,
        served=Served(known.artifact, known.predictor, slow),
        capacity=dataclasses.replace(endpoint.capacity, **room),
    ), slow


def test_pings_are_answered_while_texts_are_read(text_endpoint, post) -> None:
    """Texts never hold the loop, however small they are; what is more than the server holds is 503."""
    busy, slow = slowed(text_endpoint, threads=2, waiting=3)
    door = Door(busy, RequestLog(io.StringIO(), 0, ""), None, Drain())

    async def ask() -> tuple[list[int], list[int], float]:
        asked = [asyncio.ensure_future(through(door, post("good", PLAIN))) for _ in range(8)]
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        pings = [(await through(door, Request("GET", "/ping"))).status for _ in range(20)]
        took = time.perf_counter() - began
        slow.let.set()
        return pings, [response.status for response in await asyncio.gather(*asked)], took

    pings, statuses, took = asyncio.run(ask())
    assert pings == [200] * 20
    assert took < 1
    assert sorted(statuses) == [200] * 5 + [503] * 3
    assert slow.most == 1  # one thread computes at a time
    assert all(name.startswith("large-bodies") for name in slow.threads)
