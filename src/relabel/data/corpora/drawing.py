"""Which split each row of a source goes to, or none. Letters: N rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import dealing, duplicates, splitting
from relabel.data.corpora.survey import NO_SPLIT, Survey
from relabel.data.examples import Split
from relabel.errors import UserError

LEFT_OUT = NO_SPLIT
"""Split of a row that is not written."""

IN_TEST = "equal text in a split that wins (test over dev over train)"
BEYOND_SIZE = "not drawn for the size asked for"

STREAM = 104_729
"""Keeps these draws apart from others made from the same seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What is asked for.

    size:   rows in all, 0 for all there are.
    seed:   every draw follows from it.
    shares: of the rows that may be drawn from, for each split that the source does not give.
    """

    size: int
    seed: int
    shares: Mapping[Split, float]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The splits of all rows (N).

    split:   (N,) uint8, a Split, or LEFT_OUT.
    group:   (N,) int64, rows with an equal text share one.
    given:   splits that the source gives.
    dropped: rows left out here: why -> how many.
    """

    split: NDArray[np.uint8]
    group: NDArray[np.int64]
    given: frozenset[Split]
    dropped: Mapping[str, int]


def drawn(rows: Survey, asked: Draw) -> Drawn:
    """Draw the splits: rows that the source gives to dev or test stay there, equal texts lie in one split, classes are evened out.

    A row whose text also lies in a split that wins over its own is left out; then rows are drawn for the size asked for, with the
    classes and splits of the source in proportion; then the splits that are missing are drawn from train.

    Raises UserError where the size is more than there is, or too small for every split to have a row of every class in train.
    """
    given = np.where(rows.given == NO_SPLIT, np.uint8(Split.TRAIN), rows.given).astype(np.uint8)
    group = np.unique(rows.text, return_inverse=True)[1].astype(np.int64)
    beaten = duplicates.left_out(group, given)
    free = np.flatnonzero(~beaten)
    if asked.size > free.size:
        raise UserError(f"size is {asked.size:,}, and there are {free.size:,} rows: give at most as many")
    rng = np.random.default_rng((asked.seed, STREAM))
    chosen = free if not asked.size else free[_sampled(rows.label[free], given[free], asked.size, rng)]
    split = np.full(given.size, LEFT_OUT, np.uint8)
    split[chosen] = given[chosen]
    shares = {split: share for split, share in asked.shares.items() if split not in given}
    train = np.flatnonzero(split == Split.TRAIN)
    if shares:
        split[train] = splitting.draw(rows.label[train], group[train], shares, seed=asked.seed)
    _check(split, rows)
    dropped = {IN_TEST: int(beaten.sum()), BEYOND_SIZE: free.size - chosen.size}
    own = frozenset(Split(number) for number in np.unique(rows.given[rows.given != NO_SPLIT]).tolist())
    return Drawn(split, group, own, {reason: count for reason, count in dropped.items() if count})


def _sampled(
    label: NDArray[np.int64], given: NDArray[np.uint8], size: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw places (size,) of rows, rising, in proportion to the strata of split and label."""
    _, stratum, count = np.unique(given.astype(np.int64) << 32 | label, return_inverse=True, return_counts=True)
    take = dealing.whole_shares(count.astype(np.float64), size)
    places = [rng.permutation(np.flatnonzero(stratum == s))[:n] for s, n in enumerate(take.tolist())]
    return np.sort(np.concatenate(places))


def _check(split: NDArray[np.uint8], rows: Survey) -> None:
    """Raise UserError where a job could not be run on the splits."""
    problems = [
        f"no row is left for {each.name.lower()}: give more rows, a larger --size, or a larger share"
        for each in Split
        if not (split == each).any()
    ]
    train = np.bincount(rows.label[split == Split.TRAIN], minlength=len(rows.classes))
    problems += [
        f"no row of the class `{rows.classes[c]}` is left for train: give more of them, or a larger --size"
        for c in np.flatnonzero(train == 0).tolist()
    ]
    if problems:
        raise UserError(*problems)
