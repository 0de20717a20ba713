"""The servers that benchmarks/serving.py compares: started in sessions of their own, asked, weighed, and ended with all their processes."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
START_LIMIT, END_LIMIT = 60.0, 3.0
"""Seconds that a server may take to start, and to end by itself."""


@dataclass(frozen=True)
class Side:
    """One of the compared: its command, with PORT in the port's place, the media types it takes, and whether it answers or only replies."""

    name: str
    command: list[str]
    environment: dict[str, str]
    takes: tuple[str, ...]
    answers: bool = True


@dataclass(frozen=True)
class Server:
    """A side that runs, and the seconds from its process's start to the first 200 of /ping."""

    side: Side
    process: subprocess.Popen[bytes]
    port: int
    seconds: float

    @property
    def address(self) -> str:
        """Say where requests go."""
        return f"http://{HOST}:{self.port}/invocations"

    def ask(self, media_type: str, body: bytes) -> bytes:
        """Send one request; give the answer, which must be a 200."""
        status, answer = request(self.port, "POST", "/invocations", body, {"Content-Type": media_type})
        if status != 200:
            raise SystemExit(f"{self.side.name}: status {status} for {media_type}: {answer[:200]!r}")
        return answer

    def megabytes(self) -> float:
        """Give the memory of all its processes, pages that they share counted once."""
        texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in members(self.process.pid)]
        return sum(int(text.split("\nPss:")[1].split()[0]) for text in texts) / 1024


def request(port: int, method: str, path: str, body: bytes = b"", headers: dict | None = None) -> tuple[int, bytes]:
    """Make one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def running(side: Side, cores: list[str], written: Path) -> Iterator[Server]:
    """Start a side in a session of its own, wait for its /ping, and end all its processes after."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [*cores, *(part.replace("PORT", str(port)) for part in side.command)]
    started = time.monotonic()
    with written.open("wb") as log:
        environment = {**os.environ, **side.environment}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        while not answers_ping(port):
            if process.poll() is not None or time.monotonic() - started > START_LIMIT:
                raise SystemExit(f"{side.name} does not start:\n{written.read_text()[-2000:]}")
            time.sleep(0.01)
        yield Server(side, process, port, time.monotonic() - started)
    finally:
        end(process)


def answers_ping(port: int) -> bool:
    """Tell whether a side is ready."""
    try:
        return request(port, "GET", "/ping")[0] == 200
    except OSError:
        return False


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a side to end, and kill what is left of it."""
    process.terminate()
    try:
        process.wait(END_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
    for pid in members(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def members(session: int) -> list[int]:
    """List the processes of a session, also those that have lost their parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(folder.name))
    return found
