"""Features in another order than that in which they are stored.

Letters: N rows, D width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import embeddings
from relabel.data.examples import Dense, Features, Typed
from relabel.data.sharded import Sharded
from relabel.data.stored import Warm


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Features that stay where they are; `order` (N,) tells where each row is found."""

    features: Features
    order: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.order.size, self.features.shape[1]

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the numbers where they lie; float32 where these do not tell."""
        return self.features.dtype if isinstance(self.features, Typed) else np.dtype(np.float32)

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,) as (b, D) float32."""
        return self.features.take(self.order[rows])

    def warm(self, rows: NDArray[np.integer]) -> None:
        """See `stored.Warm`."""
        if isinstance(self.features, Warm):
            self.features.warm(self.order[rows])

    def cool(self, rows: NDArray[np.integer]) -> None:
        """See `stored.Warm`."""
        if isinstance(self.features, Warm):
            self.features.cool(self.order[rows])


def by_row(features: Features, order: NDArray[np.intp]) -> Features:
    """Give features (N, D) a new order (N,): in place where they are float32 in memory, else by looking up each row."""
    if (order[1:] > order[:-1]).all():
        return features
    if isinstance(features, Sharded):
        return features.ordered(order)
    if isinstance(features, Dense) and features.array.dtype == np.float32 and features.array.flags.writeable:
        falls = np.flatnonzero(order[1:] < order[:-1])
        embeddings.reordered(features.array, order, kept=int(falls[0]) + 1)
        return features
    return Ordered(features, order)
