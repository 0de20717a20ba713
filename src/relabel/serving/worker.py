"""Gunicorn's asgi worker, which ends when it has nothing in hand and gives up connections on which nothing moves."""

from __future__ import annotations

import asyncio
import fcntl
import sys
import termios
from contextlib import suppress

from gunicorn.asgi.protocol import ASGIProtocol  # type: ignore[import-untyped]
from gunicorn.workers import gasgi  # type: ignore[import-untyped]

FLUSH = 0.1
"""Seconds in which the last answers leave the process."""


class Connection(ASGIProtocol):  # type: ignore[misc]
    """A client's connection: its first request may be waited for as long as later ones, its answer as long as a body that stops coming.

    Gunicorn itself waits for ever for both: connections that say nothing, or take nothing, would pile up.
    """

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._arm_keepalive_timer()  # taken back when a whole head has come

    def eof_received(self) -> bool:
        """Answer a client that has sent all that it wants and still listens, as asyncio would not; tell whether there is anything to answer.

        One that has gone altogether looks the same until it is answered.
        """
        body = self._body_receiver
        whole = self._current_request is not None and body is not None and body._complete  # noqa: SLF001  # gunicorn has no other way to tell
        if whole:
            self._keepalive = FLUSH  # after the last answer
        return whole

    def pause_writing(self) -> None:
        """Begin to wait for the client to take its answer."""
        super().pause_writing()
        self._watch(self._left())

    def resume_writing(self) -> None:
        """See that the answer was taken."""
        self._calm()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._calm()
        super().connection_lost(exc)

    def _watch(self, left: int) -> None:
        self._patience = self.worker.loop.call_later(self.cfg.timeout, self._look, left)

    def _look(self, left: int) -> None:
        """Give up where no byte has been taken since the last look."""
        now = self._left()
        if now < left:
            self._watch(now)
        else:
            self.transport.abort()

    def _left(self) -> int:
        """Give the bytes of answers that the client has not taken, here and in the system's hands."""
        sent = bytearray(4)
        with suppress(OSError):  # other systems do not tell
            fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, sent)
        here: int = self.transport.get_write_buffer_size()
        return here + int.from_bytes(sent, sys.byteorder)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


gasgi.ASGIProtocol = Connection  # the worker takes its connections' class from there alone


class Worker(gasgi.ASGIWorker):  # type: ignore[misc]
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
