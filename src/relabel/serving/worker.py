"""Gunicorn's asgi worker, which ends when it has nothing in hand."""

from __future__ import annotations

import asyncio

from gunicorn.workers.gasgi import ASGIWorker  # type: ignore[import-untyped]

FLUSH = 0.1
"""Seconds in which the last answers leave the process."""


class Worker(ASGIWorker):  # type: ignore[misc]
    """Its application is a Door, which counts the requests in hand.

    Gunicorn itself waits for every open connection, also for those on which nothing is asked: a client's pool of idle ones would hold each stop
    for the whole time of grace.
    """

    async def _shutdown(self) -> None:
        await asyncio.sleep(FLUSH)  # what waits at the sockets is taken
        for server in self.servers:
            server.close()
        end = self.loop.time() + self.cfg.graceful_timeout
        while self.asgi.in_hand and self.loop.time() < end:  # noqa: ASYNC110  # an event would have to be set at every request
            await asyncio.sleep(FLUSH / 10)
        await asyncio.sleep(FLUSH)
        self._quick_shutdown = True
        await super()._shutdown()
