"""Promises of the server process, started as people and platforms start it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relabel.serving import server
from relabel.settings import ServeSettings

HOST = "127.0.0.1"
HEAVY = ("torch", "pytorch_lightning", "cleanlab", "pandas", "pyarrow", "scipy", "sklearn", "rich")


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Make one request."""
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A server process, killed if the test leaves it running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "relabel", "serve", "--host", HOST, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_loaded(port: int, process: subprocess.Popen[str]) -> None:
    """Ask /ping until it is 200."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if ask(port, "GET", "/ping")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no answer: {process.poll()}")


def test_the_server_answers_and_ends_with_0_on_sigterm(model_folder) -> None:
    """From a model folder and the platform's own variables to predictions over HTTP, and to a clean end."""
    port = free_port()
    platform = {"SAGEMAKER_BIND_TO_PORT": str(port), "SAGEMAKER_MODEL_SERVER_WORKERS": "2"}
    with running("--model", str(model_folder), **platform) as process:
        wait_until_loaded(port, process)
        assert ask(port, "GET", "/ping") == (200, b"")
        status, body = ask(port, "POST", "/invocations", b'{"instances": [[0, 0, 7, 0], [7, 0, 0, 0]]}')
        assert status == 200
        assert [row["class"] for row in json.loads(body)["predictions"]] == ["positive", "negative"]
        assert ask(port, "POST", "/invocations", b"[[1]]")[0] == 400
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_worker_that_is_still_being_made_hears_sigterm(model_folder) -> None:
    """A stop right after the start ends as soon as one later: it does not wait for a worker that missed the signal."""
    program = f"""
import time
from pathlib import Path
from relabel.serving import app, served, server
from relabel.settings import ServeSettings

def slow(arbiter, worker):
    time.sleep(1)

settings = ServeSettings(port={free_port()}, workers=1)
loaded = served.load(Path({str(model_folder)!r}))
chosen = {{**server.options("{HOST}", settings), "post_fork": slow}}
server._Server(chosen, lambda: app.create(loaded, settings)).run()
"""
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "Booting worker" not in process.stderr.readline():
            assert process.poll() is None
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert time.monotonic() - stopped < server.GRACE / 2


def test_a_folder_without_a_model_ends_the_server_with_2(tmp_path) -> None:
    """The reason is said once, before anything listens."""
    with running("--model", str(tmp_path), "--port", str(free_port())) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no model.json" in said
    assert "Traceback" not in said
    assert "Listening" not in said


def test_wrong_settings_are_all_said_and_end_with_2(model_folder) -> None:
    """Options and variables are checked together; the command line wins."""
    with running("--model", str(model_folder), "--port", "0", RELABEL_TIMEOUT="soon", RELABEL_PORT="8080") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "port" in said
    assert "timeout" in said


def test_serving_imports_nothing_heavy(model_folder) -> None:
    """What the server process needs, from its command line to a prediction, brings in neither torch nor pandas."""
    program = f"""
import sys
from pathlib import Path
from relabel.cli import main, serve
from relabel.serving import app, served, server
from relabel.settings import ServeSettings
client = app.create(served.load(Path({str(model_folder)!r})), ServeSettings()).test_client()
assert client.post("/invocations", json=[[1, 2, 3, 4]]).status_code == 200
assert "gunicorn.app.base" in sys.modules
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"relabel", "flask", "numpy"} <= set(loaded)
    assert set(HEAVY).isdisjoint(loaded)


def test_workers_follow_the_cores_unless_they_are_said() -> None:
    """At most four by default; and nothing of it asks for /dev/shm."""
    assert 1 <= server.options(HOST, ServeSettings())["workers"] <= 4
    chosen = server.options(HOST, ServeSettings(workers=7, port=8081))
    assert (chosen["workers"], chosen["bind"]) == (7, f"{HOST}:8081")
    assert Path(chosen["worker_tmp_dir"]).parts[:2] != ("/", "dev")
