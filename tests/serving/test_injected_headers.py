"""Requests that try to write headers of their own into an answer, lines of their own into the log, or a second request into the first."""

from __future__ import annotations

import json
import re
import socket

BODY = b"[[0, 0, 7, 0]]"
OF_ATTRIBUTES, OF_ID, OF_ORIGIN = (
    b"X-Amzn-SageMaker-Custom-Attributes: ",
    b"X-Amzn-SageMaker-Inference-Id: ",
    b"Origin: ",
)

REFUSED = {
    "a line break": b"a\r\n X-Evil: 1",
    "one with a tab": b"a\r\n\tX-Evil: 1",
    "a bare carriage return": b"a\rX-Evil: 1",
    "a bare line feed": b"a\nX-Evil: 1",
    "a zero": b"a\0X-Evil: 1",
    "colours": b"a\x1b[31mX-Evil: 1",
}
"""What no header may hold: the server refuses the request."""
PASSED_OVER = {
    "a next-line sign": b"a\x85X-Evil: 1",
    "letters whose low bytes are a line break": "ačĊX-Evil: 1".encode(),
    "too much": b"a" * 2000,
}
"""What is answered, but not given back."""
OTHERS = {
    "two lengths": b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\n0000",
    "a length and pieces": b"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"0\r\n\r\nGET /execution-parameters HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method with colours": b"G\x1b[31mET /ping HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with a line break": b"GET /x\nERROR HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with a quoted one": b"GET /x%0d%0aERROR%20fake%1b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
}
"""Requests that servers and what stands before them may read differently."""


def answered(port: int, request: bytes) -> tuple[int, bytes, bytes]:
    """Send bytes as they are; give status, headers and body, with whatever follows it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        said = b""
        while piece := connection.recv(1 << 16):
            said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def asking(header: bytes) -> bytes:
    """Ask for a prediction with one more header."""
    head = b"POST /invocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return head + b"Content-Length: %d\r\n%s\r\n\r\n" % (len(BODY), header) + BODY


def test_no_request_writes_a_header_or_a_line_of_the_log(model_folder, serving) -> None:
    """Each answer has the headers that ours has and no other, each line of the log is JSON or the server's own, and no request is two."""
    settings = {"RELABEL_LOG_SHARE": "1", "RELABEL_CORS_ORIGINS": "https://a.example"}
    with serving("--model", str(model_folder), "--workers", "1", **settings) as running:
        running.until_loaded()
        status, head, _ = answered(running.port, asking(OF_ATTRIBUTES + b"trace=1; c%0d%0aX-Evil: 1"))
        assert status == 200
        assert b"\r\nx-amzn-sagemaker-custom-attributes: trace=1; c%0d%0aX-Evil: 1\r\n" in head, (
            "as it came, still quoted"
        )
        for name in (OF_ATTRIBUTES, OF_ID, OF_ORIGIN):
            for what, value in REFUSED.items():
                status, head, _ = answered(running.port, asking(name + value))
                assert (status, b"Evil" in head) == (400, False), what
            for what, value in PASSED_OVER.items():
                status, head, _ = answered(running.port, asking(name + value))
                assert (status, b"Evil" in head, b"aaaa" in head) == (200, False, False), what
        for what, request in OTHERS.items():
            status, head, body = answered(running.port, request)
            assert 400 <= status < 500, what
            assert b"HTTP/1.1" not in body, f"{what}: answered once"
            assert b"fake" not in head, what
        running.process.terminate()
        running.process.wait(timeout=30)
        lines = running.log.splitlines()
    own = re.compile(r"\[\d{4}-\d\d-\d\d [\d:]+ \+0000\] \[\d+\] \[INFO\] .*")
    others = [line for line in lines if not own.fullmatch(line)]
    assert {json.loads(line)["status"] for line in others} >= {200}
    assert all(line.isprintable() for line in lines)
