"""Clients that hold every answer to the right one: processes that ask an endpoint different things, each with an id that must come back."""

from __future__ import annotations

import dataclasses
import http.client
import io
import json
import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import text_serving

from relabel.model import artifact, training_rows
from relabel.serving import process, served
from serving import WIDTH, make_model

HOST, ID = "127.0.0.1", "X-Amzn-SageMaker-Inference-Id"
JSON, LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"
TOLERANCE = 1e-6
ROWS, KNOWN = 64, 32
"""Vectors that are asked for, and how many of them the model has been trained on."""
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Ask:
    """A request and its answer: a status, and of 200 the probabilities (n, C); `seen` is what an audit says of each row's having been seen.

    pieces: whether the body goes in chunks.
    """

    kind: str
    media_type: str
    body: bytes
    status: int = 200
    expected: np.ndarray | None = None
    seen: tuple[bool, ...] = ()
    pieces: bool = False
    method: str = "POST"
    path: str = "/invocations"


class Answer(NamedTuple):
    """What came: when it was asked for (monotonic), seconds until the answer, the kind, what it was, and the client's port.

    what: `right`, `wrong`, `lost` on a connection that stood, `shut` where none could be had, or the status of a refusal.
    """

    when: float
    seconds: float
    kind: str
    what: str
    port: int


