"""A small model to serve, an endpoint around it, and servers as people and platforms start them."""

from __future__ import annotations

import dataclasses
import http.client
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relabel.codecs.table import JSON
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity, served
from relabel.serving.capacity import MB
from relabel.serving.endpoint import Endpoint
from relabel.serving.messages import Request, Response
from relabel.settings import ServeSettings

WIDTH, CLASSES = 4, ("negative", "neutral", "positive")
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = itertools.cycle(range(20_000 + 500 * WORKER, 20_500 + 500 * WORKER))
"""Of each of the processes that run tests side by side; below those that the kernel gives."""


@pytest.fixture
def model_folder(tmp_path) -> Path:
    """A folder with a complete artifact: linear, width 4, three classes; a large value in column c speaks for class c."""
    weight = np.zeros((WIDTH, 3), np.float32)
    weight[:3] = np.eye(3) * 5
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": weight,
        "bias.0": np.zeros(3, np.float32),
    }
    sizes = {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 3}
    artifact.save(tmp_path / "model", Artifact(Model("dense", sizes, tensors), CLASSES, "given"))
    return tmp_path / "model"


@pytest.fixture
def endpoint(model_folder) -> Endpoint:
    """The model loaded, with room for bodies of 1 MB."""
    settings = ServeSettings(max_payload_mb=1)
    return Endpoint(served.load(model_folder), settings, capacity.of(settings, cores=2, memory=4096 * MB))


@pytest.fixture
def text_endpoint(text_model) -> Endpoint:
    """The model of texts loaded."""
    settings = ServeSettings()
    return Endpoint(served.load(text_model), settings, capacity.of(settings, cores=1, memory=4096 * MB, texts=True))


@pytest.fixture
def having() -> Callable[..., Endpoint]:
    """Give an endpoint other settings."""

    def changed(endpoint: Endpoint, **chosen: Any) -> Endpoint:
        return dataclasses.replace(endpoint, settings=ServeSettings(**chosen))

    return changed


@pytest.fixture
def post() -> Callable[..., Request]:
    """Ask for predictions."""

    def made(body: bytes | str, content_type: str = JSON, **more: Any) -> Request:
        sent = body if isinstance(body, bytes) else body.encode()
        return Request("POST", "/invocations", content_type, body=sent, number="n-1", **more)

    return made


@pytest.fixture
def answers() -> Callable[[Response], list[dict[str, Any]]]:
    """Give the predictions of an answer in JSON or JSON Lines."""

    def read(response: Response) -> list[dict[str, Any]]:
        assert response.status == 200, response.body
        if response.content_type == JSON:
            return json.loads(response.body)["predictions"]
        return [json.loads(line) for line in response.body.splitlines()]

    return read


@pytest.fixture
def message() -> Callable[[Response], str]:
    """Give the message of a refusal."""
    return lambda response: json.loads(response.body)["error"]["message"]


HOST = "127.0.0.1"


@dataclass
class Running:
    """A server process and its port."""

    process: subprocess.Popen[bytes]
    port: int
    written: Path

    @property
    def log(self) -> str:
        """What it has written, to both streams."""
        return self.written.read_text()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Make one request on a connection of its own."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            named = {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def until_loaded(self) -> Running:
        """Ask /ping until it is 200."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.ask("GET", "/ping")[0] == 200:
                    return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"no answer, exit code {self.process.poll()}: {self.log}")


def free_port() -> int:
    """A loopback port that nobody listens on, and that the kernel gives to none who asks for any."""
    for port in PORTS:
        with socket.socket() as found, suppress(OSError):
            found.bind((HOST, port))
            return port
    raise AssertionError


@pytest.fixture
def serving() -> Callable[..., AbstractContextManager[Running]]:
    """Start `relabel serve` with these options and variables; killed if the test leaves it running."""

    @contextmanager
    def start(*arguments: str, **environment: str) -> Iterator[Running]:
        port = free_port()
        variables = {"RELABEL_PORT": str(port), **environment}
        with tempfile.NamedTemporaryFile() as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "relabel", "serve", "--host", HOST, *arguments],
                env={**os.environ, **{name: text for name, text in variables.items() if text}},
                stdout=written,
                stderr=subprocess.STDOUT,
            )
            try:
                yield Running(process, port, Path(written.name))
            finally:
                process.kill()
                process.wait()

    return start
