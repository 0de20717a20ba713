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
from pathlib import Path

import pytest

from relabel.serving import capacity, server
from relabel.settings import ServeSettings

HOST = "127.0.0.1"
HEAVY = ("torch", "pytorch_lightning", "cleanlab", "pandas", "pyarrow", "scipy", "sklearn", "rich")


def hears(pid: int, signum: int) -> bool:
    """Tell whether a process has a handler for a signal."""
    (caught,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signum - 1) & 1)


def ports(pid: int) -> set[int]:
    """List the ports that a process listens on, from what the kernel tells of its sockets."""
    links = (str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [row.split() for row in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in sockets}


def test_the_server_answers_and_ends_with_0_on_sigterm(model_folder, serving) -> None:
    """From a model folder and the platform's own variables to predictions over HTTP, and to a clean end."""
    with serving("--model", str(model_folder), SAGEMAKER_MODEL_SERVER_WORKERS="2") as running:
        running.until_loaded()
        assert running.ask("GET", "/ping") == (200, b"")
        status, body = running.ask("POST", "/invocations", b'{"instances": [[0, 0, 7, 0], [7, 0, 0, 0]]}')
        assert status == 200
        assert [row["class"] for row in json.loads(body)["predictions"]] == ["positive", "negative"]
        assert running.ask("POST", "/invocations", b"[[1]]")[0] == 400
        assert running.ask("GET", "/nothing")[0] == 404
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0
        assert running.log.count("Booting worker") == 2


def test_the_platform_s_names_of_settings_are_taken(model_folder, serving) -> None:
    """Port, workers, payload and the answer's type by the variables that are in use."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port = found.getsockname()[1]
    platform = {
        "RELABEL_PORT": "",
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_SAFE_PORT_RANGE": f"{port}-{port}",
        "MODEL_SERVER_WORKERS": "1",
        "MODEL_SERVER_TIMEOUT": "30",
        "MAX_CONTENT_LENGTH": "1000",
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
    }
    with serving("--model", str(model_folder), **platform) as running:
        running.port = port
        running.until_loaded()
        assert running.ask("POST", "/invocations", b"[0, 0, 7, 0]")[1].startswith(b"2,positive,")
        assert running.ask("POST", "/invocations", b" " * 1001)[0] == 413
        assert json.loads(running.ask("GET", "/execution-parameters")[1])["MaxConcurrentTransforms"] == 1


def test_one_port_is_used_and_no_other(model_folder, serving) -> None:
    """Whatever range the platform allows."""
    with serving("--model", str(model_folder), "--workers", "2") as running:
        running.until_loaded()
        parent = running.process.pid
        processes = [parent, *map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]
        listening_at = {port for pid in processes for port in ports(pid)}
    assert listening_at == {running.port}


@pytest.mark.parametrize("said", ["true", "True", "1"])
def test_a_batch_transform_job_may_send_bodies_of_100_mb(said) -> None:
    """`SAGEMAKER_BATCH` in either spelling; the platform's payload is taken too."""
    from relabel import settings  # noqa: PLC0415

    given = {"SAGEMAKER_BATCH": said, "SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}
    parsed = settings.parse(ServeSettings, settings.from_environment(ServeSettings, given))
    assert (parsed.batch, parsed.limit()) == (True, 100 << 20)


def test_a_body_in_chunks_is_read_without_a_content_length(model_folder, serving) -> None:
    """As batch transform sends it where MaxPayloadInMB is 0; the connection is kept."""
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        connection = http.client.HTTPConnection(HOST, running.port, timeout=30)
        for _ in range(2):
            chunks = iter([b"[[0, 0, ", b"7, 0]", b"]"])
            connection.request(
                "POST", "/invocations", chunks, {"Content-Type": "application/json"}, encode_chunked=True
            )
            assert json.loads(connection.getresponse().read())["predictions"][0]["class"] == "positive"
        connection.close()


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_hears_of_it(model_folder, serving, declared) -> None:
    """The answer arrives although the client is still sending."""
    with serving("--model", str(model_folder), "--max-payload-mb", "1", "--workers", "1") as running:
        running.until_loaded()
        connection = http.client.HTTPConnection(HOST, running.port, timeout=30)
        body = b" " * (3 << 20)
        sent = body if declared else iter([body[i : i + 65536] for i in range(0, len(body), 65536)])
        connection.request(
            "POST", "/invocations", sent, {"Content-Type": "application/json"}, encode_chunked=not declared
        )
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["code"]) == (413, "too_large")
        connection.close()
        assert running.ask("GET", "/ping")[0] == 200


def test_a_body_that_stops_coming_is_a_408(model_folder, serving) -> None:
    """As JSON, and in the log; the connection is closed, for what follows on it could be the rest."""
    with serving("--model", str(model_folder), "--workers", "1", "--timeout", "5") as running:
        running.until_loaded()
        with socket.create_connection((HOST, running.port), timeout=30) as slow:
            slow.sendall(b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n[1,")
            answer = b""
            while more := slow.recv(4096):
                answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408")
        assert json.loads(body)["error"]["code"] == "timeout"
        end = time.monotonic() + 20
        while '"status": 408' not in running.log:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_a_path_that_takes_no_body_keeps_none(model_folder, serving) -> None:
    """Neither in memory nor on the disk; and a form or a probe of another path is a 404 still."""
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        assert running.ask("POST", "/other", b"a=1")[0] == 404
        status, body = running.ask("POST", "/other", b" " * 200_000)
        assert (status, json.loads(body)["error"]["code"]) == (413, "too_large")


def test_a_request_that_is_no_http_is_a_4xx(model_folder, serving) -> None:
    """Whatever comes in, the server goes on."""
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        for sent in (
            b"\x00\x01\r\n\r\n",
            b"GET /ping HTTP/9.9\r\n\r\n",
            b"POST /invocations HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ):
            with socket.create_connection((HOST, running.port), timeout=10) as connection:
                connection.sendall(sent)
                assert connection.recv(100)[:10] == b"HTTP/1.1 4"
        assert running.ask("GET", "/ping")[0] == 200


def test_a_worker_that_is_still_being_made_hears_sigterm() -> None:
    """A stop right after the start ends as soon as one later: it does not wait for a worker that missed the signal."""
    program = f"""
import time
from pathlib import Path
from relabel.serving import capacity, listening, server
from relabel.serving.drain import Drain
from relabel.settings import ServeSettings

def slow(arbiter, worker):
    time.sleep(4)

settings = ServeSettings(workers=1)
chosen = server.options("{HOST}", settings, capacity.of(settings, cores=1, memory=1 << 32))
listeners = listening.sockets("{HOST}", 0, 1)
server._Server({{**chosen, "post_fork": slow}}, lambda: None, Drain(), listeners).run()
"""
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "Booting worker" not in process.stderr.readline():
            assert process.poll() is None
        stopped = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert time.monotonic() - stopped < server.GRACE


def test_a_stop_is_heard_long_before_the_server_listens(model_folder, serving) -> None:
    """In a container nothing else would end a process that has not asked for the signal."""
    with serving("--model", str(model_folder)) as running:
        end = time.monotonic() + 10
        while not hears(running.process.pid, signal.SIGTERM):
            assert time.monotonic() < end
        assert "Listening" not in running.log
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0


def test_a_folder_without_a_model_ends_the_server_with_2(tmp_path, serving) -> None:
    """The reason is said once, before anything listens."""
    with serving("--model", str(tmp_path)) as running:
        assert running.process.wait(60) == 2
        assert "no model.json" in running.log
        assert "Traceback" not in running.log
        assert "Listening" not in running.log


def test_wrong_settings_are_all_said_and_end_with_2(model_folder, serving) -> None:
    """Options and variables are checked together; the command line wins."""
    with serving("--model", str(model_folder), "--port", "0", RELABEL_TIMEOUT="soon", RELABEL_PORT="8080") as running:
        assert running.process.wait(60) == 2
        assert "port" in running.log
        assert "timeout" in running.log


def test_serving_imports_nothing_heavy(model_folder) -> None:
    """What the server process needs, from its command line to a prediction, brings in neither torch nor pandas."""
    program = f"""
import io, sys
from pathlib import Path
from relabel.cli import main, serve
from relabel.codecs import table
from relabel.serving import app, capacity, door, served, server
from relabel.serving.endpoint import Endpoint
from relabel.serving.request_log import RequestLog
from relabel.settings import ServeSettings
settings = ServeSettings()
endpoint = Endpoint(served.load(Path({str(model_folder)!r})), settings, capacity.of(settings, cores=1, memory=1 << 30))
client = app.create(endpoint, RequestLog(io.StringIO(), 1, "")).test_client()
assert client.post("/invocations", json=[[1, 2, 3, 4]]).status_code == 200
assert "gunicorn.app.base" in sys.modules
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"relabel", "flask", "numpy"} <= set(loaded)
    assert set(HEAVY).isdisjoint(loaded)


def test_a_worker_computes_on_one_thread() -> None:
    """The workers share the cores, whatever the environment says of threads."""
    program = """
import numpy, threadpoolctl
from relabel.serving import process
process.settle()
print(*{pool["num_threads"] for pool in threadpoolctl.threadpool_info()})
"""
    variables = {**os.environ, "OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "4"}
    shown = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1"]


def test_nothing_of_the_server_asks_for_shared_memory() -> None:
    """Some platforms have no /dev/shm."""
    settings = ServeSettings(port=8081, workers=7)
    chosen = server.options(HOST, settings, capacity.of(settings, cores=1, memory=1 << 32))
    assert (chosen["workers"], chosen["bind"]) == (7, f"{HOST}:8081")
    assert Path(chosen["worker_tmp_dir"]).parts[:2] != ("/", "dev")
