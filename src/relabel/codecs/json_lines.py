"""`application/jsonlines`: one record per line, a vector or `{"features": […]}`; one prediction per line comes back, in the same order.

A label stands beside its vector, `{"features": […], "label": …}`.
"""

from __future__ import annotations

import json
from typing import Any

from relabel.codecs import lines, objects, vectors
from relabel.codecs.codec import Predictions, Problem, Records, finite
from relabel.codecs.labels import LABEL
from relabel.codecs.vectors import Parsed

SINGLE = (*vectors.WRAPPERS, vectors.FEATURES)
"""Names under which a line may hold its vector."""


def decode(body: bytes, width: int) -> Records:
    """Read one record from each line; a line that is no JSON is a problem of its record alone."""
    found = lines.split(body)
    fast = _fast(found, width)
    if fast is not None:
        return finite(fast[0], (), fast[1])
    return objects.records([_parsed(n, line) for n, line in enumerate(found)], width)


def encode(predictions: Predictions) -> bytes:
    """Write one object per line, as in the answer to `application/json`."""
    return ("\n".join(objects.texts(predictions)) + "\n").encode()


def _fast(found: list[bytes], width: int) -> Parsed | None:
    """Read all lines as one JSON list. Each must be whole by itself: two halves of a record on two lines would fuse."""
    for opening, closing in ((b"[", b"]"), (b"{", b"}")):
        if all(line.startswith(opening) and line.endswith(closing) and line.find(opening, 1) < 0 for line in found):
            parsed = vectors.parse(b"[" + b",".join(found) + b"]", width)
            return parsed if parsed is not None and len(parsed[0]) == len(found) else None
    return None


def _parsed(n: int, line: bytes) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Problem(n, " is not JSON")
    if isinstance(value, dict):
        names = [name for name in SINGLE if name in value]
        if len(names) != 1:
            return Problem(n, " is an object without one `features`")
        vector = value[names[0]]
        return {vectors.FEATURES: vector, LABEL: value[LABEL]} if LABEL in value else vector
    return value
