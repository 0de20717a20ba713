"""Vectors from JSON text at the speed of SIMD: the fast path of JSON, JSON Lines and CSV.

simdjson copies all numbers of nested lists into one flat buffer. That is fast, and forgets which row a number came from: `[[1], [2, 3, 4]]`
looks like two rows of 2. So a body takes this path only where every row is known to be a list of `width` numbers and nothing else; all others,
malformed ones among them, are left to the slow path, which gives the same answer and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

from relabel.codecs import labels
from relabel.codecs.labels import ABSENT, LABEL, LABELS
from relabel.codecs.texts import MOST
from relabel.errors import UserError

WRAPPERS = ("instances", "inputs")
"""Names under which an object may hold the records."""

FEATURES = "features"
"""Name under which a record may hold its vector."""

Parsed = tuple[NDArray[np.float32], Mapping[int, str] | None]
"""What was read: vectors (n, width), and row -> label, None where there is no place for labels."""

LABELLED = ([FEATURES, LABEL], [LABEL, FEATURES])
"""Keys of a record with a label."""


TOO_MANY = f"more than {MOST:,} records that are not all plain lists of numbers: send fewer in one request"


def check_count(rows: int, width: int, size: int) -> None:
    """Raise UserError where so many rows are too many to be looked at one by one, and `size` bytes too few for `width` numbers in each.

    Looking would take a hundred times their bytes, and as long as all other requests.
    """
    if rows > MOST and rows * 2 * width > size + 1:
        raise UserError(TOO_MANY)


def parse(text: bytes, width: int) -> Parsed | None:
    """Read vectors (n, width) from any of the shapes that JSON bodies have; None where the slow path must look.

    Raises UserError where that would take too long.
    """
    try:
        value = simdjson.Parser().parse(text)
    except (ValueError, RuntimeError):  # malformed, or a number that simdjson does not take
        return None
    beside = None
    if isinstance(value, simdjson.Object):
        value, beside = _wrapped(value)
    if not isinstance(value, simdjson.Array) or not len(value):
        return None
    if isinstance(value[0], simdjson.Array | simdjson.Object):
        check_count(len(value), width, len(text))
    rows, lists, inside = _rows(value)
    around = (0 if rows[0] is value else 1) + (beside is not None)
    if not all(isinstance(row, simdjson.Array) and len(row) == width for row in rows) or _more_lists(
        text, len(rows) + around
    ):
        return None
    copied = _copied(lists, len(rows), width)
    if copied is None:
        return None
    if beside is None and inside is None:
        return copied, None
    given = _given(beside, inside, len(rows))
    return None if given is None else (copied, given)


def _wrapped(value: simdjson.Object) -> tuple[Any, Any]:
    """Give what is below the one key, and the labels beside it; an object with other keys is for the slow path."""
    keys = list(value)
    if len(keys) == 1 and keys[0] in WRAPPERS:
        return value[keys[0]], None
    if len(keys) == 2 and LABELS in keys:  # noqa: PLR2004  # records and labels
        others = [key for key in keys if key in WRAPPERS]
        return (value[others[0]], value[LABELS]) if others else (None, None)
    return None, None


def _rows(value: simdjson.Array) -> tuple[list[Any], list[Any], list[Any] | None]:
    """Give the rows, the lists to copy them from, one list of lists being copied quicker than many lists, and the labels inside the rows."""
    first = value[0]
    if isinstance(first, simdjson.Array):
        return list(value), [value], None
    if isinstance(first, simdjson.Object):
        records = [_record(row) for row in value]
        vectors, inside = [vector for vector, _ in records], [label for _, label in records]
        return vectors, vectors, None if all(label is ABSENT for label in inside) else inside
    return [value], [value], None


def _record(row: Any) -> tuple[Any, Any]:
    """Give the vector and the label of one record; no vector where it has other keys."""
    keys = list(row) if isinstance(row, simdjson.Object) else []
    if keys == [FEATURES]:
        return row[FEATURES], ABSENT
    return (row[FEATURES], row[LABEL]) if keys in LABELLED else (None, ABSENT)


def _given(beside: Any, inside: list[Any] | None, count: int) -> Mapping[int, str] | None:
    """Give the labels by row, None where the slow path must look: both are there, not as many as rows, or no labels."""
    if beside is not None:
        if inside is not None or not isinstance(beside, simdjson.Array) or len(beside) != count:
            return None
        inside = list(beside)
    assert inside is not None  # noqa: S101  # one of the two is there
    return None if None in map(labels.text, inside) else labels.by_row(inside)


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
