"""A process that writes the record, so that nothing of MLflow runs in the job: neither its second of imports nor its waiting.

The job writes lines of JSON into a pipe that never makes it wait; `relabel.tracking.recording` reads them at the other end and speaks to the
server. A clerk that is slow, hangs or dies costs the job a line in the log, and at its end a few seconds.

    {"described": {"settings": {…}, "tags": {…}}}
    {"measured": {"log_loss/baseline": 0.4}, "step": 64, "time": 1700000000000}
    {"results": "/…/output/data", "model": "/…/model", "seconds": 9.5}
    {"ended": "FINISHED", "reason": ""}

It answers with {"run": id}, {"refused": why} and {"failed": how often, "last": why}.
"""

from __future__ import annotations

import json
import logging
import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from relabel.tracking.tracker import Status

log = logging.getLogger(__name__)

REQUEST = 8
"""Seconds that the server may take to go on with an answer."""

LAST = 4
"""Seconds that a job waits for a request that is under way when its patience ends."""

PATIENCE = 8.0
"""Seconds that a job waits at its end for what is small."""

PACE = 4_000_000
"""Bytes of results and model that are given another second."""

STOPPED = 3.0
"""Seconds that a job waits which was told to end, or failed."""

LARGEST = 4_000_000
"""Bytes that wait in the job for a clerk who is busy; figures beyond them are lost, results and the ending never."""

LIMITS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(REQUEST),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Clerk:
    """Tracks by a process of its own.

    command:   what starts it.
    variables: its environment; `LIMITS` win over them.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self.run = ""
        self._waiting = bytearray()
        self._heard = bytearray()
        self._lost = 0
        self._seconds = STOPPED
        # A session of its own: Ctrl-C is for the job, which then says how it ended.
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**variables, **LIMITS},
            start_new_session=True,
        )
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None  # noqa: S101  # both were asked for
            os.set_blocking(pipe.fileno(), False)

    def described(self, settings: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """See Tracker."""
        self._say({"described": {"settings": dict(settings), "tags": dict(tags)}})

    def measured(self, figures: Mapping[str, float], step: int = 0) -> None:
        """See Tracker. What is not finite is left out: not every store can keep it."""
        finite = {name: float(value) for name, value in figures.items() if math.isfinite(value)}
        if finite:
            self._say({"measured": finite, "step": step, "time": int(time.time() * 1000)})

    def results(self, folder: Path, model: Path) -> None:
        """See Tracker."""
        sizes = sum(path.stat().st_size for each in (folder, model) for path in each.rglob("*") if path.is_file())
        self._seconds = PATIENCE + sizes / PACE
        self._say({"results": str(folder.absolute()), "model": str(model.absolute()), "seconds": self._seconds})

    def ended(self, status: Status, reason: str = "") -> None:
        """See Tracker."""
        self._say({"ended": status, "reason": reason})
        if self._process is not None:
            self._wait(time.monotonic() + self._seconds + LAST)
        if self._lost:
            log.warning("MLflow was too slow: %d figures are missing from the run", self._lost)

    def _say(self, message: Mapping[str, Any]) -> None:
        if self._process is None:
            return
        line = json.dumps(message).encode() + b"\n"
        if len(self._waiting) >= LARGEST and "measured" in message:
            self._lost += 1
        else:
            self._waiting += line
        self._flush()
        self._listen()

    def _flush(self) -> None:
        """Write what the pipe takes. A clerk who has left has said why."""
        assert self._process is not None  # noqa: S101  # those who call have looked
        assert self._process.stdin is not None  # noqa: S101
        try:
            while self._waiting:
                del self._waiting[: os.write(self._process.stdin.fileno(), self._waiting)]
        except BlockingIOError:
            return
        except OSError:
            self._waiting.clear()

    def _listen(self) -> None:
        """Hear what the clerk has said; once it has left there is nothing to be said to it."""
        assert self._process is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        try:
            while heard := os.read(self._process.stdout.fileno(), 1 << 16):
                self._heard += heard
        except BlockingIOError:
            return
        finally:
            for said in self._said():
                self._answered(said)
        self._leave()

    def _said(self) -> Iterator[Mapping[str, Any]]:
        *lines, rest = self._heard.split(b"\n")
        self._heard = rest
        for line in lines:
            said = _parsed(bytes(line))
            if said is not None:
                yield said

    def _answered(self, said: Mapping[str, Any]) -> None:
        if "run" in said:
            self.run = str(said["run"])
            log.info("MLflow keeps the record of this job: run %s", self.run)
        elif "refused" in said:
            log.warning("MLflow does not keep the record of this job, which goes on without it: %s", said["refused"])
        elif said.get("failed"):
            log.warning("the record of this job is not complete: MLflow refused %(failed)d times, last: %(last)s", said)

    def _wait(self, until: float) -> None:
        """Wait until the clerk has written everything and left, or time is up."""
        while self._process is not None and (left := until - time.monotonic()) > 0:
            assert self._process.stdin is not None  # noqa: S101
            assert self._process.stdout is not None  # noqa: S101
            writing = [self._process.stdin] if self._waiting else []
            select.select([self._process.stdout], writing, [], left)
            self._flush()
            self._listen()
        if self._process is not None:
            log.warning("MLflow takes too long: its run %s has what arrived until now", self.run or "was not begun")
            self._process.kill()
            self._leave()

    def _leave(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None  # noqa: S101
                pipe.close()
            try:
                process.wait(LAST)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def employed(about: Mapping[str, Any], variables: Mapping[str, str]) -> Iterator[Clerk]:
    """Start a clerk; nothing of it is left when the block ends.

    about: what `relabel.tracking.recording` takes.
    """
    command = [sys.executable, "-P", "-m", "relabel.tracking.recording", json.dumps(about)]
    clerk = Clerk(command, variables)
    try:
        yield clerk
    finally:
        clerk._leave()  # noqa: SLF001  # of its own module


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    """Read a line of the clerk; libraries print lines of their own, which are none."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
