"""The server process: gunicorn, started from Python with our settings."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]

from relabel.serving import app, served
from relabel.settings import ServeSettings

MOST_WORKERS = 4
THREADS = 4
"""Per worker, so that /ping is answered while a slow client sends its body."""
GRACE = 20
"""Seconds that requests get to end after SIGTERM; the platform kills after 30."""
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def serve(model: Path, host: str, settings: ServeSettings) -> None:
    """Serve a model folder until SIGTERM, then end the process with exit code 0. Each worker loads the model for itself.

    Raises UserError, before anything listens, where the folder holds no usable model.
    """
    served.load(model)
    _Server(options(host, settings), lambda: app.create(served.load(model), settings)).run()


def options(host: str, settings: ServeSettings) -> dict[str, Any]:
    """Give gunicorn's settings."""
    return {
        "bind": f"{host}:{settings.port}",
        "workers": settings.workers or min(MOST_WORKERS, len(os.sched_getaffinity(0))),
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": settings.timeout,
        "graceful_timeout": GRACE,
        "worker_tmp_dir": tempfile.gettempdir(),  # not /dev/shm, which some platforms do not have
        "control_socket_disable": True,
        "post_worker_init": _listen_to_stops,
        "proc_name": "relabel",
    }


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with these options; `make` runs in each worker, after the fork."""

    def __init__(self, chosen: Mapping[str, Any], make: Callable[[], Flask]) -> None:
        self._chosen = chosen
        self._make = make
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._make()

    def run(self) -> None:
        _Parent(self).run()


class _Parent(Arbiter):  # type: ignore[misc]
    """Gunicorn's parent of workers, which loses no stop.

    A new worker has the parent's handlers, which would swallow a signal that comes before it has set its own. So it is made with these
    signals blocked, and hears them when it is ready.
    """

    def spawn_worker(self) -> int:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            worker: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return worker


def _listen_to_stops(_worker: Any) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
