"""A real server of the review page as a child process, and a person at a keyboard."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page

SHOWN = "() => document.querySelector('#text').textContent"
ANOTHER = "before => document.querySelector('#text').textContent !== before"
KEPT = "() => /^(Saved|Skipped|Taken back)/.test(document.querySelector('#saved').textContent)"


@dataclass
class Server:
    """`relabel review serve` on results; its decisions lie in `store`, outside of them."""

    results: Path
    store: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    address: str = ""
    token: str = "a-token-of-the-tests"  # noqa: S105  # that of a server which ends with its test
    port: int = 0

    def start(self) -> str:
        """Start it, again on the port that it had; give the address that it prints."""
        command = [sys.executable, "-m", "relabel", "review", "serve", str(self.results), "--store", str(self.store)]
        secret = self.store.with_suffix(".token")
        secret.write_text(self.token)
        command += ["--port", str(self.port), "--token-file", str(secret), *self.options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = ""
        end = time.monotonic() + 60
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/\?token=\S+", said)):
            assert self.process.poll() is None, said
            assert time.monotonic() < end, said
            if select.select([self.process.stdout], [], [], 1)[0]:
                said += self.process.stdout.readline()
        self.address, self.port = found[0], int(found[1])
        return self.address

    @property
    def origin(self) -> str:
        """Give the address without its token."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Kill parent and worker at once, as a machine that loses power does, and wait until they are gone."""
        processes = [self.process.pid, *_children(self.process.pid)]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait(timeout=10)
        self.process.stdout.close()
        end = time.monotonic() + 10
        while any(_lives(process) for process in processes):
            assert time.monotonic() < end, "the worker outlives SIGKILL"
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        self.process.terminate()
        self.process.communicate(timeout=40)
        return self.process.returncode

    def worker(self) -> int:
        """Give the process that answers."""
        (found,) = _children(self.process.pid)
        return found

    def ask(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Send a request without a browser; the status, and what was said."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, dict(headers or {}))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


@dataclass
class Person:
    """Somebody who answers by keyboard, and remembers what was pressed.

    said: text of each question -> the answer, None for a skip. order: the texts, as they were answered.
    """

    page: Page
    until: Callable[..., None]
    said: dict[str, str | None] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Give the text of the question."""
        return self.page.evaluate(SHOWN)

    def offers(self) -> dict[str, str]:
        """Give what keep and change stand for."""
        keep, change = (self.page.locator(f"#{name} .words").inner_text() for name in ("keep", "change"))
        return {"k": keep.removeprefix("Keep "), "c": change.removeprefix("Change to "), "n": "neither", "s": None}

    def press(self, key: str) -> None:
        """Answer by a key, and wait for the next question and for the word that the answer is on the disk."""
        before, answer = self.text(), self.offers()[key]
        self.page.keyboard.press(key)
        self._next(before)
        self.said[before] = answer
        self.order.append(before)

    def undo(self) -> None:
        """Take the last answer back: its question returns."""
        before, last = self.text(), self.order.pop()
        self.page.keyboard.press("u")
        self._next(before)
        assert self.text() == last
        del self.said[last]

    def sees(self, text: str) -> None:
        """Wait until a question is shown."""
        self.until(self.page, "text => document.querySelector('#text').textContent === text", text)

    def _next(self, before: str) -> None:
        self.until(self.page, ANOTHER, before)
        self.until(self.page, KEPT)

    def answers(self) -> dict[str, str]:
        """Give what should be in the file of answers."""
        return {text: answer for text, answer in self.said.items() if answer is not None}


@pytest.fixture
def serve(hostile, tmp_path) -> Iterator[Callable[..., Server]]:
    """Start servers, `serve(*options)`; they are ended with the test."""
    started: list[Server] = []

    def start(*options: str) -> Server:
        server = Server(hostile, tmp_path / f"review{len(started)}.sqlite", options)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            assert server.stop() == 0


@pytest.fixture
def sit_down(tab, until) -> Callable[..., Person]:
    """Let a person open the page of a server under a name; a question is shown when it returns."""

    def begin(server: Server, name: str = "Ann", **options: Any) -> Person:
        page = tab(server.address, **options)
        page.locator("#name").fill(name)
        page.keyboard.press("Enter")
        page.locator("#answers").wait_for(state="visible")
        return Person(page, until)

    return begin


@pytest.fixture
def written(tmp_path, relabel) -> Callable[..., list[dict[str, Any]]]:
    """Give the answers that the command writes of a server's decisions, each with its text."""

    def read(server: Server) -> list[dict[str, Any]]:
        output = tmp_path / "written.jsonl"
        relabel("review", "answers", str(server.store), "--results", str(server.results), "--output", str(output))
        table = pq.read_table(server.results / "audit.parquet", columns=["row_hash", "text"]).to_pylist()
        text = {row["row_hash"]: row["text"] for row in table}
        lines = map(json.loads, output.read_text(encoding="utf-8").splitlines())
        return [{**line, "text": text[line["row_hash"]]} for line in lines]

    return read


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _lives(process: int) -> bool:
    """Tell whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
