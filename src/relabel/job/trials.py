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
    """Try the policies `names`, and choose by the training rows out of fold together with the dev rows `choosing` (n,).

    Labels that people verified are judged as they were given, through the noise: the noise of what nobody verified is another, for people
    did not take it by chance, and nobody knows which.
    """
    examples, given, plan = tried.examples, tried.examples.as_given(), _first(tried.plan)
    models = tried.fit("trials", _treated(tried, plan, names, limits), tried.estimate.rates.given_true)
    rows = np.concatenate([np.flatnonzero((plan.fold[0] != NEVER) & (examples.labels >= 0)), choosing])
    after = {
        name: _predicted(models[start : start + plan.folds], plan, tried.material.inputs)[rows]
        for name, start in zip(names, range(0, len(models), plan.folds), strict=True)
    }
    return evidence.choose(
        np.where(given < 0, examples.labels, given)[rows],
        _predicted([model for _, model in tried.fitted], plan, tried.material.inputs)[rows],
        after,
        examples.group[rows],
        noise=tried.estimate.rates.given_true,
        verified=(given < 0)[rows],
    )


def _predicted(models: Sequence[Model], plan: FoldPlan, inputs: Inputs) -> NDArray[np.float64]:
    return out_of_fold([predictor.load(model) for model in models], plan, inputs)


def _first(plan: FoldPlan) -> FoldPlan:
    """The plan's first repeat alone."""
    return FoldPlan(plan.fold[:1], plan.folds, plan.seed)


def _treated(tried: Tried, plan: FoldPlan, names: Sequence[str], limits: Limits) -> list[Member]:
    """Make the members of all folds under the first policy, then those under the next. One audit is held at a time."""
    examples, pairs = tried.examples, _pairs(tried, plan)
    by_fold = []
    for without, (member, _) in enumerate(tried.fitted):
        audit, training = _audit(tried, pairs, without)
        decided = (
            policies.decide(name, audit, examples.labels, training=training, trusted=examples.trusted, limits=limits)
            for name in names
        )
        by_fold.append([_member(member, each) for each in decided])
        del audit, decided  # else it stays while the next one is made
    return [members[number] for number in range(len(names)) for members in by_fold]


def _member(member: Member, treatment: Treatment) -> Member:
    """Let a fold's member learn what a treatment made of the labels; weights that are as before are shared."""
    same = np.array_equal(treatment.weights, member.weights)
    return Member(member.rows, treatment.targets, member.weights if same else treatment.weights, member.seed)


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
    examples, given, fold = tried.examples, tried.examples.as_given(), tried.plan.fold[0]
    training = (fold != NEVER) & (fold != without)
    learning = training & (given >= 0)
    estimate = members.relearned(
        _members(tried, pairs, without), given, learning, tried.estimate, cleaned=False, truth=examples.verified()
    )
    audit = examine(
        examples.labels, estimate, training=training, trusted=examples.trusted, group=examples.group, given=given
    )
    return audit, training


def _members(tried: Tried, pairs: Mapping[frozenset[int], Model], without: int) -> Members:
    """What linear models and networks say that learned neither from a fold nor from the row's own."""
    straight = linear.out_of_fold(tried.material.vectors, tried.linear, without)
    network = np.full(straight.shape, 1 / straight.shape[1])
    for other in {*range(tried.plan.folds)} - {without}:
        rows = np.flatnonzero(tried.plan.fold[0] == other)
        network[rows] = predict(predictor.load(pairs[frozenset((without, other))]), tried.material.inputs, rows)
    return Members(straight, network)
