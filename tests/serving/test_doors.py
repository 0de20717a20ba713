"""Promises of both doors, the Flask app and the ASGI door: the same requests get the same answers."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from asgiref.wsgi import WsgiToAsgi

from relabel.serving import app, handler
from relabel.serving import door as door_module
from relabel.serving.capacity import MB
from relabel.serving.door import Door
from relabel.serving.drain import Drain
from relabel.serving.request_log import RequestLog


@dataclass
class Answer:
    """What came back; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of an error."""
        return json.loads(self.body)["error"]["code"]


@dataclass
class Asked:
    """A request, its body in chunks; `declared` is its Content-Length, None for none."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = (b"",)
    declared: int | None = None


Ask = Callable[[Asked], Answer]


def by_wsgi(endpoint, log: RequestLog) -> Ask:
    """Ask the Flask app as a WSGI server does."""
    client = app.create(endpoint, log).test_client()

    def ask(asked: Asked) -> Answer:
        environ = {"wsgi.input_terminated": True, "CONTENT_TYPE": asked.headers.get("Content-Type", "")}
        if asked.declared is not None:
            environ["CONTENT_LENGTH"] = str(asked.declared)
        headers = {name: text for name, text in asked.headers.items() if name != "Content-Type"}
        answer = client.open(
            asked.path,
            method=asked.method,
            headers=headers,
            input_stream=io.BytesIO(b"".join(asked.chunks)),
            environ_overrides=environ,
        )
        return Answer(answer.status_code, {name.lower(): text for name, text in answer.headers}, answer.data)

    return ask


def by_asgi(endpoint, log: RequestLog) -> Ask:
    """Ask the fast door as an ASGI server does."""
    door = Door(endpoint, log, WsgiToAsgi(app.create(endpoint, log)), Drain())

    def ask(asked: Asked) -> Answer:
        answer = asyncio.run(_through(door, asked))
        log.flush()
        return answer

    return ask


async def _through(door: Door, asked: Asked) -> Answer:
    headers = [(name.lower().encode(), text.encode("latin-1")) for name, text in asked.headers.items()]
    if asked.declared is not None:
        headers.append((b"content-length", str(asked.declared).encode()))
    scope = {"type": "http", "http_version": "1.1", "method": asked.method, "path": asked.path, "headers": headers}
    scope |= {"query_string": b"", "raw_path": asked.path.encode(), "server": ("127.0.0.1", 80), "scheme": "http"}
    chunks, sent = list(asked.chunks), []

    async def receive() -> dict[str, object]:
        if not chunks:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: dict) -> None:
        sent.append(message)

    await door(scope, receive, send)
    named = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
    return Answer(sent[0]["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def lines() -> io.StringIO:
    """What the log writes."""
    return io.StringIO()


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["flask", "asgi"])
def ask(request, endpoint, lines) -> Iterator[Ask]:
    """One door after the other."""
    return request.param(endpoint, RequestLog(lines, 1.0, "abc"))


def post(*chunks: bytes, declared: int | None = None, **headers: str) -> Asked:
    """Ask for predictions."""
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return Asked("POST", "/invocations", named, chunks, declared)


def test_ping_and_invocations_answer(ask) -> None:
    """What the handler says goes out as it is: status, type, body."""
    ping = ask(Asked("GET", "/ping"))
    assert (ping.status, ping.body) == (200, b"")
    answer = ask(post(b"[0, 9,", b" 0, 0]", Content_Type="application/json; charset=utf-8"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["predictions"][0]["class"] == "neutral"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/a//ping", 404),
        ("PATCH", "/a/b", 404),
        ("OPTIONS", "/ping", 405),
        ("TRACE", "/ping", 405),
        ("GET", "/invocations", 405),
    ],
)
def test_refusals_are_json_whoever_makes_them(ask, method, path, status) -> None:
    """Neither a page of Flask's nor a redirect comes out."""
    answer = ask(Asked(method, path))
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.code == {404: "not_found", 405: "method_not_allowed"}[status]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/ping"), ("GET", "/no"), ("GET", "/execution-parameters"), ("POST", "/invocations")]
)
def test_every_answer_says_its_type(ask, method, path) -> None:
    """Data capture is set up by exact types."""
    answer = ask(Asked(method, path, {"X-Amzn-SageMaker-Target-Variant": "a", "X-Whatever": "b"}))
    assert answer.headers["content-type"] == "application/json"


def test_405_says_what_is_allowed(ask) -> None:
    """The handler's headers go out too."""
    assert ask(Asked("GET", "/invocations")).headers["allow"] == "POST"


def test_accept_and_the_platform_s_headers_reach_the_handler(ask) -> None:
    """And come back."""
    sent = {"Accept": "text/csv", handler.CUSTOM_ATTRIBUTES: "a=1", handler.INFERENCE_ID: "id-1"}
    answer = ask(post(b"[0, 9, 0, 0]", **sent))
    assert answer.headers["content-type"].partition(";")[0] == "text/csv"
    assert answer.headers[handler.CUSTOM_ATTRIBUTES.lower()] == "a=1"
    assert answer.headers[handler.INFERENCE_ID.lower()] == "id-1"


def test_a_declared_length_over_the_limit_is_refused(ask) -> None:
    """Before the body is read."""
    answer = ask(post(b" ", b" ", declared=MB + 1))
    assert (answer.status, answer.code) == (413, "too_large")
    assert "1,048,576" in json.loads(answer.body)["error"]["message"]


