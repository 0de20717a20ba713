"""A small job's results, a server on them, and somebody who asks it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from relabel.data import identity
from relabel.results.reviewing import questions
from relabel.review import material
from relabel.review.desk import Desk, Options, Person
from relabel.review.store import Said, Store

HOSTILE = "<script>alert(1)</script> \u202e\u05e9\u05dc\u05d5\u05dd\u202c \U0001f469\u200d\U0001f680 </textarea>&amp; \u2028 \u00fcn\u00ef"
COUNT = 60
WINDOWS = {"ann": "w1", "bob": "w2"}


def table(count: int = COUNT) -> pa.Table:
    """Make an audit table: texts by number, the first two duplicates that disagree, the third one with every sign that could do harm."""
    texts = [f"review {max(n, 1)} of the lovely soap" for n in range(count)]
    texts[2] = HOSTILE
    posterior = np.linspace(0.99, 0.01, count)
    given = [str(n % 2) for n in range(count)]
    return pa.table(
        {
            "file": ["train/train.csv"] * count,
            "row": list(range(count)),
            "id": [f"id{n}" for n in range(count)],
            "split": ["test" if n % 5 == 4 else "train" for n in range(count)],
            "group": [max(n, 1) for n in range(count)],
            "left_out": [False] * count,
            "given_label": given,
            "suggested_label": [
                str(1 - int(label)) if p > 0.5 else label for label, p in zip(given, posterior, strict=True)
            ],
            "posterior": posterior,
            "flagged": posterior > 0.5,
            "reviewed": [False] * count,
            "text": texts,
            "row_hash": [identity.row_hash(np.float32([n]), text) for n, text in enumerate(texts)],
        }
    )


def write_results(folder: Path, made: pa.Table, classes: tuple[str, ...] = ("0", "1"), digest: str = "digest") -> Path:
    """Write what the page reads of a job."""
    folder.mkdir(parents=True, exist_ok=True)
    pa.parquet.write_table(made, folder / "audit.parquet")
    gain = {"low": 0.0, "value": 0.01, "high": 0.02}
    figures = {
        "data": {"classes": list(classes), "digest": digest, "reviewed": {"train": 0}},
        "settings": {"preset": "", "seed": 3, "learner": "mlp", "folds": 3},
        "comparison": {"rows": 12, "after": {"accuracy": 0.8}, "gain": {"accuracy": gain}},
    }
    (folder / "metrics.json").write_text(json.dumps(figures))
    explained = {
        "file": "train/train.csv",
        "row": 5,
        "label": "0",
        "words": [["lovely", 2.0], ["soap", -1.0], ["of", 0.1]],
    }
    (folder / "explanations.jsonl").write_text(json.dumps(explained) + "\n")
    near = {"row": [5, 5, 5], "neighbour": [7, 6, 8], "similarity": np.float32([0.9, 0.99, 0.8])}
    pa.parquet.write_table(pa.table(near), folder / "neighbours.parquet")
    return folder


@pytest.fixture
def results(tmp_path) -> Path:
    """Give a folder of results."""
    return write_results(tmp_path / "results", table())


@pytest.fixture(scope="session")
def shared(tmp_path_factory, serving) -> Iterator[Running]:
    """Give a server for tests that leave no trace which others see."""
    folder = write_results(tmp_path_factory.mktemp("shared") / "results", table())
    (folder / "report.html").write_text("<!doctype html><title>The report</title>")
    with serving(folder) as running:
        yield running


@pytest.fixture
def made() -> Callable[..., pa.Table]:
    """Give the function that makes an audit table."""
    return table


@pytest.fixture
def written() -> Callable[..., Path]:
    """Give the function that writes results."""
    return write_results


@pytest.fixture
def hostile() -> str:
    """Give the text with every sign that could do harm."""
    return HOSTILE


@pytest.fixture
def seat(results, tmp_path) -> Iterator[Callable[..., Desk]]:
    """Give the function that opens a desk on the results; `clock` is a list whose last number is the time."""
    opened: list[Store] = []

    def make(clock: list[float] | None = None, earlier=(), splits=None, **options: Any) -> Desk:
        found = questions.read(results)
        wanted = np.ones(len(found), np.bool_) if splits is None else questions.of_splits(found, splits)
        read = material.read(results, found, wanted, tuple(earlier), {"settings": {"stemming": "none"}})
        opened.append(Store(tmp_path / "review.sqlite", found.data, found.classes))
        return Desk(read, opened[-1], Options(**options), lambda: (clock or [0.0])[-1])

    yield make
    for store in opened:
        store.close()


def said(desk: Desk, question: int, name: str, answer: str | None, why: str = "") -> Said:
    """Put a decision into words."""
    row_hash = desk.questions.row_hash[desk.questions.shown[question]]
    return Said(uuid.uuid4().hex, row_hash, name, answer, why, 1.0)


@pytest.fixture
def decide() -> Callable[..., Any]:
    """Give the function that decides at a desk."""

    def act(desk: Desk, question: int, name: str, answer: str | None, why: str = "") -> Any:
        return desk.decide(said(desk, question, name, answer, why), Person(name, WINDOWS.get(name, name)))

    return act


class Visitor:
    """Somebody who asks a server, with the token as a bearer or with the cookie and the page's own token."""

    def __init__(self, port: int, token: str, reviewer: str = "ann") -> None:
        self.port, self.token, self.reviewer = port, token, reviewer
        self.window = uuid.uuid4().hex

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Send one request; `Authorization` is ours unless another one is given, and goes where it is empty."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        given = {
            "Authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        connection.putrequest(method, path, skip_host="Host" in given)
        for name, value in given.items():
            if value:
                connection.putheader(name, value)
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, content

    def get(self, path: str) -> Any:
        """Give the answer to a question."""
        status, _, content = self.ask("GET", path)
        assert status == 200, content
        return json.loads(content)

    def post(self, path: str, **body: Any) -> Any:
        """Give the answer to a request of this person."""
        status, _, content = self.ask("POST", path, {"reviewer": self.reviewer, "window": self.window, **body})
        assert status == 200, content
        return json.loads(content)

    def next(self, *besides: str) -> Any:
        """Ask for a card."""
        return self.post("/api/next", besides=list(besides))["card"]

    def decide(self, card: str, answer: str | None, once: str = "", *, queued: bool = True) -> Any:
        """Answer a card."""
        return self.post(
            "/api/decide", card=card, answer=answer, once=once or uuid.uuid4().hex, seconds=1.5, queued=queued
        )


class Running:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[str], port: int, token: str) -> None:
        self.process, self.port, self.token = process, port, token
        self.errors: list[str] = []

    def visitor(self, reviewer: str = "ann") -> Visitor:
        """Let somebody in."""
        return Visitor(self.port, self.token, reviewer)

    def children(self) -> list[int]:
        """Give the worker's process."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture(scope="session")
def serving() -> Callable[..., Any]:
    """Give the function that runs `relabel review serve` for the length of a block."""

    @contextmanager
    def run(*arguments: object) -> Iterator[Running]:
        command = [sys.executable, "-m", "relabel", "review", "serve", "--port", "0", *map(str, arguments)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            assert "/?token=" in first, process.stderr.read()
            address = first.split()[1]
            running = Running(process, int(address.split(":")[2].partition("/")[0]), address.partition("token=")[2])
            threads = [
                threading.Thread(target=running.errors.extend, args=(process.stderr,), daemon=True),
                threading.Thread(target=lambda: [None for _ in process.stdout or ()], daemon=True),
            ]
            for thread in threads:
                thread.start()
            try:
                yield running
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                    process.wait(timeout=40)
                for thread in threads:
                    thread.join(timeout=10)

    return run
