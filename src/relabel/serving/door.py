"""The endpoint's fast door: an ASGI application that answers the platform's paths itself and leaves all others to the Flask app."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import time
import uuid
from asyncio import Future
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from relabel.serving import cors, handler, process
from relabel.serving.drain import Drain
from relabel.serving.endpoint import Endpoint, Terms
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
PIECE = 1 << 12
"""Bytes from which on a piece of a body stands by itself."""
TURN = 1 << 8
"""Pieces of a body that are taken in one turn of the loop: the server has up to a quarter of a million of them at hand, seconds of work."""
OTHERS = 1 << 16
"""Bytes of a body on a path that takes none."""
LATE = 408
"""Status of an answer to a body that did not come to its end: what follows on the connection could be the rest of it."""
LONGEST_BODY = 300.0
"""Seconds in which a body must have come; 25 MB do at 0.7 Mbit/s. One that stops is given up anyway; one that trickles would hold memory for ever."""
LINGER, LONGEST_LINGER = 2.0, 30.0
"""Seconds that a refused body may pause, and take in all, while it is read on and thrown away: a connection closed before would lose the refusal."""
LOG_DELAY = 0.1
"""Seconds after which a line of the log is written out, with all that have come since."""


class Pool:
    """Threads that answer what may take long.

    free: requests that it takes on now; whoever submits them counts.
    """

    def __init__(self, threads: int, waiting: int, name: str) -> None:
        self.free = threads + waiting
        self._threads = ThreadPoolExecutor(threads, name, initializer=process.compute_on_one_thread)

    def submit(self, work: Callable[[], list[Response]]) -> concurrent.futures.Future[list[Response]]:
        """Have it done."""
        return self._threads.submit(work)


class Entrance:
    """What the doors share: requests are read whole, answered without keeping others waiting, and noted.

    drain: told of requests and pings.

    `in_hand` is the number of requests that are not answered yet.
    """

    def __init__(self, terms: Terms, log: RequestLog, drain: Drain) -> None:
        self._capacity = terms.capacity
        self._log = log
        self._drain = drain
        self._origins = terms.settings.cors_origins
        self._threads = Pool(terms.capacity.threads, terms.capacity.waiting, "large-bodies")
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
            await self._answer(scope, receive, send)
        finally:
            self.in_hand -= 1

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._own(scope, receive, send)

    def _waits(self, request: Request) -> bool:
        """Tell whether an answer may take long, or needs a body."""
        raise NotImplementedError

    def _is_quick(self, request: Request) -> bool:
        """Tell whether, of those, an answer to a small body is there at once."""
        raise NotImplementedError

    def _pool(self, _request: Request) -> Pool:
        """Give the threads for all others."""
        return self._threads

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        """Answer requests that came together."""
        raise NotImplementedError

    async def _own(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one of the platform's paths."""
        started = time.perf_counter()
        request = _request(scope, f"{self._name}-{next(self._numbers)}")
        limit = self._capacity.limit
        if _declared(scope) > limit:
            response = handler.too_large(limit)
        else:
            message = await receive()
            request = request._replace(body=message.get("body", b""))
            if message["type"] != "http.request":
                response = handler.late()
            elif not self._waits(request):
                (response,) = self._answers((request,))
            elif message.get("more_body") or len(request.body) > SMALL or not self._is_quick(request):
                request, response = await self._large(request, message, receive)
            else:
                response = await self._small(request)
        await self._send(request, response, send)
        self._note(request, response, started)
        if response.status in (413, 503):
            await _thrown_away(receive)

    def _small(self, request: Request) -> Future[Response]:
        """Answer together with all that come in the same turns of the loop: see `handle_all`."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        if not self._together:
            loop.call_soon(self._gather, 0)
        self._together.append((request, answer))
        return answer

    def _gather(self, before: int) -> None:
        """Wait one more turn for as long as each brings more: requests that are a turn behind are answered together with these."""
        together = len(self._together)
        if before < together < MOST_TOGETHER and sum(len(request.body) for request, _ in self._together) < SMALL:
            asyncio.get_running_loop().call_soon(self._gather, together)
        else:
            self._answer_together()

    def _answer_together(self) -> None:
        """Answer as many as have SMALL bytes in sum; the others have a turn of the loop of their own, after whatever else waits for one."""
        taken, size = 0, 0
        while taken < len(self._together) and (not taken or size + len(self._together[taken][0].body) <= SMALL):
            size += len(self._together[taken][0].body)
            taken += 1
        together, self._together = self._together[:taken], self._together[taken:]
        if self._together:
            asyncio.get_running_loop().call_soon(self._answer_together)
        responses = self._answers([request for request, _ in together])
        for (_, answer), response in zip(together, responses, strict=True):
            if not answer.done():  # its client may have gone meanwhile
                answer.set_result(response)

    async def _large(self, request: Request, message: Message, receive: Receive) -> tuple[Request, Response]:
        """Read a body that comes in parts, is large or may hold texts, and answer it in a thread, unless it is small and holds vectors."""
        limit = self._capacity.limit
        pieces: list[bytes] = []
        size, whole = 0, False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_BODY):
                    async for piece, more in _pieces(message, receive):
                        _append(pieces, piece)
                        self._held += len(piece)
                        size += len(piece)
                        if size > limit:
                            return request, handler.too_large(limit)
                        if self._held > self._capacity.held:
                            return request, handler.busy(request)
                        if not more:
                            request, whole = request._replace(body=b"".join(pieces)), True
            pieces.clear()
            if not whole:
                return request, handler.late()
            if size <= SMALL and self._is_quick(request):
                return request, await self._small(request)
            if not (pool := self._pool(request)).free:
                return request, handler.busy(request)
            work, size = self._in_a_thread(request, pool), 0
            # A client that goes ends this call and not the work, which would else stay in the threads' queue and count no more.
            (response,) = await asyncio.shield(asyncio.wrap_future(work))
        finally:
            self._held -= size
        return request, response

    def _in_a_thread(self, request: Request, pool: Pool) -> concurrent.futures.Future[list[Response]]:
        """Have a request answered by a thread. Its body counts as held until the thread has done with it."""
        pool.free -= 1
        loop, size = asyncio.get_running_loop(), len(request.body)
        work = pool.submit(lambda: self._answers((request,)))
        work.add_done_callback(lambda _work: loop.call_soon_threadsafe(self._freed, size, pool))
        return work

    def _freed(self, size: int, pool: Pool) -> None:
        pool.free += 1
        self._held -= size

    async def _send(self, request: Request, response: Response, send: Send) -> None:
        if self._origins:
            response = cors.answered(request, response, self._origins)
        headers = _headers(response, close=self._drain.active() or response.status == LATE)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else response.body})

    def _note(self, request: Request, response: Response, started: float) -> None:
        """Tell the drain and the log."""
        if request.path == handler.PING:
            self._drain.pinged()
        elif self._drain.active():
            self._drain.requested()
        if self._log.write(request, response, time.perf_counter() - started):
            asyncio.get_running_loop().call_later(LOG_DELAY, self._log.flush)


class Door(Entrance):
    """One worker's door.

    others: answers every path that is not of the platform.
    """

    def __init__(self, endpoint: Endpoint, log: RequestLog, others: App, drain: Drain) -> None:
        super().__init__(endpoint, log, drain)
        self._endpoint = endpoint
        self._others = others
        self._at_once = not endpoint.served.takes.texts

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._own if scope["path"] in handler.ROUTES else self._elsewhere)(scope, receive, send)

    def _waits(self, request: Request) -> bool:
        return (request.method, request.path) in handler.PREDICTING

    def _is_quick(self, _request: Request) -> bool:
        return self._at_once

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        return handler.handle_all(requests, self._endpoint)

    async def _elsewhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the Flask app answer; no other path takes a body, so none is kept beyond a little."""
        size = 0

        async def little() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if message["type"] != "http.request" or size > OTHERS:
                raise _NotTakenError
            return message

        try:
            await self._others(scope, little, send)
        except _NotTakenError:
            request, response = _request(scope, ""), handler.too_large(OTHERS)
            await self._send(request, response, send)
            await _thrown_away(receive)


