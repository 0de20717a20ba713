"""The page before an endpoint that has learned from texts, and before one that does as it is told."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, expect

REVIEWS = {
    "positive": "a great lovely film with superb actors and a story that is rich and warm",
    "negative": "an awful boring film with dreadful actors and a plot that is thin and dull",
}


@pytest.fixture(scope="session")
def learned(tmp_path_factory, relabel) -> str:
    """Train `linear` on made reviews; give the model's folder."""
    folder = tmp_path_factory.mktemp("web")
    data = folder / "data"
    data.mkdir()
    for name, rows in (("train", 300), ("dev", 60), ("test", 60)):
        lines = ["review,label"]
        for number in range(rows):
            label = ("negative", "positive")[number % 2]
            words = REVIEWS[label].split()
            kept = [words[(number * 7 + place * 3) % len(words)] for place in range(8)]
            lines.append(f"{' '.join(kept)} {name} {number},{label}")
        (data / f"{name}.csv").write_text("\n".join(lines) + "\n")
    options = ["--learner", "linear", "--policy", "keep", "--seeds", "1", "--folds", "2", "--data-issues", "off"]
    relabel("train", "--data", str(data), "--output", str(folder / "out"), *options)
    return str(folder / "out" / "model")


@pytest.fixture(scope="session")
def model_page(learned) -> Iterator[str]:
    """Run `relabel web` on that model; the page's address."""
    with Command("--model", learned) as address:
        yield address


class Told:
    """An endpoint that answers as it is told.

    answers: (status, what is said) of the next requests; the last one stays. asked: the texts that came.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[str] = []

    def next(self) -> tuple[int, Any]:
        """Give what is answered now."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def says(self, name: str, classes: tuple[str, ...], words: dict[str, float], *shares: float) -> None:
        """Let it answer with a class."""
        label = classes.index(name)
        told = [{"word": word, "weight": weight} for word, weight in words.items()]
        prediction = {"label": label, "class": name, "probabilities": list(shares), "words": told}
        self.answers = [(200, {"predictions": [prediction], "classes": list(classes)})]


@pytest.fixture(scope="session")
def told_and_page() -> Iterator[tuple[Told, str]]:
    """Run `relabel web` before an endpoint that does as it is told."""
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        """Answers."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.asked += body["instances"]
            status, said = told.next()
            written = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Command("--endpoint", f"http://127.0.0.1:{server.server_port}") as address:
        yield told, address
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(told_and_page) -> Told:
    """The endpoint that does as it is told, with nothing asked yet."""
    told = told_and_page[0]
    told.asked.clear()
    told.says("positive", ("negative", "positive"), {"great": 1.2, "dull": -0.4}, 0.1, 0.9)
    return told


@pytest.fixture
def told_page(told_and_page) -> str:
    """Its page's address."""
    return told_and_page[1]


@pytest.fixture(scope="session")
def tries() -> Callable[[Page, str], None]:
    """Write a text and ask, by keyboard; the answer is there when it returns."""

    def write(page: Page, text: str) -> None:
        page.locator("#text").fill(text)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#status")).to_have_text("")
        expect(page.locator("#verdict")).to_be_visible()

    return write


class Command:
    """`relabel web` with options, as a child process: its address."""

    def __init__(self, *options: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "relabel", "web", "--port", "0", *options]
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def __enter__(self) -> str:
        end = time.monotonic() + 60
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/", said)):
            assert self._process.poll() is None, said
            assert time.monotonic() < end, said
            if select.select([self._process.stdout], [], [], 1)[0]:
                said += self._process.stdout.readline()
        return found[0]

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=40)
        assert self._process.returncode == 0
