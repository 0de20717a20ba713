"""Embeddings of one file, opened and not yet read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.stored import Stretch
from relabel.errors import UserError

Copy = Callable[[int, NDArray[np.float32]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A matrix (rows, width) in a file.

    copy: copy(start, out) fills `out` (b, width) float32 with the rows from `start` on; a value beyond float32 becomes
          infinite. It may raise UserError where the rows turn out to be no vectors.
    where: the columns of a label file that they stand in, "" where they have a file of their own.
    lies:  where any row can be read at any time; None where the file gives them from beginning to end only.
    half:  whether all values are of float16, so that this is what is kept of them.
    """

    rows: int
    width: int
    copy: Copy
    where: str = ""
    lies: Stretch | None = None
    half: bool = False


def flat_shape(shape: Sequence[int], kind: str) -> tuple[int, int]:
    """Give (rows, width) of an array (N, D) or (N, 1, D).

    kind: what it is, for the message: `float32 tensor`.
    Raises UserError for any other shape.
    """
    if len(shape) == 3 and shape[1] == 1:  # noqa: PLR2004  # (N, 1, D), as an encoder gives one vector per text
        shape = (shape[0], shape[2])
    if len(shape) != 2 or shape[0] < 0 or shape[1] < 1:  # noqa: PLR2004
        raise UserError(f"a {kind} of shape {tuple(shape)}: give one of shape (rows, width) or (rows, 1, width)")
    return int(shape[0]), int(shape[1])
