"""Trying treatments before one is chosen: nested, so that no row has a say in how it is judged.

For each fold k the rows outside of it are audited by models that saw neither k nor the row, and treated; models trained on them are
compared, on fold k, with the fold's own model. Rows that the treatment was learned from would flatter it: audited by models that had seen
fold k, the rows left are those that agree with k's labels.

Letters: N rows, C classes, F folds, T treatments.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import members, policies
from relabel.auditing.examine import Audit, examine
from relabel.auditing.members import Members
from relabel.auditing.noise import Estimate
from relabel.auditing.policies import Limits, Treatment
from relabel.data.examples import Examples, Inputs
from relabel.evaluation import evidence
from relabel.evaluation.evidence import Choice
from relabel.job.material import Material
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.training import linear
from relabel.training.folds import NEVER, FoldPlan
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import out_of_fold, predict

PAIR_STREAM = 5
"""Keeps the seeds of members that miss two folds apart from those of other members."""

LEAST_FOLDS = 3
"""Models that miss two folds need a third to learn from."""


class Fit(Protocol):
    """Fits members under a name for people; `noise` (C, C) is that of the labels, where members learn from treated ones."""

    def __call__(
        self, name: str, members: Sequence[Member], noise: NDArray[np.float64] | None = None, /
    ) -> list[Model]:
        """Give the models in the members' order."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What the trials start from.

    material: what the fits are made of.
    plan:     the folds; trials go by the first repeat.
    fitted:   fold members of that repeat and their models.
    linear:   sums of the training rows.
    estimate: of the audit of all rows; its noise holds for the audits within.
    fit:      fits members.
    """

    examples: Examples
    material: Material
    plan: FoldPlan
    fitted: Sequence[tuple[Member, Model]]
    linear: linear.Folds
    estimate: Estimate
    fit: Fit


def choose(tried: Tried, names: Sequence[str], limits: Limits, choosing: NDArray[np.intp]) -> Choice:
    """Try the policies `names`, and choose by the training rows out of fold together with the dev rows `choosing` (n,)."""
    examples, plan = tried.examples, _first(tried.plan)
    audits = _audits(tried, plan)
    treated = [
        _treated(
            member,
            policies.decide(name, audit, examples.labels, training=training, trusted=examples.trusted, limits=limits),
        )
        for name in names
        for (member, _), (audit, training) in zip(tried.fitted, audits, strict=True)
    ]
    models = tried.fit("trials", treated, tried.estimate.rates.given_true)
    rows = np.concatenate([np.flatnonzero((plan.fold[0] != NEVER) & (examples.labels >= 0)), choosing])
    after = {
        name: _predicted(models[start : start + plan.folds], plan, tried.material.inputs)[rows]
        for name, start in zip(names, range(0, len(models), plan.folds), strict=True)
    }
    return evidence.choose(
        examples.labels[rows],
        _predicted([model for _, model in tried.fitted], plan, tried.material.inputs)[rows],
        after,
        examples.group[rows],
        noise=tried.estimate.rates.given_true,
        verified=examples.trusted[rows],
    )


def _predicted(models: Sequence[Model], plan: FoldPlan, inputs: Inputs) -> NDArray[np.float64]:
    return out_of_fold([predictor.load(model) for model in models], plan, inputs)


def _first(plan: FoldPlan) -> FoldPlan:
    """The plan's first repeat alone."""
    return FoldPlan(plan.fold[:1], plan.folds, plan.seed)


def _treated(member: Member, treatment: Treatment) -> Member:
    return Member(member.rows, treatment.targets, treatment.weights, member.seed)


def _audits(tried: Tried, plan: FoldPlan) -> list[tuple[Audit, NDArray[np.bool_]]]:
    """For each fold, the audit of the training rows outside of it, and which (N,) those are."""
    pairs = _pairs(tried, plan)
    return [_audit(tried, pairs, without) for without in range(plan.folds)]


def _pairs(tried: Tried, plan: FoldPlan) -> Mapping[frozenset[int], Model]:
    """Models that miss two folds."""
    fold, examples = plan.fold[0], tried.examples
    pairs = list(itertools.combinations(range(plan.folds), 2))
    weights = np.ones(len(examples), dtype=np.float32)
    missing = [
        Member(
            np.flatnonzero((fold != NEVER) & (fold != one) & (fold != two)).astype(np.int32),
            examples.labels,
            weights,
            own_seed(plan.seed, PAIR_STREAM, one, two),
        )
        for one, two in pairs
    ]
    return dict(zip(map(frozenset, pairs), tried.fit("folds within folds", missing), strict=True))


def _audit(tried: Tried, pairs: Mapping[frozenset[int], Model], without: int) -> tuple[Audit, NDArray[np.bool_]]:
    """Audit the training rows outside a fold; each is scored by the model that misses both that fold and the row's own."""
    examples, fold = tried.examples, tried.plan.fold[0]
    straight = linear.out_of_fold(tried.material.vectors, tried.linear, without)
    network = np.full(straight.shape, 1 / straight.shape[1])
    for other in {*range(tried.plan.folds)} - {without}:
        rows = np.flatnonzero(fold == other)
        network[rows] = predict(predictor.load(pairs[frozenset((without, other))]), tried.material.inputs, rows)
    training = (fold != NEVER) & (fold != without)
    learning = training & (examples.labels >= 0) & ~examples.trusted
    estimate = members.relearned(Members(straight, network), examples.labels, learning, tried.estimate, cleaned=False)
    audit = examine(examples.labels, estimate, training=training, trusted=examples.trusted, group=examples.group)
    return audit, training
