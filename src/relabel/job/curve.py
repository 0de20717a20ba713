"""Fits that tell what more labels, and what cleaner ones, would be worth. All are scored on training rows that they never saw.

    shares of each fold's training rows, and pairs of folds -> an audit inside each fold
    each fold without its doubtful rows, and with them relabelled
    a copy of the data whose errors are known -> an audit inside each of its folds -> the doubtful labels checked

An audit inside a fold never knows the labels on which its models are scored: a row is judged by a model that saw neither the row's
fold nor that one. What people would make of the doubtful labels nobody can know before. So they are checked in a copy: the same rows,
with labels drawn from what the models believe, and errors planted at the estimated rates.

Letters: N rows, n training rows, F folds, S repeats, K shares, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import anchors
from relabel.auditing.examine import Audit, examine, worst, worst_first
from relabel.auditing.noise import Estimate
from relabel.data.examples import Examples, Split
from relabel.errors import UserError
from relabel.evaluation import outlook
from relabel.evaluation.outlook import Copy, Held, Outlook
from relabel.job.material import Material
from relabel.model.artifact import Model
from relabel.settings import TrainSettings
from relabel.training import cross_fitting
from relabel.training.cross_fitting import CrossFit
from relabel.training.learner import Hooks, Watch
from relabel.training.member import Member

SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of a fold's training rows, each within the next."""

DEFAULTS = {"max_epochs": 30, "patience": 2}
"""Few rows need more epochs than many: each model trains until dev stops falling."""

LEAST_FOLDS = 3
"""A pair of folds must leave something to train on."""

COPY_STREAM = 10
"""Keeps what the copy is drawn from apart from other random streams."""

Fit = Callable[[str, Sequence[Member]], list[Model]]
"""Fits members in one stack under a name for people; models come in their order."""

Labels = NDArray[np.int64]


def run(
    examples: Examples, material: Material, settings: TrainSettings, progress: Callable[[str, int, int], None]
) -> Outlook:
    """Fit, score and weigh.

    material: what the fits are made of.
    settings: `seeds` is S, `folds` F; the others as for a job, best started from DEFAULTS. No test row is used.
    progress: told (name of a stack, steps done, steps in all).

    Raises UserError where folds are fewer than LEAST_FOLDS, or a class has too few rows for them.
    """
    if settings.folds < LEAST_FOLDS:
        raise UserError(f"folds is {settings.folds}: give {LEAST_FOLDS} or more, for audits inside a fold need others")
    dev = examples.rows(Split.DEV).astype(np.int32)
    watch = Watch(dev, examples.labels[dev]) if settings.patience else None

    def fit(name: str, members: Sequence[Member]) -> list[Model]:
        hooks = Hooks(progress=lambda done, total: progress(name, done, total))
        return material.learner.fit(material.inputs, members, watch, hooks)

    crossed = cross_fitting.plan(
        material.inputs,
        examples.labels,
        examples.group,
        (examples.split == Split.TRAIN) & ~examples.left_out,
        folds_count=settings.folds,
        repeats=settings.seeds,
        seed=settings.seed,
    )
    return outlook.weigh(_held(examples, crossed, fit), examples.group[crossed.rows], seed=settings.seed)


def _held(examples: Examples, crossed: CrossFit, fit: Fit) -> Held:
    """Fit all, and predict what was held out."""
    labels, rows = examples.labels, crossed.rows
    shares, pairs = crossed.shares(labels, SHARES), crossed.pair_members(labels)
    models = fit("shares", [*(member for share in shares for member in share), *pairs])
    places = len(crossed.places)
    curve = np.stack([crossed.held_out(models[k * places : (k + 1) * places]) for k in range(len(SHARES))])
    estimate = _estimated(labels[rows], curve[-1].mean(axis=0), examples.trusted[rows])
    audit = _examined(labels[rows], estimate, examples.trusted[rows])
    doubtful = _doubtful(audit).size
    held = Held(
        labels=labels[rows],
        sizes=np.array([np.mean([member.rows.size for member in share]) for share in shares]),
        shares=curve,
        noise=audit.noise.given_true,
        doubtful=doubtful,
    )
    if not held.doubtful:
        return held
    inside = _audits(examples, crossed, labels, models[len(SHARES) * places :])
    cleaned = fit("cleaned", [*_without(crossed, labels, inside), *_relabelled(crossed, labels, inside)])
    return replace(
        held,
        dropped=crossed.held_out(cleaned[:places]),
        relabelled=crossed.held_out(cleaned[places:]),
        copy=_checked(examples, crossed, estimate, doubtful, fit),
    )