def vector_model(folder: Path) -> list[Ask]:
    """Write a model of vectors that knows its noise and some of the rows below; give what can be asked, well and badly formed."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((ROWS, WIDTH)).round(6)
    make_model(folder, rng)
    known = np.sort(training_rows.hashes(rows[:KNOWN].astype(np.float32)))
    artifact.save(folder, dataclasses.replace(artifact.load(folder), training_rows=known))
    predict = served.load(folder)
    asks = []
    for n in range(ROWS):
        chosen = rng.integers(0, ROWS, 1 + n % 5)
        asks += _of_vectors(rows[chosen], predict(rows[chosen].astype(np.float32)), chosen < KNOWN)
    return asks + _bad(rows)


def _of_vectors(rows: np.ndarray, expected: np.ndarray, seen: np.ndarray) -> list[Ask]:
    lists = rows.tolist()
    array, csv = io.BytesIO(), "\n".join(",".join(map(str, row)) for row in lists).encode()
    np.save(array, rows.astype(np.float32))
    labelled = json.dumps({"instances": lists, "labels": ["negative"] * len(rows)}).encode()
    plain = json.dumps({"instances": lists}).encode()
    return [
        Ask("JSON", JSON, plain, expected=expected),
        Ask("JSON in chunks", JSON, plain, expected=expected, pieces=True),
        Ask("JSON with labels", JSON, labelled, expected=expected, seen=tuple(seen.tolist())),
        Ask("JSON Lines", LINES, "\n".join(map(json.dumps, lists)).encode(), expected=expected),
        Ask("CSV", CSV, csv, expected=expected),
        Ask("npy", NPY, array.getvalue(), expected=expected),
    ]


def _bad(rows: np.ndarray) -> list[Ask]:
    """Make one of each refusal, which are a twentieth of all."""
    lists = rows[:2].tolist()
    return [
        Ask("refused, 400", JSON, json.dumps(lists).encode()[:-9], 400),
        Ask("refused, 400", JSON, json.dumps([row[1:] for row in lists]).encode(), 400),
        Ask("refused, 400", NPY, b"\x93NUMPY\x01\x00v\x00{}", 400),
        Ask("refused, 400", CSV, b"1,2,x\n", 400),
        Ask("refused, 422", JSON, b"[" + b"NaN," * (WIDTH - 1) + b"1]", 422),
        Ask("refused, 415", "image/png", b"\x89PNG", 415),
        Ask("refused, 404", JSON, b"", 404, path="/nothing"),
        Ask("refused, 405", JSON, b"", 405, method="PUT"),
        Ask("ping", JSON, b"", method="GET", path="/ping"),
    ] * 2


def text_model(folder: Path) -> list[Ask]:
    """Write a model of texts; give what can be asked."""
    rng = np.random.default_rng(1)
    words = ["".join(map(chr, rng.integers(97, 123, rng.integers(2, 10)))) for _ in range(5000)]
    text_serving.make_model(folder, words, ngrams=1, rng=rng)
    predict, asks = served.load(folder), []
    for n in range(ROWS // 2):
        texts = text_serving.made_texts(1 + n % 5, 60, words, rng)
        expected, lines = predict(tuple(texts)), "\n".join(texts).encode()
        asks += [
            Ask("texts, JSON", JSON, json.dumps({"instances": texts}).encode(), expected=expected),
            Ask("texts, JSON Lines", LINES, "\n".join(map(json.dumps, texts)).encode(), expected=expected),
            Ask("texts, CSV", CSV, b"text\n" + lines, expected=expected),
            Ask("texts, plain", "text/plain; lines=true", lines, expected=expected),
        ]
    return asks


def judged(ask: Ask, status: int, media_type: str, body: bytes) -> str:
    """Say whether an answer is the right one."""
    if status == 503:
        return "503"
    if status != ask.status:
        return "wrong"
    if ask.expected is None:
        return "right"
    records: list[dict] = []
    if media_type == NPY:
        found = np.load(io.BytesIO(body))
    elif media_type == CSV:
        found = np.array([line.split(b",")[-ask.expected.shape[1] :] for line in body.splitlines()], float)
    else:
        records = json.loads(body)["predictions"] if media_type == JSON else [*map(json.loads, body.splitlines())]
        found = np.array([record["probabilities"] for record in records])
    same = found.shape == ask.expected.shape and np.allclose(found, ask.expected, rtol=0, atol=TOLERANCE)
    return "right" if same and all(r["in_sample"] is s for r, s in zip(records, ask.seen, strict=False)) else "wrong"


def drive(port: int, asks: list[Ask], rate: float, seed: int) -> list[Answer]:
    """Ask until told to end, `rate` times a second or as fast as answers come; every tenth request begins a connection.

    Seconds are counted from when a request was due: a server that stops for a while cannot hide it behind clients that wait with it.
    """
    process.compute_on_one_thread()
    rng, answers = np.random.default_rng(seed), []
    _READY.wait(READY_LIMIT)
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    began = time.monotonic() + rng.uniform(0, 0.05)
    for n in range(1 << 40):
        due = began + n / rate if rate else time.monotonic()
        if _END.wait(max(0.0, due - time.monotonic())):
            break
        answers.append(_asked(connection, asks[rng.integers(len(asks))], due, f"{seed}-{n}"))
        if rng.random() < 0.1 or answers[-1].what in {"lost", "shut"}:
            connection.close()
    connection.close()
    return answers


def _asked(connection: http.client.HTTPConnection, ask: Ask, due: float, number: str) -> Answer:
    here = 0
    try:
        if connection.sock is None:
            connection.connect()
        here = connection.sock.getsockname()[1]
    except OSError:
        time.sleep(0.05)
        return Answer(due, time.monotonic() - due, ask.kind, "shut", 0)
    try:
        body = (
            iter([ask.body[start : start + 999] for start in range(0, len(ask.body), 999)]) if ask.pieces else ask.body
        )
        headers = {"Content-Type": ask.media_type, ID: number}
        connection.request(ask.method, ask.path, body, headers, encode_chunked=ask.pieces)
        response = connection.getresponse()
        answered = response.read()
    except (OSError, http.client.HTTPException):
        return Answer(due, time.monotonic() - due, ask.kind, "lost", here)
    seconds = time.monotonic() - due
    what = judged(ask, response.status, response.headers.get_content_type(), answered)
    if response.status == 200 and ask.expected is not None and response.headers[ID] != number:
        what = "wrong"  # the answer to another request
    return Answer(due, seconds, ask.kind, what, here)


_END: Event
_READY: Barrier
READY_LIMIT = 120.0


def _begin(end: Event, ready: Barrier) -> None:
    global _END, _READY  # how a pool hands its processes what cannot be sent
    _END, _READY = end, ready


class Load:
    """Client processes that ask for as long as the block lasts; `answers` has all that came, after it.

    crews: for each process the port that it asks, what, and how many times a second; 0 is as fast as it can.
    """

    def __init__(self, *crews: tuple[int, list[Ask], float]) -> None:
        self.answers: list[Answer] = []
        self._crews = crews
        self._end = SPAWN.Event()
        self._ready = SPAWN.Barrier(len(crews) + 1)
        self._pool = ProcessPoolExecutor(len(crews), SPAWN, _begin, (self._end, self._ready))
        self._futures: list[Future[list[Answer]]] = []

    def __enter__(self) -> Self:
        self._futures = [self._pool.submit(drive, *crew, seed) for seed, crew in enumerate(self._crews)]
        self._ready.wait(READY_LIMIT)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end.set()
        self.answers = sorted(answer for future in self._futures for answer in future.result(120))
        self._pool.shutdown()
