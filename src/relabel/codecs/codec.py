"""What every codec speaks: vectors in, predictions out, and one way to refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError

FEW = 5
"""Problems of one body that are told one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What the model says of n vectors.

    probabilities: (n, C) float32.
    classes:       names of the C classes, in the order of the columns.
    """

    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]


class Codec(Protocol):
    """One media type: how vectors are read from a body and predictions written into one."""

    def decode(self, body: bytes, width: int, /) -> NDArray[np.float32]:
        """Read vectors (n, width), n at least 1, every value finite.

        Raises UserError where the body is malformed or a vector has another width, NotFiniteError for NaN and infinity.
        """
        ...

    def encode(self, predictions: Predictions, /) -> bytes:
        """Write predictions, in order."""
        ...


class NotFiniteError(UserError):
    """A body that is well formed, with values that no model can use."""


def refuse(problems: list[str]) -> UserError:
    """Say the first few problems of a body, and how many more there are."""
    more = [f"and {len(problems) - FEW:,} more"] if len(problems) > FEW else []
    return UserError(*problems[:FEW], *more)


def check_finite(vectors: NDArray[np.float32]) -> None:
    """Raise NotFiniteError where one of the vectors (n, D) has NaN or infinity."""
    bad = np.argwhere(~np.isfinite(vectors))
    if bad.size:
        row, column = bad[0]
        more = f", and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        raise NotFiniteError(
            f"row {row}, column {column} (counted from 0){more}: not a finite float32 number; leave such rows out"
        )
