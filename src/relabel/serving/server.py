"""The server process: gunicorn, started from Python with our settings."""

from __future__ import annotations

import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.sock import create_sockets  # type: ignore[import-untyped]

from relabel.container import memory, processors
from relabel.serving import app, capacity, listening, process, served
from relabel.serving.capacity import Capacity
from relabel.serving.door import App, Door, Entrance
from relabel.serving.drain import Drain
from relabel.serving.endpoint import Endpoint
from relabel.serving.fleet import journal, room
from relabel.serving.fleet.api import Fleet
from relabel.serving.fleet.door import FleetDoor
from relabel.serving.fleet.journal import Journal
from relabel.serving.fleet.models import Models
from relabel.serving.request_log import RequestLog
from relabel.serving.worker import Worker
from relabel.settings import ServeSettings

GRACE = 10
"""Seconds that requests in hand get after the drain; the platform kills 30 s after its SIGTERM."""
KEEPALIVE = 75
"""Seconds that an idle connection stays open: longer than what clients and proxies keep theirs."""
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def serve(model: Path, host: str, settings: ServeSettings) -> None:
    """Serve a model folder until SIGTERM, then end the process with exit code 0.

    The model is loaded once, and every worker has it from this process: also one that takes the place of another when the folder is another, or gone.

    Raises UserError, before anything listens, where the folder holds no usable model.
    """
    process.open_many_files()
    loaded = served.load(model)
    room, idle = memory.read().limit, process.resident()
    chosen = capacity.of(settings, cores=processors.count(), memory=room, idle=idle, texts=loaded.takes.texts)
    drain = Drain()

    def door() -> Entrance:
        process.compute_on_one_thread()  # threads that torch had before the fork are not there any more, and it would wait for them
        endpoint = Endpoint(loaded, settings, chosen, drain.active)
        log = RequestLog(sys.stdout, settings.log_share, endpoint.served.artifact.short_hash)
        others: App = WsgiToAsgi(app.create(endpoint, log))  # type: ignore[no-untyped-call]
        process.settle()
        return Door(endpoint, log, others, drain)

    _run(door, host, settings, chosen, drain)


def serve_many(roots: Sequence[Path], host: str, settings: ServeSettings) -> None:
    """Serve whatever models are loaded from below these folders, in one process, until SIGTERM; then end with exit code 0.

    Raises UserError, before anything listens, where there is no memory for any.
    """
    limit = memory.read().limit
    room.of(settings, limit)
    chosen = capacity.of_many(settings, cores=processors.count(), memory=limit)
    drain = Drain()
    with Journal() as kept:

        def door() -> Entrance:
            process.open_many_files()
            process.settle()
            models = Models(roots, room.of(settings, limit), tell=kept.write)
            journal.restore(models, kept.read(), settings.timeout / 2)  # who is silent for the whole time is replaced
            fleet = Fleet(models, settings, chosen, drain.active)
            return FleetDoor(fleet, RequestLog(sys.stdout, settings.log_share, ""), drain)

        _run(door, host, settings, chosen, drain)


def _run(make: Callable[[], Entrance], host: str, settings: ServeSettings, chosen: Capacity, drain: Drain) -> None:
    listeners = listening.sockets(host, settings.port, chosen.workers)
    _Server(options(host, settings, chosen), make, drain, listeners).run()


def options(host: str, settings: ServeSettings, chosen: Capacity) -> dict[str, Any]:
    """Give gunicorn's settings."""
    return {
        "bind": f"{host}:{settings.port}",
        "workers": chosen.workers,
        "worker_class": Worker,
        "asgi_lifespan": "off",
        "asgi_loop": "asyncio",
        "asgi_disconnect_grace_period": 0,  # who has gone needs no answer
        "http_parser": "python",  # the one in C keeps 64 KB of each connection for ever, and wins nothing here
        "timeout": settings.timeout,
        "graceful_timeout": GRACE,
        "keepalive": KEEPALIVE,
        "worker_tmp_dir": tempfile.gettempdir(),  # not /dev/shm, which some platforms do not have
        "control_socket_disable": True,
        "pre_fork": _give_a_socket,
        "post_worker_init": _listen_to_stops,
        "proc_name": "relabel",
    }


class _Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with these options on these sockets; `make` runs in each worker, after the fork."""

    def __init__(
        self, chosen: Mapping[str, Any], make: Callable[[], Entrance], drain: Drain, listeners: Sequence[socket.socket]
    ) -> None:
        self._chosen = chosen
        self._make = make
        self._drain = drain
        self._listeners = listeners
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Entrance:
        return self._make()

    def run(self) -> None:
        _Arbiter(self, self._drain, self._listeners).run()


class _Arbiter(Arbiter):  # type: ignore[misc]
    """Gunicorn's parent of workers, which drains before it stops, and loses no stop.

    A new worker has the parent's handlers, which would swallow a signal that comes before it has set its own. So it is made with these
    signals blocked, and hears them when it is ready.
    """

    def __init__(self, server: _Server, drain: Drain, listeners: Sequence[socket.socket]) -> None:
        self._drain = drain
        self._listeners = listeners
        super().__init__(server)

    def start(self) -> None:
        self.LISTENERS = create_sockets(self.cfg, self.log, [listener.detach() for listener in self._listeners])
        super().start()

    def spawn_worker(self) -> int:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            worker: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return worker

    def handle_term(self) -> None:
        """Begin the drain."""
        self._drain.begin()

    def murder_workers(self) -> None:
        """Do what is due every second: replace silent workers, and stop when the drain is over."""
        super().murder_workers()
        if self._drain.over():
            listening.refuse_new(listener.sock for listener in self.LISTENERS)
            raise StopIteration


def _give_a_socket(parent: Any, worker: Any) -> None:
    """Leave the new worker the socket that fewest others have: that of the one it replaces."""
    taken = [id(listener) for other in parent.WORKERS.values() for listener in other.sockets]
    worker.sockets = [min(worker.sockets, key=lambda listener: taken.count(id(listener)))]


def _listen_to_stops(_worker: Any) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
