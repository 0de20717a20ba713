"""Promises of the door of many models: nobody waits for a load, and names arrive as they were sent."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

from relabel.serving import served
from relabel.serving.door import SMALL
from relabel.serving.drain import Drain
from relabel.serving.fleet.door import FleetDoor
from relabel.serving.request_log import RequestLog
from relabel.serving.served import Served

ROW = b"[[1, 2]]"


async def ask(door: FleetDoor, method: str, path: str, *chunks: bytes) -> tuple[int, bytes]:
    """Make a request as an ASGI server does; the path is still quoted."""
    scope = {"type": "http", "method": method, "path": "/not/this", "raw_path": path.encode(), "query_string": b""}
    scope["headers"] = [(b"content-type", b"application/json")]
    waiting, sent = list(chunks or (b"",)), []

    async def receive() -> dict[str, object]:
        if not waiting:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: dict) -> None:
        sent.append(message)

    await door(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def load(name: str, folder: Path) -> bytes:
    """Give the body that asks for a model."""
    return json.dumps({"model_name": name, "url": str(folder)}).encode()


def test_a_quoted_slash_is_part_of_a_name(fleet, store) -> None:
    """The path is read as it came over the wire; the log has it so, with the model that answered."""
    lines = io.StringIO()
    log = RequestLog(lines, 1.0, "")
    door = FleetDoor(fleet, log, Drain())

    async def talk() -> None:
        assert (await ask(door, "POST", "/models", load("a/b\n", store / "1")))[0] == 200
        assert (await ask(door, "POST", "/models/a%2Fb%0A/invoke", ROW))[0] == 200
        assert (await ask(door, "DELETE", "/models/a%2Fb%0A"))[0] == 200

    asyncio.run(talk())
    log.flush()
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line["path"] for line in logged] == ["/models", "/models/a%2Fb%0A/invoke", "/models/a%2Fb%0A"]
    assert [len(line["model"]) for line in logged] == [0, 12, 0]


def test_a_load_keeps_nobody_waiting(fleet, store) -> None:
    """Neither the platform's pings, nor its lists, nor predictions, in pieces or not."""
    let_go = threading.Event()

    def slow(folder: Path) -> Served:
        if folder.name == "2":
            assert let_go.wait(20)
        return served.load(folder)

    fleet.models._read = slow
    door = FleetDoor(fleet, RequestLog(io.StringIO(), 0, ""), Drain())

    async def talk() -> list[int]:
        await ask(door, "POST", "/models", load("a", store / "1"))
        loading = asyncio.ensure_future(ask(door, "POST", "/models", load("b", store / "2")))
        await asyncio.sleep(0.05)
        meanwhile = [
            await ask(door, "GET", "/ping"),
            await ask(door, "GET", "/models"),
            await ask(door, "POST", "/models/a/invoke", ROW),
            await ask(door, "POST", "/models/a/invoke", ROW[:3], ROW[3:]),
            await ask(door, "POST", "/models/b/invoke", ROW),
        ]
        assert not loading.done()
        let_go.set()
        return [
            *(status for status, _ in meanwhile),
            (await loading)[0],
            (await ask(door, "POST", "/models/b/invoke", ROW))[0],
        ]

    assert asyncio.run(talk()) == [200, 200, 200, 200, 404, 200, 200]


def test_a_body_that_is_too_large_is_a_413(fleet, store) -> None:
    """Declared or not; the model goes on answering."""
    door = FleetDoor(fleet, RequestLog(io.StringIO(), 0, ""), Drain())

    async def talk() -> list[int]:
        await ask(door, "POST", "/models", load("a", store / "1"))
        large = await ask(door, "POST", "/models/a/invoke", b" " * SMALL, ROW)
        return [large[0], (await ask(door, "POST", "/models/a/invoke", ROW))[0]]

    assert asyncio.run(talk()) == [413, 200]


def test_a_draining_server_says_so(store, fleet) -> None:
    """/ping is 503, models answer still."""
    drain = Drain()
    object.__setattr__(fleet, "draining", drain.active)
    door = FleetDoor(fleet, RequestLog(io.StringIO(), 0, ""), drain)

    async def talk(*, after: Callable[[], None]) -> list[int]:
        await ask(door, "POST", "/models", load("a", store / "1"))
        before = await ask(door, "GET", "/ping")
        after()
        return [before[0], (await ask(door, "GET", "/ping"))[0], (await ask(door, "POST", "/models/a/invoke", ROW))[0]]

    assert asyncio.run(talk(after=drain.begin)) == [200, 503, 200]
