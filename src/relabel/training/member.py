"""Members: what one model of a stack learns from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.model.artifact import Model


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One model to fit.

    rows:    (n,) int32, ascending: the rows it learns from. Rows of weight 0 keep their place in its batches, so that a member without
             them takes as many steps, and sees the others in the same batches.
    targets: (N,) int64 class of every row, or (N, C) float32 how likely each class is; shared between members where it is the same.
    weights: (N,) float32 weight of every row's loss.
    seed:    of its initial weights, its row order and its dropout; they depend on nothing else.
    start:   a model whose weights it begins with, in place of those drawn; of its learner's kind and sizes (see `warm_start`).
    """

    rows: NDArray[np.int32]
    targets: NDArray[np.int64] | NDArray[np.float32]
    weights: NDArray[np.float32]
    seed: int
    start: Model | None = None


def own_seed(*path: int) -> int:
    """Derive a seed from a path of non-negative numbers, for example (job seed, stream, repeat, fold)."""
    return int(np.random.SeedSequence(path).generate_state(1)[0])
