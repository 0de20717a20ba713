"""Places that jobs are tracked in: MLflow's store in a folder, its server where MLFLOW_PYTHON names one, and servers that do not work."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from relabel.container import environment
from relabel.container.environment import Environment
from relabel.tracking import clerk

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"


def variables(**given: str) -> dict[str, str]:
    """Give what a process of a test needs, and what is given; nothing of MLflow that lies around."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("MLFLOW_", "RELABEL_"))}
    paths = os.pathsep.join(filter(None, sys.path))
    return {**kept, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "MLFLOW_ALLOW_FILE_STORE": "true", **given}


@pytest.fixture
def told() -> Callable[..., Environment]:
    """Make the environment of a job: `told(MLFLOW_TRACKING_URI=...)`."""
    return lambda **given: environment.read(variables(**given))


@pytest.fixture(scope="session")
def train() -> Callable[..., str]:
    """Run a small job in a process of its own, `train(data, output, MLFLOW_TRACKING_URI=...)`; its log."""

    def run(data: Path, output: Path, *options: str, code: int = 0, **given: str) -> str:
        command = [sys.executable, "-m", "relabel", "train", "--data", str(data), "--output", str(output)]
        done = subprocess.run(
            [*command, *options], env=variables(**given), capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture
def file_store(tmp_path, monkeypatch) -> str:
    """A store of MLflow's in a folder, for this process too; its address."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    for patience in ("LAST", "STOPPED"):  # a store that works is not held to seconds, which a start of Python may take
        monkeypatch.setattr(clerk, patience, 60.0)
    return (tmp_path / "runs").as_uri()


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Answer every request on loopback; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_POST = do_GET  # noqa: N815  # the library's names

        def log_message(self, *_said: Any) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer((HOST, 0), Handler)
    listening.daemon_threads = True
    listening.block_on_close = False
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{listening.server_port}"
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def refuse(handler: BaseHTTPRequestHandler) -> None:
    """Let nobody in."""
    body = json.dumps({"error_code": "PERMISSION_DENIED", "message": "not for you"}).encode()
    handler.send_response(403)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def nobody() -> str:
    """Give an address where nobody listens."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return f"http://ann:hush@{HOST}:{found.getsockname()[1]}"


@pytest.fixture(params=["down", "slow", "refusing"])
def faulty(request) -> Iterator[str]:
    """The address of a server that is no help."""
    if request.param == "down":
        yield nobody()
        return
    released = threading.Event()
    with server(refuse if request.param == "refusing" else lambda _handler: released.wait(30)) as address:
        yield address.replace("//", "//ann:hush@")
        released.set()


def _from_elsewhere() -> Any:
    """Load what starts MLflow's server for the tests of models from elsewhere."""
    path = ROOT / "tests" / "serving" / "elsewhere" / "conftest.py"
    spec = importlib.util.spec_from_file_location("mlflow_from_elsewhere", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def real_server(tmp_path_factory) -> Iterator[str]:
    """MLflow's own server, started once; its address."""
    if not (python := os.environ.get("MLFLOW_PYTHON", "")):
        pytest.skip("MLFLOW_PYTHON names no interpreter that has MLflow")
    with _from_elsewhere().started_mlflow(python, tmp_path_factory.mktemp("tracking")) as started:
        yield started.url
