"""One JSON line per request, for machines to read; never a payload."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from relabel.serving.messages import Request, Response

FAILED = 500


class RequestLog:
    """Collects lines for a share of the requests, and for every failure of ours, until they are flushed.

    stream: where the lines go.
    share:  0 is off, 1 is every request.
    model:  short hash of the model that answers, unless the response names another.
    draw:   gives a number in [0, 1) for each request.
    """

    def __init__(self, stream: TextIO, share: float, model: str, draw: Callable[[], float] = random.random) -> None:
        self._stream = stream
        self._share = share
        self._model = model
        self._draw = draw
        self._lines: list[str] = []

    def write(self, request: Request, response: Response, seconds: float) -> bool:
        """Note one answered request, `seconds` from its first byte to its answer; tell whether this is the first line since a flush."""
        if response.status < FAILED and (not self._share or (self._share < 1 and self._draw() >= self._share)):
            return False
        work = response.work
        identity = f', "inference_id": {json.dumps(request.inference_id[:64])}' if request.inference_id else ""
        self._lines.append(
            f'{{"request": "{request.number}", "method": {json.dumps(request.method)}, "path": {json.dumps(request.path)}, '
            f'"status": {response.status}, "rows": {work.rows}, "bytes": {len(request.body)}, "parse_us": {work.parse}, '
            f'"predict_us": {work.predict}, "total_us": {seconds * 1e6:.0f}, "model": "{work.model or self._model}"{identity}}}\n'
        )
        return len(self._lines) == 1

    def flush(self) -> None:
        """Write the lines out. Lines that cannot be written, on a full disk or to a reader that has gone, are lost: requests go on."""
        lines, self._lines = self._lines, []
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            self._stream.write("".join(lines))
            self._stream.flush()
