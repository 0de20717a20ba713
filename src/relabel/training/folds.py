"""Fold plans: which row is held out when.

A plan is data: it is drawn once, before any fit, so resuming, distributing or explaining a cross-validation needs no decision
made twice. Letters: N rows, R repeats, F folds, G duplicate groups, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
) -> FoldPlan:
    """Draw stratified folds over the training rows that never split a duplicate group.

    labels:   (N,) classes, 0 to C-1 on the training rows.
    group:    (N,) duplicate group of each row.
    training: (N,) rows to cross-validate; all others get NEVER.

    Groups of several rows are dealt first, the largest before the smaller, each to the fold that lacks most of its labels; single rows
    then fill what each fold still lacks of their class, all at once. Millions of rows take seconds.

    Raises UserError where a class has fewer groups than folds: some member would never see it.
    """
    _check_enough_groups(labels[training], group[training], folds)
    counts, member_of = _label_counts(labels[training], group[training])
    fold = np.full((repeats, labels.size), NEVER, dtype=np.int16)
    for repeat in range(repeats):
        rng = np.random.default_rng((seed, repeat))
        fold[repeat, training] = _deal(counts, folds, rng)[member_of]
    return FoldPlan(fold, folds, seed)


def members(drawn: FoldPlan, targets: NDArray[np.int64], weights: NDArray[np.float32]) -> list[Member]:
    """Give one member per repeat and fold, in the order of `places`: its training rows of weight above 0."""
    return [
        Member(
            rows=_weighted(drawn.training(repeat, fold), weights),
            targets=targets,
            weights=weights,
            seed=own_seed(drawn.seed, FOLD_STREAM, repeat, fold),
        )
        for repeat, fold in drawn.places()
    ]


def _weighted(rows: NDArray[np.intp], weights: NDArray[np.float32]) -> NDArray[np.int32]:
    return rows[weights[rows] > 0].astype(np.int32)


def _label_counts(labels: NDArray[np.int64], group: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Count labels per group: (G, C), and the group's place of each row."""
    names, member_of = np.unique(group, return_inverse=True)
    classes = int(labels.max()) + 1
    counts = np.bincount(member_of * classes + labels, minlength=names.size * classes)
    return counts.reshape(names.size, classes), member_of


def _deal(counts: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int16]:
    """Give each group (G,) a fold, evening out the labels (G, C) of the folds."""
    lacks = np.tile(counts.sum(axis=0) / folds, (folds, 1))  # (F, C) labels that each fold should still get
    size = counts.sum(axis=1)
    dealt = np.empty(len(counts), dtype=np.int16)
    several = rng.permutation(np.flatnonzero(size > 1))
    for g in several[np.argsort(-size[several], kind="stable")]:
        dealt[g] = (lacks @ counts[g]).argmax()
        lacks[dealt[g]] -= counts[g]
    for c in range(counts.shape[1]):
        singles = rng.permutation(np.flatnonzero((size == 1) & (counts[:, c] == 1)))
        dealt[singles] = np.repeat(np.arange(folds), _whole_shares(lacks[:, c], singles.size))
    return dealt


def _whole_shares(lacks: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Split `total` rows over the folds (F,) in proportion to what each lacks; the largest remainders get the odd rows."""
    lacks = lacks.clip(min=0)
    exact = lacks * (total / lacks.sum()) if lacks.sum() > 0 else np.full(lacks.size, total / lacks.size)
    shares: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    shares[np.argsort(shares - exact, kind="stable")[: total - shares.sum()]] += 1
    return shares


def _check_enough_groups(labels: NDArray[np.int64], group: NDArray[np.int64], folds: int) -> None:
    pairs = np.unique(np.stack([labels, group]), axis=1)[0]
    short = [f"class {c} has {n}" for c, n in enumerate(np.bincount(pairs)) if n < folds]
    if short:
        raise UserError(
            f"cross-validation with {folds} folds needs at least {folds} distinct rows of every class, but {', '.join(short)}: "
            "set a smaller `folds`, or give more rows of that class"
        )
