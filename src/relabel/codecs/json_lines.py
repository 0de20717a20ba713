"""`application/jsonlines`: one record per line, a vector or `{"features": […]}`; one prediction per line comes back, in the same order.

Texts stand where vectors do, and as `{"text": "…"}`. A label stands beside its vector or text, `{"features": […], "label": …}`.
"""

from __future__ import annotations

import json
from typing import Any

from relabel.codecs import lines, objects, texts, vectors
from relabel.codecs.codec import Predictions, Problem, Records, Takes, finite
from relabel.codecs.labels import LABEL
from relabel.codecs.vectors import Parsed

OF_VECTORS = (*vectors.WRAPPERS, vectors.FEATURES)
OF_TEXTS = (*vectors.WRAPPERS, *texts.NAMES)
"""Names under which a line may hold its vector, or its text."""


def decode(body: bytes, takes: Takes) -> Records:
    """Read one record from each line; a line that is no JSON is a problem of its record alone."""
    found = lines.split(body)
    if takes.width is not None:
        fast = _fast(found, takes.width)
        if fast is not None:
            return finite(fast[0], (), fast[1])
    objects.check_count(len(found), takes)
    return objects.records([_parsed(n, line, takes) for n, line in enumerate(found)], takes)


def encode(predictions: Predictions) -> bytes:
    """Write one object per line, as in the answer to `application/json`."""
    return ("\n".join(objects.written(predictions)) + "\n").encode()


def _fast(found: list[bytes], width: int) -> Parsed | None:
    """Read all lines as one JSON list. Each must be whole by itself: two halves of a record on two lines would fuse."""
    for opening, closing in ((b"[", b"]"), (b"{", b"}")):
        if all(line.startswith(opening) and line.endswith(closing) and line.find(opening, 1) < 0 for line in found):
            parsed = vectors.parse(b"[" + b",".join(found) + b"]", width)
            return parsed if parsed is not None and len(parsed[0]) == len(found) else None
    return None


def _parsed(n: int, line: bytes, takes: Takes) -> Any:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Problem(n, " is not JSON")
    if not isinstance(value, dict):
        return value
    names = [name for name in OF_VECTORS if name in value and takes.width is not None]
    if takes.texts and not names:
        names = [name for name in OF_TEXTS if name in value]
    if len(names) != 1:
        return Problem(n, f" is an object without one {objects.holder(takes)}")
    held = value[names[0]]
    if LABEL not in value:
        return held
    return {texts.NAMES[0] if isinstance(held, str) else vectors.FEATURES: held, LABEL: value[LABEL]}
