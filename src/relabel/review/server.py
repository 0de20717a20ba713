"""The server process: gunicorn with one worker of several threads, for one process must know who looks at what."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from relabel.errors import UserError

THREADS = 32
READING = 5.0
"""Seconds that a request may take to arrive; the page's own are small."""

WAITING = 128
GRACE = 30
"""Seconds that the end may take: a training job saves how far it is."""


def listening(host: str, port: int) -> socket.socket:
    """Open a socket; port 0 takes any that is free.

    Raises UserError where it cannot be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        made = socket.socket(family, kind)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(WAITING)
        except BaseException:
            made.close()
            raise
    except OSError as error:
        why = error.strerror or "no such address"
        raise UserError(f"port {port} on {host} cannot be had ({why}): choose another with --port") from None
    return made


def serve(made: socket.socket, create: Callable[[], Flask], end: Callable[[], None], ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or CTRL-C; the process then ends with 0.

    create: makes the application, in the worker, after the fork. end: what the worker does last. ready: called once it listens.
    """
    _Server(made, create, end, ready).run()


class _Worker(ThreadWorker):  # type: ignore[misc]
    """Threads that a connection holds for a while only: what has not arrived by then is not read any more."""

    def handle(self, conn: Any) -> Any:
        """Answer one request."""
        late = threading.Timer(READING, _read_no_more, (conn.sock,))
        late.daemon = True
        late.start()
        try:
            return super().handle(conn)
        finally:
            late.cancel()


def _read_no_more(connection: socket.socket) -> None:
    """End what comes in as if the other side had; an answer that is under way still goes out."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self, made: socket.socket, create: Callable[[], Flask], end: Callable[[], None], ready: Callable[[], None]
    ) -> None:
        self._options = {
            "bind": f"fd://{made.detach()}",
            "worker_class": _Worker,
            "workers": 1,
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": GRACE,
            "keepalive": 20,
            "limit_request_line": 4094,
            "loglevel": "warning",
            "worker_tmp_dir": tempfile.gettempdir(),
            "control_socket_disable": True,
            "when_ready": lambda _arbiter: ready(),
            "worker_exit": lambda _arbiter, _worker: end(),
            "proc_name": "relabel-review",
        }
        self._create = create
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._create()

    def run(self) -> None:
        """Run; gunicorn leaves by SystemExit."""
        super().run()
        sys.exit(0)


def address(made: socket.socket, host: str, token: str) -> str:
    """Give the address that people open."""
    port: Any = made.getsockname()[1]
    name = "127.0.0.1" if host in ("", "0.0.0.0") else "[::1]" if host == "::" else f"[{host}]" if ":" in host else host  # noqa: S104
    return f"http://{name}:{port}/?token={quote(token, safe='')}"
