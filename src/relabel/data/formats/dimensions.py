"""Which columns of a label file are embeddings.

embedding                 one column of lists, all of one width; also `embeddings`, `features`, `vector`
e0, e1, … or 0, 1, …      one column of numbers for each dimension: a common beginning, or none, and a number
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LISTS = ("embedding", "embeddings", "features", "vector")
"""Names of a column of lists, the first that is there counts."""

NUMBERED = re.compile(r"(.*?)([0-9]{1,9})")
LEAST = 2
"""Columns; a single one with a number in its name is something else."""


def numbered(names: Iterable[str]) -> tuple[str, ...]:
    """Give the columns of one dimension each, in the order of their numbers; of several families the largest, () where there is none.

    names: those of the columns that hold numbers.

    >>> numbered(["stars", "e0", "e2", "e1", "page1"]), numbered(["stars", "page1"])
    (('e0', 'e1', 'e2'), ())
    """
    families: dict[str, dict[int, str]] = {}
    for name in names:
        if match := NUMBERED.fullmatch(name):
            families.setdefault(match[1], {})[int(match[2])] = name
    largest = max(families.values(), key=len, default={})
    return tuple(largest[number] for number in sorted(largest)) if len(largest) >= LEAST else ()


def described(names: tuple[str, ...]) -> str:
    """Say which columns of one dimension each these are."""
    return f"columns `{names[0]}` to `{names[-1]}`"
