"""A measure cut into parts: numbers and times into ranges with about as many rows each, names into themselves.

Letters: n rows that count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

PARTS = 5
FEWEST = 30
"""Rows of a part: with fewer nothing is learned of it."""

EMPTY = "(none)"
METADATA = "metadata."
"""Stands before the name of a column of the data."""

WHOLE = 1e6

LONGEST = 200
"""Characters of a name."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = (10, 16, 19)
"""Characters of a written time up to its day, its minute, its second."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some of the rows.

    name:      for people.
    low, high: the least and the largest number, of times seconds since 1970; None for a category.
    chosen:    (n,) bool.
    """

    name: str
    low: float | None
    high: float | None
    chosen: NDArray[np.bool_]


def of_numbers(values: NDArray[np.floating]) -> list[Part]:
    """Cut numbers (n,) at their quantiles; a number that very many rows have is a part of its own, NaN is in none.

    Each has FEWEST rows at least; none where there are too few rows, or nearly all have the same number.
    """
    known = np.isfinite(values)
    if known.sum() < 2 * FEWEST:
        return []
    parts = min(PARTS, int(known.sum()) // FEWEST)
    cuts = np.unique(np.quantile(values[known], np.arange(1, parts) / parts, method="inverted_cdf"))
    place = np.searchsorted(cuts, values, side="left")  # a number equal to a cut lies below it
    found = _large([known & (place == number) for number in range(cuts.size + 1)])
    return [_range(values, chosen) for chosen in found] if len(found) > 1 else []


def of_times(seconds: NDArray[np.floating]) -> list[Part]:
    """Cut times (n,), in seconds since 1970, as numbers are cut; they are named by days or, where that is too coarse, by minutes or seconds."""
    parts = of_numbers(seconds)
    ends = [(_moment(part.low or 0.0), _moment(part.high or 0.0)) for part in parts]
    size = next((n for n in TIMES if all(a[1][:n] != b[0][:n] for a, b in pairwise(ends))), TIMES[-1])
    return [
        replace(part, name=_between(low[:size], high[:size])) for part, (low, high) in zip(parts, ends, strict=True)
    ]


def of_categories(values: NDArray[np.object_]) -> Iterator[Part]:
    """Give the names (n,) one by one, the most frequent first; those of few rows are left out."""
    names, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    for n in _frequent(counts):
        yield Part(names[n][:LONGEST] or EMPTY, None, None, place == n)


def of_whole(values: NDArray[np.floating]) -> Iterator[Part]:
    """Give each number (n,) by itself, as names are given; none where some are not whole."""
    known = values[np.isfinite(values)]
    if (known != np.floor(known)).any():
        return
    numbers, counts = np.unique(known, return_counts=True)
    for n in _frequent(counts):
        yield Part(f"{numbers[n]:.0f}", None, None, values == numbers[n])


def _frequent(counts: NDArray[np.int64]) -> list[int]:
    return [n for n in np.argsort(-counts, kind="stable").tolist() if counts[n] >= FEWEST]


def _large(parts: list[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """Put small neighbours together."""
    large: list[NDArray[np.bool_]] = []
    for chosen in parts:
        if large and min(chosen.sum(), large[-1].sum()) < FEWEST:
            large[-1] = large[-1] | chosen
        else:
            large.append(chosen)
    return large


def _range(values: NDArray[np.floating], chosen: NDArray[np.bool_]) -> Part:
    low, high = float(values[chosen].min()), float(values[chosen].max())
    return Part(_between(_said(low), _said(high)), low, high, chosen)


def _between(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _moment(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat(" ", "seconds")


def _said(value: float) -> str:
    """Say a number in few digits, a whole one in all of them."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < WHOLE else f"{value:.3g}"
