"""Features of which each host of a job holds its own rows.

Letters: N rows of all hosts, n rows asked for, L rows on this host, D width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.container.company import Company
from relabel.data.examples import Features


@dataclass(frozen=True, slots=True, eq=False)
class Sharded:
    """Rows as vectors, each on one of several hosts. What reads many rows goes through `data.passes`.

    local: (L, D) the rows that lie here.
    host:  (N,) int16 rank of the host that holds each row.
    place: (N,) int32 of the rows that lie here, their numbers among the local ones.
    mixed: (N,) int32 all rows in an order of which every stretch has its share of each file, whatever hosts these lie on.
    """

    local: Features
    host: NDArray[np.int16]
    place: NDArray[np.int32]
    mixed: NDArray[np.int32]
    company: Company

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.host.size, self.local.shape[1]

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (n,) as (n, D) float32 to every host, which must all ask for the same: for samples that are small."""
        taken: NDArray[np.float32] = self.joined(rows, self.held(rows[self.holds(rows)]))
        return taken

    def holds(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Tell which of the rows (n,), of any shape, lie here."""
        here: NDArray[np.bool_] = self.host[rows] == self.company.rank
        return here

    def held(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give rows (n,) that lie here as (n, D) float32."""
        return self.local.take(self.place[rows])

    def joined(self, rows: NDArray[np.integer], own: NDArray[Any]) -> NDArray[Any]:
        """Put together what each host made of those of the rows (n,) that it holds: a line of `own` for each, in their order."""
        lines = np.empty((rows.size, *own.shape[1:]), own.dtype)
        for rank, theirs in enumerate(self.company.gather(own)):
            lines[self.host[rows] == rank] = theirs
        return lines

    def of(self, local: Features) -> Sharded:
        """Give other vectors, of any width, of the same rows."""
        return replace(self, local=local)

    def ordered(self, order: NDArray[np.integer]) -> Sharded:
        """Give the rows in another order (N,): row n of the result is row order[n]."""
        back = np.empty(order.size, np.int32)
        back[order] = np.arange(order.size, dtype=np.int32)
        return replace(self, host=self.host[order], place=self.place[order], mixed=back[self.mixed])


def mixed(file: NDArray[np.integer]) -> NDArray[np.int32]:
    """Give an order (N,) of rows of which every stretch has its share of each file (N,), and of each file neighbouring rows.

    >>> mixed(np.array([0, 0, 0, 0, 1, 1])).tolist()
    [0, 4, 1, 2, 5, 3]
    """
    counts = np.bincount(file)
    by_file = np.argsort(file, kind="stable")
    inside = np.arange(file.size) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (inside + 0.5) / np.repeat(counts, counts)
    return by_file[np.argsort(share, kind="stable")].astype(np.int32)
