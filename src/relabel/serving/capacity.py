"""How much an endpoint takes on: worker processes, bodies at a time, and what it tells batch transform of them."""

from __future__ import annotations

from dataclasses import dataclass

from relabel.container.memory import GIB
from relabel.settings import ServeSettings

MB = 1 << 20
MOST_WORKERS = 64
IDLE = 150 * MB
"""Least memory of a worker that holds a model and does nothing."""
WAITING, WAITING_TEXTS = 8, 64
"""Bodies that wait for a thread: large ones, or those of a model of texts, of which most are small."""
PER_BYTE = 22
"""Memory that reading a body takes, in bytes per byte of it: the body, the parser's copy, index and tape, doubles, floats. A body of zeros takes
most, 21; one of long decimals 5; what only the slow path can read 15 to 20."""
SHARE = 0.8
"""Of the memory, what requests may fill."""
BATCH_MB = 100
"""The platform's bound on concurrent transforms times payload."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one server takes on.

    workers: processes.
    threads: large bodies, or bodies of texts, that one worker reads at the same time.
    waiting: further ones that wait in one worker; what comes beyond is answered 503.
    limit:   bytes of the largest body.
    held:    bytes of unanswered bodies that one worker holds; what comes beyond is answered 503.
    """

    workers: int
    threads: int
    waiting: int
    limit: int
    held: int

    def execution_parameters(self) -> dict[str, int | str]:
        """Say what batch transform should send."""
        workers = min(self.workers, BATCH_MB)
        payload = max(1, min(self.limit // MB, BATCH_MB // workers))
        return {"MaxConcurrentTransforms": workers, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": payload}


def of(settings: ServeSettings, *, cores: int, memory: int, idle: int = IDLE, texts: bool = False) -> Capacity:
    """Choose from the settings, the processor cores and the memory (bytes) of this machine or container.

    idle:  bytes that a process takes with the model loaded, and the libraries that it needs.
    texts: whether the model takes texts.
    """
    idle = max(idle, IDLE)
    limit = settings.limit()
    room = int(memory * SHARE)
    fitting = max(1, room // (idle + PER_BYTE * min(limit, 25 * MB)))
    workers = settings.workers or max(1, min(cores, fitting, MOST_WORKERS))
    each = max(0, room // workers - idle)
    threads = max(1, min(2, each // (PER_BYTE * limit)))
    held = max(2 * limit, min(each // 2, GIB))
    waiting = (WAITING_TEXTS if texts else WAITING) * threads
    return Capacity(workers, threads, waiting, limit, held)


def of_many(settings: ServeSettings, *, cores: int, memory: int) -> Capacity:
    """Choose for an endpoint of many models: one process, whose threads share what the models leave of the memory (bytes)."""
    limit = settings.limit()
    room = max(0, int(memory * (SHARE - settings.models_share)))
    threads = max(1, min(cores, room // (PER_BYTE * limit), MOST_WORKERS))
    return Capacity(1, threads, WAITING_TEXTS * threads, limit, max(2 * limit, min(room // 2, GIB)))