class _NotTakenError(Exception):
    """A body on a path that takes none is too large, or does not come to its end."""


def _append(pieces: list[bytes], piece: bytes) -> None:
    """Add what has come of a body, small pieces to the last one: an object for every few bytes would be larger than the body."""
    if pieces and len(pieces[-1]) < PIECE:
        pieces[-1] += piece
    else:
        pieces.append(piece)


def _request(scope: Scope, number: str) -> Request:
    """Make a request without its body; a header that is there more than once counts as one list."""
    said: dict[bytes, bytes] = {}
    for name, text in scope["headers"]:
        said[name] = text if name not in said else said[name] + b", " + text
    return Request(
        scope["method"],
        scope["path"],
        said.get(b"content-type", b"").decode("latin-1"),
        said.get(b"accept", b"").decode("latin-1"),
        said.get(b"x-amzn-sagemaker-custom-attributes", b"").decode("latin-1"),
        said.get(b"x-amzn-sagemaker-inference-id", b"").decode("latin-1"),
        number=number,
        query=scope.get("query_string", b"").decode("latin-1"),
        origin=said.get(b"origin", b"").decode("latin-1"),
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


async def _pieces(message: Message, receive: Receive) -> AsyncIterator[tuple[bytes, bool]]:
    """Give the pieces of a body, each with whether more follow, until it ends or its client is gone; others have turns however many there are."""
    taken = 0
    while message["type"] == "http.request":
        more = bool(message.get("more_body"))
        yield message.get("body", b""), more
        if not more:
            return
        taken += 1
        if taken % TURN == 0:
            await asyncio.sleep(0)
        message = await receive()


async def _thrown_away(receive: Receive) -> None:
    """Read what is left of a refused body for as long as it comes, and not for ever."""
    clock = asyncio.get_running_loop().time
    end = clock() + LONGEST_LINGER
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER) as pause:
            async for _ in _pieces(await receive(), receive):
                pause.reschedule(min(clock() + LINGER, end))
