"""Which rows a map draws, when it cannot draw all.

Letters: N rows, n of them drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DOUBTFUL_SHARE = 2 / 3
"""Of the places, doubtful rows take at most this share where not all rows have one."""


BIASED = 1.25
"""Doubtful rows drawn more often than others by this factor mislead the eye."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The drawn rows.

    rows:     (n,) int64 positions, in the order of the data: neither kind is to hide the other where points lie upon each other.
    weight:   (n,) float32, how many rows each stands for.
    doubtful: how many of the drawn rows are doubtful; doubtful_of: of how many.
    others:   how many are not; others_of: of how many.
    """

    rows: NDArray[np.int64]
    weight: NDArray[np.float32]
    doubtful: int
    doubtful_of: int
    others: int
    others_of: int

    def sentence(self) -> str:
        """Say what is drawn.

        >>> drawn(np.array([True] * 2 + [False] * 1000), 12).sentence()
        '12 of 1,002 rows are drawn: all 2 doubtful ones and 10 of the 1,000 others, spread evenly over the data.'

        Doubtful rows that are drawn more often than others look commoner than they are; `common` says how common they are.
        """
        total = self.doubtful_of + self.others_of
        if self.rows.size == total:
            return f"All {total:,} rows are drawn."
        kinds = ((self.doubtful, self.doubtful_of, "doubtful ones"), (self.others, self.others_of, "others"))
        parts = [f"all {of:,} {name}" if n == of else f"{n:,} of the {of:,} {name}" for n, of, name in kinds if of]
        return f"{self.rows.size:,} of {total:,} rows are drawn: {' and '.join(parts)}, spread evenly over the data."

    def common(self) -> str:
        """Say how common doubtful rows are, where the drawn ones are no measure of it; nothing otherwise."""
        share = self.doubtful_of / max(self.doubtful_of + self.others_of, 1)
        if self.doubtful <= BIASED * share * self.rows.size:
            return ""
        return f"Doubtful rows look commoner here than they are: they are {share:.1%} of the data."


def drawn(flagged: NDArray[np.bool_], most: int) -> Sample:
    """Draw at most `most` rows: all doubtful ones, flagged (N,), if there is room, and others spread evenly over the data."""
    doubtful, others = np.flatnonzero(flagged), np.flatnonzero(~flagged)
    kept = _spread(doubtful, max(most - others.size, int(most * DOUBTFUL_SHARE)))
    rest = _spread(others, most - kept.size)
    rows = np.concatenate([rest, kept]).astype(np.int64)
    order = np.argsort(rows)
    return Sample(
        rows=rows[order],
        weight=np.concatenate([_weight(rest, others), _weight(kept, doubtful)])[order],
        doubtful=kept.size,
        doubtful_of=doubtful.size,
        others=rest.size,
        others_of=others.size,
    )


def _spread(rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Take `count` of the rows (n,) at even distances, or all if they are no more."""
    if rows.size <= count:
        return rows
    spread: NDArray[np.intp] = rows[np.arange(count) * rows.size // count]
    return spread


def _weight(kept: NDArray[np.intp], of: NDArray[np.intp]) -> NDArray[np.float32]:
    """How many rows each kept one stands for."""
    return np.full(kept.size, of.size / max(kept.size, 1), np.float32)
