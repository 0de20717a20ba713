"""A uniform draw of rows that does not depend on the order in which they come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray


class Kept(NamedTuple):
    """A record that came to an endpoint.

    input:       a text, or a vector (D,).
    probability: (C,) as answered; NaN where it is not known.
    of:          how many records its request had.
    """

    id: str
    time: np.datetime64
    input: NDArray[np.float32] | str
    probability: NDArray[np.float32]
    of: int = 1


class Sample:
    """At most `most` of the rows that are added: those whose ids have the smallest hashes under `seed`.

    So a row stays or goes whatever comes before it, and the same files give the same sample in any order. Twice as many are held in between.
    """

    def __init__(self, most: int, seed: int) -> None:
        self._most, self._seed = most, seed
        self._held: list[tuple[int, int, Kept]] = []
        self._limit = 1 << 64
        self._added = 0

    @property
    def left_out(self) -> int:
        """How many of the rows that were added do not stay."""
        return max(0, self._added - self._most)

    def add(self, row: Kept) -> None:
        """Add a row."""
        self._added += 1
        key = xxhash.xxh3_64_intdigest(row.id.encode(errors="surrogatepass"), self._seed)
        if key >= self._limit:
            return
        kept = row if isinstance(row.input, str) else row._replace(input=row.input.copy())  # not the whole request
        self._held.append((key, self._added, kept))
        if len(self._held) >= 2 * self._most:
            self._shrink()

    def rows(self) -> list[Kept]:
        """Give the rows that stay, by time and id."""
        self._shrink()
        return sorted((row for _, _, row in self._held), key=lambda row: (row.time, row.id))

    def _shrink(self) -> None:
        if len(self._held) > self._most:
            self._held = sorted(self._held, key=lambda one: one[:2])[: self._most]
            self._limit = self._held[-1][0] + 1
