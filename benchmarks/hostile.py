"""What a server must bear: requests that are made to break it, and clients that come and do nothing, or too little."""

from __future__ import annotations

import gzip
import io
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import repeat

import numpy as np

HOST = "127.0.0.1"
MB = 1 << 20
LONGEST = 60.0
"""Seconds for an answer to any of them."""


@dataclass(frozen=True)
class Blow:
    """Bytes that are sent, piece by piece until an answer comes, and the statuses that are right; 0 is a connection closed without one."""

    name: str
    pieces: Iterable[bytes]
    right: frozenset[int]


def head(media_type: str, *lines: str, length: int | str | None = None) -> bytes:
    """Give the head of a request for predictions."""
    said = [] if length is None else [f"Content-Length: {length}"]
    every = ["POST /invocations HTTP/1.1", "Host: a", f"Content-Type: {media_type}", *said, *lines]
    return ("\r\n".join(every) + "\r\n\r\n").encode()


def of_body(name: str, media_type: str, body: bytes, *right: int, lines: tuple[str, ...] = ()) -> Blow:
    """Send a whole body."""
    return Blow(name, (head(media_type, *lines, length=len(body)), body), frozenset(right or (400,)))


def on_vectors() -> list[Blow]:
    """Give what is sent to a model of vectors."""
    j, c, n = "application/json", "text/csv", "application/x-npy"
    return [
        of_body("JSON, 100,000 brackets deep", j, b"[" * 100_000),
        of_body("JSON, 20 MB deep", j, b"[" * (20 * MB)),
        of_body("JSON, objects 100,000 deep", j, b'{"instances":' * 100_000),
        of_body("JSON, 8,000,000 empty lists", j, b"[" + b"[]," * 8_000_000 + b"[]]"),
        of_body("JSON, a number of 20 MB", j, b"[[" + b"9" * (20 * MB) + b"]]", 400, 422),
        of_body("JSON, a key of 20 MB", j, b'{"' + b"a" * (20 * MB) + b'": 1}'),
        of_body("JSON Lines, 10,000,000 lines", "application/jsonlines", b"[\n" * 10_000_000),
        of_body("CSV, 24 MB of commas", c, b"," * (24 * MB)),
        of_body("CSV, 24 MB of lines", c, b"1\n" * (12 * MB)),
        of_body("CSV, a quote without end", c, b'"' + b"1," * (10 * MB)),
        of_body(
            "gzip that says so, 20 MB of zeros", j, gzip.compress(b"[" * (20 * MB)), lines=("Content-Encoding: gzip",)
        ),
        of_body(
            "npy that promises terabytes", n, npy("{'descr':'<f4','fortran_order':False,'shape':(999999999999,768)}")
        ),
        of_body("npy of negative shape", n, npy("{'descr':'<f4','fortran_order':False,'shape':(-1,768)}")),
        of_body("npy with a pickle", n, pickled()),
        of_body("npy, a head 1,000,000 deep", n, npy("(" * 1_000_000)),
        of_body("npy, a head of 4 GB", n, b"\x93NUMPY\x02\x00" + struct.pack("<I", (1 << 32) - 1) + b"{"),
        *on_any(),
    ]


