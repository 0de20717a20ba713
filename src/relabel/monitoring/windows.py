"""Traffic cut into windows: so many rows each, or so much time each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError

SAID = re.compile(r"([1-9][0-9]{0,8})([hd]?)")
SECONDS = {"h": 3600, "d": 86_400}
FEWEST_ROWS = 50
"""Rows of a window that is asked for: fewer are never told from luck."""


@dataclass(frozen=True, slots=True)
class Span:
    """The size of a window: `rows`, or `seconds` from the beginning of 1970 in UTC on; the other is 0."""

    rows: int = 0
    seconds: int = 0


def parse(text: str) -> Span:
    """Read the size of a window.

    >>> parse("1000"), parse("6h"), parse("1d")
    (Span(rows=1000, seconds=0), Span(rows=0, seconds=21600), Span(rows=0, seconds=86400))

    Raises UserError where it is none.
    """
    found = SAID.fullmatch(text.strip())
    if found is None:
        raise UserError(f"a window of {text!r}: give a number of rows as 1000, or hours or days as 6h or 1d")
    size = int(found[1])
    if found[2]:
        return Span(seconds=size * SECONDS[found[2]])
    if size < FEWEST_ROWS:
        raise UserError(f"a window of {size} rows: give {FEWEST_ROWS} at least, fewer are never told from luck")
    return Span(rows=size)


def cut(time: NDArray[np.datetime64], span: Span, *, until: np.datetime64 | None = None) -> list[slice]:
    """Give the windows of rows (N,), whose times rise, as slices; the last one may not be full.

    until: leave the last window out unless it is surely full: by its rows, or because its time had passed at this moment.
    """
    if not time.size:
        return []
    if span.rows:
        ends = np.arange(span.rows, time.size + span.rows, span.rows)
        full = time.size % span.rows == 0
    else:
        place = time.astype("datetime64[s]").astype(np.int64) // span.seconds
        ends = np.append(np.flatnonzero(np.diff(place)) + 1, time.size)
        end = np.datetime64(int((place[-1] + 1) * span.seconds), "s")
        full = until is None or bool(end <= until)
    windows = [
        slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends.clip(max=time.size), strict=True)
    ]
    return windows if full or until is None else windows[:-1]
