"""Vectors from JSON text at the speed of SIMD: the fast path of JSON, JSON Lines and CSV.

simdjson copies all numbers of nested lists into one flat buffer. That is fast, and forgets which row a number came from: `[[1], [2, 3, 4]]`
looks like two rows of 2. So a body takes this path only where every row is known to be a list of `width` numbers and nothing else; all others,
malformed ones among them, are left to the slow path, which gives the same answer and says what is wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

WRAPPERS = ("instances", "inputs")
"""Names under which an object may hold the records."""

FEATURES = "features"
"""Name under which a record may hold its vector."""


def parse(text: bytes, width: int) -> NDArray[np.float32] | None:
    """Read vectors (n, width) from any of the shapes that JSON bodies have; None where the slow path must look."""
    try:
        value = simdjson.Parser().parse(text)
    except (ValueError, RuntimeError):  # malformed, or a number that simdjson does not take
        return None
    if isinstance(value, simdjson.Object):
        value = _wrapped(value)
    if not isinstance(value, simdjson.Array) or not len(value):
        return None
    rows, lists = _rows(value)
    around = 0 if rows[0] is value else 1
    if not all(isinstance(row, simdjson.Array) and len(row) == width for row in rows) or _more_lists(
        text, len(rows) + around
    ):
        return None
    return _copied(lists, len(rows), width)


def _wrapped(value: simdjson.Object) -> Any:
    """Give what is below the one key; an object with other keys is for the slow path."""
    keys = list(value)
    return value[keys[0]] if len(keys) == 1 and keys[0] in WRAPPERS else None


def _rows(value: simdjson.Array) -> tuple[list[Any], list[Any]]:
    """Give the rows, and the lists to copy them from: one list of lists is copied quicker than many lists."""
    first = value[0]
    if isinstance(first, simdjson.Array):
        return list(value), [value]
    if isinstance(first, simdjson.Object):
        vectors = [
            row[FEATURES] if isinstance(row, simdjson.Object) and list(row) == [FEATURES] else None for row in value
        ]
        return vectors, vectors
    return [value], [value]


def _more_lists(text: bytes, limit: int) -> bool:
    """Tell whether the text opens more than `limit` lists: some are then inside the rows. By `find`, which jumps; `count` looks at each byte."""
    at = -1
    for _ in range(limit + 1):
        at = text.find(b"[", at + 1)
        if at < 0:
            return False
    return True


def _copied(lists: list[Any], n: int, width: int) -> NDArray[np.float32] | None:
    """Copy numbers into (n, width); None where one is no number. A number beyond float32 becomes infinite."""
    try:
        flat = [np.frombuffer(each.as_buffer(of_type="d")) for each in lists]
    except TypeError:
        return None
    joined = flat[0] if len(flat) == 1 else np.concatenate(flat)
    return joined.astype(np.float32).reshape(n, width)