def on_texts() -> list[Blow]:
    """Give what is sent to a model of texts: a text has at most 1,048,576 characters, which some patterns would take for ever to read."""
    p = "text/plain; lines=false"
    every = {
        "one letter": "a",
        "open brackets": "<",
        "tags without end": "<a ",
        "character references": "&#9",
        "ampersands": "&amp",
        "marks": "\u0301",
        "apostrophes": "a'",
        "letters of two scripts": "a\u4e00",
    }
    return [
        of_body(f"text, 1 MB: {name}", p, (piece * (MB // len(piece)))[: MB - 1].encode(), 200)
        for name, piece in every.items()
    ]


def on_any() -> list[Blow]:
    """Give what no model ever sees."""
    j = "application/json"
    chunked = head(j, "Transfer-Encoding: chunked")
    several = frozenset({0, 400, 413, 414, 431, 501, 505})
    return [
        Blow("declared: a petabyte", (head(j, length=1 << 50),), frozenset({413})),
        Blow("declared: less than nothing", (head(j, length=-5), b"[1]"), frozenset({400})),
        Blow("declared: two lengths", (head(j, "Content-Length: 9", length=3), b"[1]"), frozenset({400})),
        Blow(
            "declared: a length and chunks", (head(j, "Transfer-Encoding: chunked", length=3), b"[1]"), frozenset({400})
        ),
        Blow("chunks without end", (chunked, *repeat(b"10000\r\n" + b" " * 65536 + b"\r\n", 800)), frozenset({413})),
        Blow(
            "a chunk of 2^64 bytes",
            (chunked, b"FFFFFFFFFFFFFFFF\r\n", *repeat(b" " * 65536, 800)),
            frozenset({400, 413}),
        ),
        Blow("chunks of one byte, 300,000", (chunked, b"1\r\n[\r\n" * 300_000, b"0\r\n\r\n"), frozenset({400})),
        Blow("a chunk's extension without end", (chunked, b"1;", *repeat(b"a" * 65536, 400)), several),
        Blow("trailers without end", (chunked, b"1\r\n1\r\n0\r\n", *repeat(b"A: a\r\n" * 9000, 400)), several),
        Blow("a head without end", (b"GET / HTTP/1.1\r\n", *repeat(b"A: a\r\n" * 9000, 400)), several),
        Blow("a line of the head without end", (b"GET / HTTP/1.1\r\nA: ", *repeat(b"a" * 65536, 400)), several),
        Blow("an address without end", (b"GET /", *repeat(b"a" * 65536, 400)), several),
        Blow("HTTP/2 without being asked", (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), several),
        Blow("TLS", (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 509 + b"\r\n\r\n",), several),
        Blow("zeros", (b"\x00" * 65536, b"\r\n\r\n"), several),
    ]


def npy(said: str) -> bytes:
    """Give an npy body whose head says this."""
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(said)) + said.encode() + b"\x00" * 64


def pickled() -> bytes:
    """Give an npy body that would have to be unpickled."""
    written = io.BytesIO()
    np.save(written, np.array([{}], object), allow_pickle=True)
    return written.getvalue()


def struck(port: int, blow: Blow) -> int:
    """Send it; give the status that came, 0 for none."""
    with socket.create_connection((HOST, port), timeout=LONGEST) as connection:
        answer = b""
        sender = threading.Thread(target=_sent, args=(connection, blow.pieces), daemon=True)
        sender.start()
        with suppress(OSError):
            while b"\r\n" not in answer and (more := connection.recv(4096)):
                answer += more
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sender.join(LONGEST)
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.") else 0


def _sent(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    with suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)


@contextmanager
def crowd(port: int, each: int) -> Iterator[None]:
    """Hold connections open, `each` of every kind that does nothing or too little, and let others come and go."""
    gone = threading.Event()
    with ExitStack() as stack:
        kinds = (b"", b"POST /inv", head("application/json", length=9999)[:-2], head("application/json", length=9999))
        idle = [stack.enter_context(_opened(port, kind)) for kind in kinds for _ in range(each)]
        deaf = [
            stack.enter_context(_opened(port, b"GET /execution-parameters HTTP/1.1\r\nHost: a\r\n\r\n" * 2000))
            for _ in range(each)
        ]
        moving = threading.Thread(target=_trickled, args=(idle[each:], port, gone))
        moving.start()
        try:
            yield
        finally:
            gone.set()
            moving.join()
            del deaf


def _opened(port: int, sent: bytes) -> socket.socket:
    made = socket.create_connection((HOST, port), timeout=5)
    with suppress(OSError):
        made.settimeout(0.2)
        made.sendall(sent)
    return made


def _trickled(slow: list[socket.socket], port: int, gone: threading.Event) -> None:
    """Send a byte on each twice a second, and meanwhile cut connections in the middle of a request."""
    while not gone.wait(0.5):
        for connection in slow:
            with suppress(OSError):
                connection.sendall(b" ")
        for _ in range(5):
            with suppress(OSError), _opened(port, head("application/json", length=99) + b"[[1,") as cut:
                cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell


def pinged(port: int) -> float:
    """Ask /ping; give the seconds."""
    began = time.monotonic()
    with socket.create_connection((HOST, port), timeout=LONGEST) as connection:
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = connection.recv(100)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"/ping says {answer[:60]!r}")
    return time.monotonic() - began
