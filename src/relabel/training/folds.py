"""Fold plans: which row is held out when.

A plan is data: it is drawn once, before any fit, so resuming, distributing or explaining a cross-validation needs no decision
made twice. Letters: N rows, R repeats, F folds, G duplicate groups, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import phrases
from relabel.data.dealing import deal
from relabel.errors import UserError
from relabel.training.member import Member, own_seed

NEVER = -1
"""Fold of a row that no member trains on: dev, test, left out."""

FOLD_STREAM = 1
"""Keeps the seeds of fold members apart from those of other members."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldPlan:
    """The fold in which each row is held out, once per repeat.

    fold: (R, N) int16, in [0, F) or NEVER.
    folds: F.
    seed: what the plan was drawn from.
    """

    fold: NDArray[np.int16]
    folds: int
    seed: int

    def places(self) -> list[tuple[int, int]]:
        """List (repeat, fold) of every member, in the order of `members`."""
        return [(repeat, fold) for repeat in range(len(self.fold)) for fold in range(self.folds)]

    def held_out(self, repeat: int, fold: int) -> NDArray[np.intp]:
        """Rows (n,) that this member must not see."""
        return np.flatnonzero(self.fold[repeat] == fold)

    def training(self, repeat: int, fold: int) -> NDArray[np.intp]:
        """Rows (n,) that this member learns from."""
        return np.flatnonzero((self.fold[repeat] != fold) & (self.fold[repeat] != NEVER))

    def never(self) -> NDArray[np.intp]:
        """Rows (n,) that no member learns from."""
        return np.flatnonzero(self.fold[0] == NEVER)


def plan(
    labels: NDArray[np.int64],
    group: NDArray[np.int64],
    training: NDArray[np.bool_],
    *,
    folds: int,
    repeats: int,
    seed: int,
    classes: Sequence[str] = (),
) -> FoldPlan:
    """Draw stratified folds over the training rows that never split a duplicate group.

    labels:   (N,) classes, 0 to C-1 on the training rows.
    group:    (N,) duplicate group of each row.
    training: (N,) rows to cross-validate; all others get NEVER.
    classes:  C names, for messages; without them classes are numbers there.

    Raises UserError where a class has fewer groups than folds: some member would never see it.
    """
    _check_enough_groups(labels[training], group[training], folds, classes)
    share = np.full(folds, 1 / folds)
    fold = np.full((repeats, labels.size), NEVER, dtype=np.int16)
    for repeat in range(repeats):
        rng = np.random.default_rng((seed, repeat))
        fold[repeat, training] = deal(labels[training], group[training], share, rng)
    return FoldPlan(fold, folds, seed)


def members(
    drawn: FoldPlan, targets: NDArray[np.int64] | NDArray[np.float32], weights: NDArray[np.float32]
) -> list[Member]:
    """Give one member per repeat and fold, in the order of `places`."""
    return [
        Member(
            rows=drawn.training(repeat, fold).astype(np.int32),
            targets=targets,
            weights=weights,
            seed=own_seed(drawn.seed, FOLD_STREAM, repeat, fold),
        )
        for repeat, fold in drawn.places()
    ]


def _check_enough_groups(
    labels: NDArray[np.int64], group: NDArray[np.int64], folds: int, classes: Sequence[str]
) -> None:
    groups = int(group.max(initial=-1)) + 1
    pairs = np.unique(labels * groups + group)
    counts = np.bincount(pairs // max(groups, 1))
    names = [phrases.name(one) for one in classes] or [str(c) for c in range(counts.size)]
    short = [f"class {name} has {n}" for name, n in zip(names, counts, strict=False) if n < folds]
    if short:
        raise UserError(
            f"cross-validation with {folds} folds needs at least {folds} distinct rows of every class, but {', '.join(short)}: "
            "set a smaller `folds`, or give more rows of that class"
        )
