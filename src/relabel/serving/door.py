"""The endpoint's fast door: an ASGI application that answers the platform's paths itself and leaves all others to the Flask app."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from asyncio import Future
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from relabel.serving import handler
from relabel.serving.drain import Drain
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request, Response
from relabel.serving.request_log import RequestLog

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL = 1 << 20
"""Bytes of a body that is answered at once; larger ones would keep others waiting, and go to the threads."""
MOST_TOGETHER = 32
"""Requests that are answered together; more would keep the first of them waiting."""
LINGER = 2.0
"""Seconds that a refused body is read on and thrown away: a connection closed before would lose the refusal."""
LOG_DELAY = 0.1
"""Seconds after which a line of the log is written out, with all that have come since."""


class Door:
    """One worker's door.

    others: answers every path that is not of the platform.
    drain:  told of requests and pings.

    `in_hand` is the number of requests that are not answered yet.
    """

    def __init__(self, endpoint: Endpoint, log: RequestLog, others: App, drain: Drain) -> None:
        self._endpoint = endpoint
        self._log = log
        self._others = others
        self._drain = drain
        capacity = endpoint.capacity
        self._threads = ThreadPoolExecutor(capacity.threads, thread_name_prefix="large-bodies")
        self._free = capacity.threads + capacity.waiting
        self._held = 0
        self._together: list[tuple[Request, Future[Response]]] = []
        self._name, self._numbers = uuid.uuid4().hex[:12], itertools.count(1)
        self.in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        self.in_hand += 1
        try:
            await (self._own if scope["path"] in handler.ROUTES else self._others)(scope, receive, send)
        finally:
            self.in_hand -= 1

    async def _own(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one of the platform's paths."""
        started = time.perf_counter()
        message = await receive()
        request = _request(scope, message.get("body", b""), f"{self._name}-{next(self._numbers)}")
        if message.get("more_body") or len(request.body) > SMALL:
            answer = await self._large(request, message, scope, receive)
        elif message["type"] == "http.request":
            answer = request, await self._small(request)
        else:
            answer = None
        if answer is None:  # the client has gone
            return
        request, response = answer
        draining = self._drain.active()
        await send(
            {"type": "http.response.start", "status": response.status, "headers": _headers(response, close=draining)}
        )
        await send({"type": "http.response.body", "body": response.body})
        self._note(request, response, started, draining=draining)
        if response.status in (413, 503):
            await _thrown_away(receive)

    def _small(self, request: Request) -> Future[Response]:
        """Answer together with all that come in the same turn of the loop: see `handle_all`."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if not self._together:
            loop.call_soon(self._gather, 0)
        self._together.append((request, answer))
        return answer

    def _gather(self, before: int) -> None:
        """Wait one more turn for as long as each brings more: requests that are a turn behind are answered together with these."""
        together = len(self._together)
        if before < together < MOST_TOGETHER:
            asyncio.get_running_loop().call_soon(self._gather, together)
        else:
            self._answer_together()

    def _answer_together(self) -> None:
        together, self._together = self._together, []
        limit = self._endpoint.capacity.limit
        fitting = [(request, answer) for request, answer in together if len(request.body) <= limit]
        responses = handler.handle_all([request for request, _ in fitting], self._endpoint)
        answered = [(answer, response) for (_, answer), response in zip(fitting, responses, strict=True)]
        answered += [(answer, handler.too_large(limit)) for request, answer in together if len(request.body) > limit]
        for answer, response in answered:
            if not answer.done():  # its client may have gone meanwhile
                answer.set_result(response)

    async def _large(
        self, request: Request, message: Message, scope: Scope, receive: Receive
    ) -> tuple[Request, Response] | None:
        """Read a body that comes in parts or is large, and answer it in a thread; None where its client goes."""
        limit = self._endpoint.capacity.limit
        if _declared(scope) > limit:
            return request, handler.too_large(limit)
        chunks: list[bytes] = []
        size = 0
        try:
            while message["type"] == "http.request":
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                self._held += len(chunks[-1])
                if size > limit:
                    return request, handler.too_large(limit)
                if self._held > self._endpoint.capacity.held:
                    return request, handler.busy(request)
                if not message.get("more_body"):
                    whole = request._replace(body=b"".join(chunks))
                    chunks.clear()
                    return whole, await (self._small(whole) if size <= SMALL else self._in_a_thread(whole))
                message = await receive()
        finally:
            self._held -= size
        return None

    async def _in_a_thread(self, request: Request) -> Response:
        """Answer in a thread, or say so where none will be free soon."""
        if not self._free:
            return handler.busy(request)
        self._free -= 1
        loop = asyncio.get_running_loop()
        work = self._threads.submit(handler.handle, request, self._endpoint)
        # Not when this call ends, which a client that goes ends at once: the thread is then still busy.
        work.add_done_callback(lambda _work: loop.call_soon_threadsafe(self._freed))
        return await asyncio.wrap_future(work)

    def _freed(self) -> None:
        self._free += 1

    def _note(self, request: Request, response: Response, started: float, *, draining: bool) -> None:
        """Tell the drain and the log."""
        if request.path == handler.PING:
            self._drain.pinged()
        elif draining:
            self._drain.requested()
        if self._log.write(request, response, time.perf_counter() - started):
            asyncio.get_running_loop().call_later(LOG_DELAY, self._log.flush)


def _request(scope: Scope, body: bytes, number: str) -> Request:
    said = dict(scope["headers"])
    return Request(
        scope["method"],
        scope["path"],
        said.get(b"content-type", b"").decode("latin-1"),
        said.get(b"accept", b"").decode("latin-1"),
        said.get(b"x-amzn-sagemaker-custom-attributes", b"").decode("latin-1"),
        said.get(b"x-amzn-sagemaker-inference-id", b"").decode("latin-1"),
        body,
        number,
    )


def _headers(response: Response, *, close: bool) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", b"%d" % len(response.body)),
        *((name.lower().encode(), text.encode()) for name, text in response.headers.items()),
    ]
    return [*headers, (b"connection", b"close")] if close else headers


def _declared(scope: Scope) -> int:
    """Give the Content-Length, 0 where none is said; the server has checked that it is a number."""
    return next((int(text) for name, text in scope["headers"] if name == b"content-length"), 0)


async def _thrown_away(receive: Receive) -> None:
    """Read what is left of a refused body, for a while."""
    try:
        async with asyncio.timeout(LINGER):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
    except TimeoutError:
        pass
