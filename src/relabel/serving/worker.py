"""Gunicorn's asgi worker, with two differences: it lets go of closed connections, and it ends when it has nothing in hand."""

from __future__ import annotations

import asyncio

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]

FLUSH = 0.1
"""Seconds in which the last answers leave the process."""


class _Protocol(ASGIProtocol):  # type: ignore[misc]
    """One connection, which lets go of its parser when it is lost.

    The parser in C calls the connection back and is not seen by Python's collector of cycles, so that the two would keep each other, and some
    64 KB, for ever.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._callback_parser = None


gasgi.ASGIProtocol = _Protocol  # the worker offers no other way to name its protocol


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
    """Its application is a Door, which counts the requests in hand.

    Gunicorn itself waits for every open connection, also for those on which nothing is asked: a client's pool of idle ones would hold each stop
    for the whole time of grace.
    """

    async def _shutdown(self) -> None:
        for server in self.servers:
            server.close()
        end = self.loop.time() + self.cfg.graceful_timeout
        while self.asgi.in_hand and self.loop.time() < end:  # noqa: ASYNC110  # an event would have to be set at every request
            await asyncio.sleep(FLUSH / 10)
        await asyncio.sleep(FLUSH)
        self._quick_shutdown = True
        await super()._shutdown()
