"""Promises about connections on which nothing moves: each is given up, and others do not wait for it."""

from __future__ import annotations

import json
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

HOST = "127.0.0.1"
HEAD = b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def closed_after(connection: socket.socket, seconds: float) -> float:
    """Give the seconds until the other side closes, which must be within so many."""
    connection.settimeout(seconds)
    began = time.monotonic()
    try:
        while connection.recv(1 << 16):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("sent", [b"", b"POST /invo", b"POST /invocations HTTP/1.1\r\nHost: a\r\n"])
def test_a_connection_without_a_whole_head_is_closed(model_folder, serving, sent, monkeypatch) -> None:
    """The first request of a connection is waited for as long as a later one, here two seconds."""
    monkeypatch.setattr(sys, "executable", changed("server.KEEPALIVE = 2", model_folder.parent))
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        with socket.create_connection((HOST, running.port)) as half_open:
            half_open.sendall(sent)
            assert 1 < closed_after(half_open, 8) < 5


def changed(constant: str, folder: Path) -> str:
    """Write a Python whose servers have another constant."""
    written = folder / "python"
    program = f"import sys; sys.argv[:3] = ['relabel']; from relabel.serving import door, server; {constant}; "
    program += "from relabel.cli.main import main; main()"
    written.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}" "$@"\n')
    written.chmod(0o755)
    return str(written)


def test_an_answer_that_nobody_takes_is_given_up(model_folder, serving) -> None:
    """Its memory is free again; a client that takes its answer slowly gets all of it."""
    body = json.dumps([[0, 0, 7, 0]] * 100_000).encode()
    with serving("--model", str(model_folder), "--workers", "1", "--timeout", "4") as running, ExitStack() as stack:
        running.until_loaded()

        def asking() -> socket.socket:
            made = stack.enter_context(socket.socket())
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
            made.connect((HOST, running.port))
            made.settimeout(30)
            made.sendall(HEAD % len(body) + body)
            return made

        idle, slow = asking(), asking()
        took, began = bytearray(slow.recv(1 << 14)), time.monotonic()  # both answers are ready
        while time.monotonic() - began < 12:
            took += slow.recv(1 << 14)
            time.sleep(0.05)
        slow.settimeout(10)
        size = int(took.partition(b"content-length: ")[2].partition(b"\r")[0])
        while len(took) - took.index(b"\r\n\r\n") - 4 < size:
            more = slow.recv(1 << 20)
            assert more
            took += more
        assert len(json.loads(took.partition(b"\r\n\r\n")[2])["predictions"]) == 100_000
        assert closed_after(idle, 5) < 1


PREDICTING = HEAD % 9 + b"[1,2,3,4]"


@pytest.mark.parametrize("asked", [[b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"], [PREDICTING], [PREDICTING] * 3])
def test_who_says_that_nothing_more_comes_is_answered(model_folder, serving, asked) -> None:
    """A client may close its side after its last request; it gets every answer, and then the server's farewell."""
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        for pause in (0.0, 0.05):
            with socket.create_connection((HOST, running.port), timeout=10) as client:
                client.sendall(b"".join(asked))
                time.sleep(pause)
                client.shutdown(socket.SHUT_WR)
                answered = b"".join(iter(lambda: client.recv(1 << 16), b""))
            assert answered.count(b"HTTP/1.1 200") == len(asked)


def test_a_large_body_of_who_closes_one_side_is_answered(model_folder, serving) -> None:
    """Threads take longer than the client's farewell."""
    body = json.dumps([[0, 0, 7, 0]] * 200_000).encode()
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        with socket.create_connection((HOST, running.port), timeout=20) as client:
            client.sendall(HEAD % len(body) + body)
            client.shutdown(socket.SHUT_WR)
            answered = b"".join(iter(lambda: client.recv(1 << 20), b""))
        assert len(json.loads(answered.partition(b"\r\n\r\n")[2])["predictions"]) == 200_000


def test_half_a_body_and_a_farewell_end_the_connection(model_folder, serving) -> None:
    """The rest cannot come any more."""
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        with socket.create_connection((HOST, running.port)) as client:
            client.sendall(HEAD % 99 + b"[[1,")
            time.sleep(0.1)
            client.shutdown(socket.SHUT_WR)
            assert closed_after(client, 5) < 2


def test_a_body_that_trickles_is_given_up(model_folder, serving, monkeypatch) -> None:
    """Each byte comes in time and the whole does not: 408, and others have its place; here after two seconds."""
    monkeypatch.setattr(sys, "executable", changed("door.LONGEST_BODY = 2", model_folder.parent))
    with serving("--model", str(model_folder), "--workers", "1") as running:
        running.until_loaded()
        with socket.create_connection((HOST, running.port), timeout=0.1) as client:
            client.sendall(HEAD % 999)
            began, answered = time.monotonic(), b""
            while not answered and time.monotonic() < began + 10:
                client.sendall(b" ")
                with suppress(TimeoutError):
                    answered = client.recv(1 << 16)
        assert answered.startswith(b"HTTP/1.1 408")
        assert 1 < time.monotonic() - began < 5


@pytest.fixture
def few_files() -> Iterator[None]:
    """Processes that are started may open 256 files, unless they ask for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("few_files")
def test_idle_connections_keep_nobody_out(model_folder, serving) -> None:
    """The server asks for as many open files as it may have, however few the shell gives."""
    with serving("--model", str(model_folder), "--workers", "1") as running, ExitStack() as stack:
        running.until_loaded()
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for _ in range(400):
            stack.enter_context(socket.create_connection((HOST, running.port)))
        assert running.ask("GET", "/ping")[0] == 200
