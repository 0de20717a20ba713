"""Labels that records carry: where they stand in JSON, and what counts as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LABEL = "label"
"""Name under which a record has its label, and of a label's column."""

LABELS = "labels"
"""Name under which an object has the labels of all records, beside them."""

ABSENT = object()
"""Stands where a record has no place for a label; null stands where the place is empty."""


def text(value: Any) -> str | None:
    """Give a label without spaces around it, "" where none is given, None where the value can be no label.

    >>> text(" good "), text(1), text(1.0), text(None), text(True)
    ('good', '1', '1.0', '', None)
    """
    if value is None or value is ABSENT:
        return ""
    if type(value) is str:
        return value.strip()
    return str(value) if type(value) in (int, float) else None


def by_row(values: Iterable[Any]) -> dict[int, str]:
    """Give row -> label of all rows that have one; a value that can be no label is left out."""
    texts = map(text, values)
    return {row: label for row, label in enumerate(texts) if label}