def test_a_body_without_a_length_is_held_to_the_limit_too(ask) -> None:
    """As chunked requests come."""
    assert ask(post(b" " * MB, b" ")).status == 413


def test_a_form_is_no_payload(ask) -> None:
    """What curl sends unless told otherwise is refused with the types that are spoken."""
    answer = ask(post(b"a=1", Content_Type="application/x-www-form-urlencoded"))
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_every_request_is_one_line_of_the_log_without_its_payload(ask, lines) -> None:
    """With what it took, and the id that the platform gave."""
    ask(post(b"[[0, 9, 0, 0], [98765, 0, 0, 0]]", **{handler.INFERENCE_ID: "id-1"}))
    ask(post(b"[[98765]]"))
    ask(Asked("GET", "/ping"))
    first, second, third = (json.loads(line) for line in lines.getvalue().splitlines())
    assert (first["status"], first["rows"], first["bytes"], first["inference_id"], first["model"]) == (
        200,
        2,
        32,
        "id-1",
        "abc",
    )
    assert first["total_us"] >= first["parse_us"] + first["predict_us"] > 0
    assert (second["status"], third["path"]) == (400, "/ping")
    assert len({first["request"], second["request"], third["request"]}) == 3
    assert "98765" not in lines.getvalue()


def test_other_paths_are_the_flask_app_s(ask) -> None:
    """Both doors know the same."""
    assert ask(Asked("GET", "/nothing")).code == "not_found"


def test_abandoned_bodies_count_until_a_thread_has_done_with_them(endpoint) -> None:
    """Else clients that come and go would fill the memory behind the bounds."""
    let_go = threading.Event()

    def slow(vectors: np.ndarray) -> np.ndarray:
        let_go.wait(10)
        return endpoint.served.predictor(vectors)

    slow.inputs = 4  # type: ignore[attr-defined]
    large = b"[[1, 2, 3, 4]" + b" " * door_module.SMALL + b"]"
    roomy = dataclasses.replace(endpoint.capacity, limit=2 * len(large), held=9 * len(large), threads=1)
    served = dataclasses.replace(endpoint.served, predictor=slow)
    waiting = dataclasses.replace(endpoint, served=served, capacity=roomy)
    door = Door(waiting, RequestLog(io.StringIO(), 0, ""), None, Drain())

    async def come_and_go() -> list[int]:
        held = []
        for _ in range(3):
            task = asyncio.ensure_future(_through(door, Asked("POST", "/invocations", {}, (large[:9], large[9:]))))
            await asyncio.sleep(0.05)
            task.cancel()
            held.append(door._held)
        let_go.set()
        for _ in range(200):
            await asyncio.sleep(0.01)
            if not door._held:
                break
        return [*held, door._held, door.in_hand]

    assert asyncio.run(come_and_go()) == [len(large), 2 * len(large), 3 * len(large), 0, 0]


def test_many_bodies_at_once_are_answered_in_portions(endpoint) -> None:
    """So that whoever asks /ping meanwhile does not wait for all of them."""
    portions: list[int] = []

    def noting(vectors: np.ndarray) -> np.ndarray:
        portions.append(len(turns))
        return endpoint.served.predictor(vectors)

    noting.inputs = 4  # type: ignore[attr-defined]
    door = Door(
        dataclasses.replace(endpoint, served=dataclasses.replace(endpoint.served, predictor=noting)),
        RequestLog(io.StringIO(), 0, ""),
        None,
        Drain(),
    )
    body = b"[[1, 2, 3, 4]" + b" " * (door_module.SMALL // 3) + b"]"
    turns: list[None] = []

    async def all_at_once() -> list[Answer]:
        async def turn() -> None:
            while True:
                await asyncio.sleep(0)
                turns.append(None)

        clock = asyncio.ensure_future(turn())
        answers = await asyncio.gather(*(_through(door, Asked("POST", "/invocations", {}, (body,))) for _ in range(8)))
        clock.cancel()
        return answers

    assert [answer.status for answer in asyncio.run(all_at_once())] == [200] * 8
    assert [portions.count(turn) for turn in sorted(set(portions))] == [2, 2, 2, 2]


@pytest.mark.parametrize(("size", "status"), [(9_000, 200), (40_000, 413)])
def test_a_body_in_many_pieces_lets_others_take_turns(endpoint, size, status) -> None:
    """Chunks of one byte are all at hand at once: what asks /ping meanwhile would wait for the last of them."""
    limited = dataclasses.replace(endpoint, capacity=dataclasses.replace(endpoint.capacity, limit=20_000))
    door = Door(limited, RequestLog(io.StringIO(), 0, ""), None, Drain())
    body = b"[[1, 2, 3, 4]" + b" " * size + b"]"

    async def counted() -> tuple[Answer, int]:
        turns = 0

        async def turn() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        clock = asyncio.ensure_future(turn())
        answer = await _through(door, Asked("POST", "/invocations", {}, tuple(bytes([byte]) for byte in body)))
        clock.cancel()
        return answer, turns

    answer, turns = asyncio.run(counted())
    assert answer.status == status
    assert turns >= len(body) // door_module.TURN - 1


def test_a_header_that_comes_twice_is_one_list() -> None:
    """As HTTP has it."""
    request = door_module._request(
        {"method": "POST", "path": "/invocations", "headers": [(b"accept", b"text/csv"), (b"accept", b"image/png")]}, ""
    )
    assert request.accept == "text/csv, image/png"
