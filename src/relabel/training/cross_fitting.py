"""Members of repeated cross-validations, on all or a share of a fold's training rows, and the probabilities of the rows held out.

Letters: N rows, n training rows, S repeats, F folds, K shares, P pairs of folds, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.training import folds
from relabel.training.folds import FoldPlan
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import predict

PAIR_STREAM, SHARE_STREAM, FOLD_STREAM = 7, 8, 9
"""Keep the seeds of pair members, of the order of rows, and of fold members apart from those of other members."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """Fold plans, one for each repeat, over the same rows.

    inputs:   (N rows) what the models take.
    rows:     (n,) the training rows, ascending.
    plans:    S plans of one repeat and F folds each.
    seed:     what the members' seeds follow from.
    """

    inputs: Inputs
    rows: NDArray[np.intp]
    plans: tuple[FoldPlan, ...]
    seed: int

    @property
    def places(self) -> list[tuple[int, int]]:
        """Repeat and fold of each fold member, in the order in which members and models come."""
        return [*product(range(len(self.plans)), range(self.plans[0].folds))]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The P pairs of folds, in the order in which members and models come within a repeat."""
        return [*combinations(range(self.plans[0].folds), 2)]

    def training(self, repeat: int, fold: int) -> NDArray[np.intp]:
        """Rows that the member of this place may learn from."""
        return self.plans[repeat].training(0, fold)

    def member(self, repeat: int, fold: int, rows: NDArray[np.intp], targets: NDArray[np.int64]) -> Member:
        """Make the member of a place that learns from these of its rows, with targets (N,); its seed is the place's own."""
        return _member(rows, targets, own_seed(self.seed, FOLD_STREAM, repeat, fold))

    def members(self, targets: NDArray[np.int64]) -> list[Member]:
        """Make the member of each place on all of its rows."""
        return [self.member(repeat, fold, self.training(repeat, fold), targets) for repeat, fold in self.places]

    def shares(self, targets: NDArray[np.int64], shares: Sequence[float]) -> list[list[Member]]:
        """For each share, make the member of each place on that share of its rows: stratified, each within the next larger."""
        order = [self._order(targets, repeat, fold) for repeat, fold in self.places]
        return [
            [
                self.member(*place, own[: max(2, round(share * own.size))], targets)
                for place, own in zip(self.places, order, strict=True)
            ]
            for share in shares
        ]

    def pair_members(self, targets: NDArray[np.int64]) -> list[Member]:
        """For each repeat and pair of folds, make the member that learns from neither."""
        return [
            _member(
                self.rows[~np.isin(plan.fold[0, self.rows], pair)],
                targets,
                own_seed(self.seed, PAIR_STREAM, repeat, *pair),
            )
            for repeat, plan in enumerate(self.plans)
            for pair in self.pairs
        ]

    def held_out(self, models: Sequence[Model]) -> NDArray[np.float64]:
        """Give probabilities (S, n, C) of each row by the model of its repeat that did not learn from its fold; a model for each place."""
        total = np.zeros((len(self.plans), *self._shape(models)))
        for (repeat, fold), model in zip(self.places, models, strict=True):
            held = self.plans[repeat].held_out(0, fold)
            total[repeat, held] = predict(predictor.load(model), self.inputs, held)
        return total[:, self.rows]

    def held_out_inside(self, models: Sequence[Model]) -> list[NDArray[np.float64]]:
        """For each place, give probabilities (t, C) of its training rows by models that saw neither the row's fold nor the place's own.

        models: one for each repeat and pair.
        """
        inside = {place: np.zeros(self._shape(models)) for place in self.places}
        for (repeat, pair), model in zip(product(range(len(self.plans)), self.pairs), models, strict=True):
            loaded = predictor.load(model)
            for own, other in (pair, pair[::-1]):
                held = self.plans[repeat].held_out(0, other)
                inside[repeat, own][held] = predict(loaded, self.inputs, held)
        return [inside[place][self.training(*place)] for place in self.places]

    def _shape(self, models: Sequence[Model]) -> tuple[int, int]:
        return self.inputs.shape[0], int(models[0].sizes["classes"])

    def _order(self, targets: NDArray[np.int64], repeat: int, fold: int) -> NDArray[np.intp]:
        """Put the rows of a place in an order of which every beginning has the classes of the whole."""
        rng = np.random.default_rng((self.seed, SHARE_STREAM, repeat, fold))
        rows = rng.permutation(self.training(repeat, fold))
        place = np.empty(rows.size)
        for c in np.unique(targets[rows]):
            own = np.flatnonzero(targets[rows] == c)
            place[own] = (np.arange(own.size) + 0.5) / own.size
        return rows[np.argsort(place, kind="stable")]


def plan(
    inputs: Inputs,
    labels: NDArray[np.int64],
    group: NDArray[np.int64],
    training: NDArray[np.bool_],
    *,
    folds_count: int,
    repeats: int,
    seed: int,
) -> CrossFit:
    """Draw the folds of each repeat anew, as `folds.plan` does, which see for the arrays (N,) and for what it raises."""
    plans = tuple(
        folds.plan(labels, group, training, folds=folds_count, repeats=1, seed=own_seed(seed, FOLD_STREAM, repeat))
        for repeat in range(repeats)
    )
    return CrossFit(inputs, np.flatnonzero(training), plans, seed)


def _member(rows: NDArray[np.intp], targets: NDArray[np.int64], seed: int) -> Member:
    return Member(np.sort(rows).astype(np.int32), targets, np.ones(targets.size, dtype=np.float32), seed)