def _checked(examples: Examples, crossed: CrossFit, estimate: Estimate, doubtful: int, fit: Fit) -> Copy:
    """Copy the data, audit the copy, and check its doubtful labels."""
    truth, given = _copied(examples, crossed, estimate)
    models = fit("copy", [*crossed.members(given), *crossed.pair_members(given)])
    places = len(crossed.places)
    inside = _audits(examples, crossed, given, models[places:])
    checked = fit("checked", _mended(crossed, given, truth, inside, doubtful / crossed.rows.size))
    return Copy(truth[crossed.rows], crossed.held_out(models[:places]), crossed.held_out(checked))


def _copied(examples: Examples, crossed: CrossFit, estimate: Estimate) -> tuple[Labels, Labels]:
    """Draw true labels of the training rows from what the models believe of their inputs, and given ones from the noise: (N,) each.

    Trusted rows keep their label, and have it right.
    """
    rows = crossed.rows
    rng = np.random.default_rng((crossed.seed, COPY_STREAM))
    drawn = _drawn(estimate.eta, rng)
    noisy = _drawn(estimate.rates.given_true[drawn], rng)
    truth, given, trusted = examples.labels.copy(), examples.labels.copy(), examples.trusted[rows]
    truth[rows] = np.where(trusted, examples.labels[rows], drawn)
    given[rows] = np.where(trusted, examples.labels[rows], noisy)
    return truth, given


def _drawn(chance: NDArray[np.float64], rng: np.random.Generator) -> Labels:
    """Draw a class from each row of chances (n, C): (n,)."""
    upper = chance.cumsum(axis=1)[:, :-1]
    drawn: Labels = (rng.random(len(chance))[:, None] >= upper).sum(axis=1)
    return drawn


def _audits(examples: Examples, crossed: CrossFit, labels: Labels, models: Sequence[Model]) -> list[Audit]:
    """Audit the training rows of each place by models that saw neither their fold nor the place's."""
    inside = crossed.held_out_inside(models)
    rows = [crossed.training(*place) for place in crossed.places]
    return [
        _examined(labels[own], _estimated(labels[own], each, examples.trusted[own]), examples.trusted[own])
        for own, each in zip(rows, inside, strict=True)
    ]


def _estimated(labels: Labels, probability: NDArray[np.float64], trusted: NDArray[np.bool_]) -> Estimate:
    return anchors.estimate(labels, probability, ~trusted)


def _examined(labels: Labels, estimate: Estimate, trusted: NDArray[np.bool_]) -> Audit:
    return examine(labels, estimate, training=np.ones(labels.size, dtype=np.bool_), trusted=trusted)


def _doubtful(audit: Audit) -> NDArray[np.intp]:
    """Rows of an audit: as many of the worst as errors are expected."""
    return worst(audit, np.ones(audit.flagged.size, dtype=np.bool_))


def _without(crossed: CrossFit, labels: Labels, inside: Sequence[Audit]) -> list[Member]:
    """Make the member of each place without the rows that its audit flags."""
    places = zip(crossed.places, inside, strict=True)
    return [
        crossed.member(*place, np.delete(crossed.training(*place), _doubtful(audit)), labels) for place, audit in places
    ]


def _relabelled(crossed: CrossFit, labels: Labels, inside: Sequence[Audit]) -> list[Member]:
    """Make the member of each place with the suggested labels where its audit flags one."""
    members = []
    for place, audit in zip(crossed.places, inside, strict=True):
        rows, targets = crossed.training(*place), labels.copy()
        doubtful = _doubtful(audit)
        targets[rows[doubtful]] = audit.suggested[doubtful]
        members.append(crossed.member(*place, rows, targets))
    return members


def _mended(crossed: CrossFit, labels: Labels, truth: Labels, inside: Sequence[Audit], share: float) -> list[Member]:
    """Make the member of each place with the true labels of a share of its rows, those that its audit doubts most."""
    members = []
    for place, audit in zip(crossed.places, inside, strict=True):
        rows, targets = crossed.training(*place), labels.copy()
        checked = rows[worst_first(audit.doubt, np.arange(rows.size))[: round(share * rows.size)]]
        targets[checked] = truth[checked]
        members.append(crossed.member(*place, rows, targets))
    return members
