"""Promises of the page on one machine."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from click.testing import CliRunner

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.web import bundle, local
from relabel.web.handler import Front, Settings


@pytest.fixture
def page(endpoint) -> Iterator[tuple[int, list[dict]]]:
    """Serve the page in this process; give its port, and what the endpoint is asked."""
    answering = endpoint()
    front = Front(Settings("local", scheme="http"), bundle.pages(), answering, time.monotonic, lambda _line: None)
    server = local.listening("127.0.0.1", 0, lambda port: local.create(front, local.hosts(port)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server.port, answering.asked
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    """Send one request; its status, and what was said."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


JSON = {"Content_Type": "application/json"}
TEXT = json.dumps({"text": "great"}).encode()


def test_the_page_and_its_endpoint_answer_through_the_handler(page) -> None:
    """Files, a text, a refusal: as on AWS."""
    port, asked = page
    assert b"<h1>" in ask(port, "GET", "/")[1]
    assert ask(port, "GET", "/base.css")[0] == 200
    status, said = ask(port, "POST", "/review", TEXT, **JSON, Origin=f"http://127.0.0.1:{port}")
    assert (status, json.loads(said)["class"], len(asked)) == (200, "positive", 1)
    assert ask(port, "POST", "/review", b"\xff\xfe", **JSON)[0] == 400
    assert ask(port, "PUT", "/review", TEXT)[0] == 405


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "127.0.0.1:1", ""])
def test_a_name_that_points_here_is_refused(page, host) -> None:
    """A page elsewhere may have let its name point to this machine: nothing is served, nothing is asked."""
    port, asked = page
    for method, path in (("GET", "/"), ("POST", "/review")):
        assert ask(port, method, path, TEXT, **JSON, Host=host)[0] in (400, 421)
    assert asked == []


def test_a_page_of_another_site_is_refused(page) -> None:
    """Also one on another port of this machine."""
    port, asked = page
    for origin in ("https://evil.example", f"http://127.0.0.1:{port + 1}", f"https://127.0.0.1:{port}", "null"):
        assert ask(port, "POST", "/review", TEXT, **JSON, Origin=origin)[0] == 403
    assert asked == []


def test_the_port_that_browsers_leave_out() -> None:
    """At port 80 a request names the machine alone."""
    assert local._known("localhost", local.hosts(80))
    assert not local._known("localhost", local.hosts(8000))


def test_other_machines_come_in_by_a_name_that_was_said() -> None:
    """Or by a bare address, which nobody can have made to point here."""
    known = local.hosts(8000, ("Box.local",))
    assert {"127.0.0.1:8000", "localhost:8000", "box.local:8000", "box.local"} <= set(known)
    assert local._known("192.0.2.7:8000", known)
    assert local._known("[2001:db8::1]:8000", known)
    assert not local._known("evil.example:8000", known)
    assert not local._known("192.0.2.7:8000", local.hosts(8000))


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    """Serve an endpoint that refuses each text with 415."""

    class Handler(BaseHTTPRequestHandler):
        """Refuses."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/slow":
                time.sleep(0.5)
            said = json.dumps({"error": {"message": f"{self.path} {self.headers['Content-Type']}"}}).encode()
            self.send_response(415)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_at_an_address_fails_as_one_of_sagemaker(answering) -> None:
    """Its refusal is a ModelError with status and message; silence is a timeout, nobody there is no connection."""
    url = f"127.0.0.1:{answering.server_port}"
    asked = {"EndpointName": "local", "Body": b"{}", "ContentType": "application/json", "Accept": "application/json"}
    with pytest.raises(ClientError) as refused:
        local.Endpoint(url).invoke_endpoint(**asked)
    response = refused.value.response
    assert (response["Error"]["Code"], response["OriginalStatusCode"]) == ("ModelError", 415)
    assert "/invocations application/json" in response["OriginalMessage"]
    with pytest.raises(ReadTimeoutError):
        local.Endpoint(f"http://{url}/slow", patience=0.1).invoke_endpoint(**asked)
    with pytest.raises(EndpointConnectionError):
        local.Endpoint(f"http://127.0.0.1:{local.free_port()}").invoke_endpoint(**asked)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url) -> None:
    """With one that is."""
    with pytest.raises(UserError, match="give one like"):
        local.Endpoint(url)


def test_a_port_that_is_taken_is_said_to_be(page) -> None:
    """And what to do."""
    with pytest.raises(UserError, match="choose another with --port"):
        local.listening("127.0.0.1", page[0], lambda _port: local.create(None, ()))


def test_the_command_serves_a_model_and_ends_with_it(text_model) -> None:
    """`relabel web --model`: texts are answered with words; SIGTERM ends the page with 0, and the endpoint beside it too."""
    command = [sys.executable, "-m", "relabel", "web", "--model", str(text_model), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0]
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", process.stdout.readline())
        assert found is not None
        said = [json.loads(ask(int(found[1]), "POST", "/review", TEXT, **JSON)[1])]
        (served,) = _children(process.pid)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=40)
    assert process.returncode == 0, log
    assert (said[0]["class"], said[0]["classes"]) == ("positive", ["negative", "positive"])
    assert said[0]["words"][0]["word"] == "great"
    assert "great" not in log
    with pytest.raises(ProcessLookupError):
        os.kill(served, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "m", "--endpoint", "http://127.0.0.1:8080"], "give one"),
        (["--host", "192.0.2.1"], "--allow-remote"),
        (["--model", "no such model"], "no such model"),
    ],
)
def test_what_cannot_be_is_said_before_anything_listens(options, message) -> None:
    """With exit code 2."""
    done = subprocess.run(
        [sys.executable, "-m", "relabel", "web", "--port", "0", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert message in done.stderr


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_model_of_embeddings_is_refused_before_anything_listens(tmp_path) -> None:
    """The page sends texts."""
    arrays = {"mean": (2,), "scale": (2,), "weight.0": (2, 2), "bias.0": (2,)}
    tensors = {name: np.ones(shape, np.float32) for name, shape in arrays.items()}
    model = Model("dense", {"inputs": 2, "width": 1, "depth": 0, "classes": 2}, tensors)
    artifact.save(tmp_path, Artifact(model, ("0", "1"), "given"))
    ended = CliRunner().invoke(commands, ["web", "--model", str(tmp_path)])
    assert isinstance(ended.exception, UserError)
    assert "takes embeddings" in str(ended.exception)
