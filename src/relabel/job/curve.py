"""Fits that tell what more labels, and what cleaner ones, would be worth. All are scored on training rows that they never saw.

    shares of each fold's training rows, and pairs of folds -> an audit inside each fold
    each fold without its doubtful rows, and with them relabelled
    a copy of the data whose errors are known -> an audit inside each of its folds -> the doubtful labels checked

An audit inside a fold never knows the labels on which its models are scored: a row is judged by a model that saw neither the row's
fold nor that one. What people would make of the doubtful labels nobody can know before. So they are checked in a copy: the same rows,
with labels drawn from what the models believe, and errors planted at the estimated rates. Labels that people verified teach the noise as they
were given, and score models so: what people did not look at is cleaner than all rows were.

Letters: N rows, n training rows, F folds, S repeats, K shares, C classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import anchors
from relabel.auditing.examine import Audit, examine, worst, worst_first
from relabel.auditing.noise import Estimate
from relabel.data.examples import Examples, Inputs, Split
from relabel.errors import UserError
from relabel.evaluation import outlook
from relabel.evaluation.outlook import Copy, Held, Outlook
from relabel.job.material import Material, recipe
from relabel.model.artifact import Model
from relabel.settings import TrainSettings
from relabel.training import cross_fitting
from relabel.training.cross_fitting import CrossFit
from relabel.training.learner import Hooks, Learner, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.stack import Recipe

SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Of a fold's training rows, each within the next."""

DEFAULTS: Mapping[str, Any] = {"max_epochs": 30, "patience": 2}
"""Few rows need more epochs than many: each model trains until dev stops falling."""

LEAST_FOLDS = 3
"""A pair of folds must leave something to train on."""

COPY_STREAM = 10
"""Keeps what the copy is drawn from apart from other random streams."""

Fit = Callable[[str, Learner, Inputs, Sequence[Member], Watch | None], list[Model]]
"""Fits members in one stack under a name for people; models come in their order. `Fits.fit` keeps them."""

Together = Callable[[str, Sequence[Member]], list[Model]]

Labels = NDArray[np.int64]


def plainly(progress: Callable[[str, int, int], None]) -> Fit:
    """Fit without keeping anything; progress is told (name of a stack, steps done, steps in all)."""

    def fit(name: str, learner: Learner, inputs: Inputs, members: Sequence[Member], watch: Watch | None) -> list[Model]:
        return learner.fit(inputs, members, watch, Hooks(progress=lambda done, total: progress(name, done, total)))

    return fit


def check_folds(settings: TrainSettings) -> None:
    """Raise UserError where folds are fewer than LEAST_FOLDS."""
    if settings.folds < LEAST_FOLDS:
        raise UserError(f"folds is {settings.folds}: give {LEAST_FOLDS} or more, for audits inside a fold need others")


def run(examples: Examples, material: Material, settings: TrainSettings, fit: Fit) -> Outlook:
    """Fit, score and weigh.

    material: what the fits are made of.
    settings: `seeds` is S, `folds` F; the others as for a job, best started from DEFAULTS. No test row is used.

    Raises UserError where folds are fewer than LEAST_FOLDS, or a class has too few rows for them.
    """
    check_folds(settings)
    dev = examples.rows(Split.DEV).astype(np.int32)
    watch = Watch(dev, examples.labels[dev]) if settings.patience else None

    def together(name: str, members: Sequence[Member]) -> list[Model]:
        return fit(name, material.learner, material.inputs, members, watch)

    crossed = cross_fitting.plan(
        material.inputs,
        examples.labels,
        examples.group,
        (examples.split == Split.TRAIN) & ~examples.left_out,
        folds_count=settings.folds,
        repeats=settings.seeds,
        seed=settings.seed,
    )
    return outlook.weigh(_held(examples, material, crossed, together), examples.group[crossed.rows], seed=settings.seed)


def for_job(material: Material, classes: int, settings: TrainSettings) -> tuple[Material, TrainSettings]:
    """Take the learner of a job for it: one on vectors trains until dev stops falling here, one on texts as it does there."""
    if not isinstance(material.learner, Stacked):
        return material, settings
    patient = replace(settings, **DEFAULTS)
    return replace(material, learner=Stacked(classes, recipe(patient, Recipe))), patient


def _held(examples: Examples, material: Material, crossed: CrossFit, fit: Together) -> Held:
    """Fit all, and predict what was held out."""
    labels, given, rows = examples.labels, examples.as_given(), crossed.rows
    shares, pairs = crossed.shares(labels, SHARES), crossed.pair_members(labels)
    models = fit("shares", [*(member for share in shares for member in share), *pairs])
    places = len(crossed.places)
    curve = np.stack([crossed.held_out(models[k * places : (k + 1) * places]) for k in range(len(SHARES))])
    estimate = _estimated(given[rows], curve[-1].mean(axis=0))
    audit = _examined(labels[rows], given[rows], estimate, examples.trusted[rows])
    doubtful = _doubtful(audit).size
    held = Held(
        labels=np.where(given < 0, labels, given)[rows],
        sizes=np.array([np.mean([material.learned(member.rows) for member in share]) for share in shares]),
        shares=curve,
        noise=audit.noise.given_true,
        doubtful=doubtful,
    )
    if not held.doubtful:
        return held
    inside = _audits(examples, crossed, labels, given, models[len(SHARES) * places :])
    cleaned = fit("cleaned", [*_without(crossed, labels, inside), *_relabelled(crossed, labels, inside)])
    return replace(
        held,
        dropped=crossed.held_out(cleaned[:places]),
        relabelled=crossed.held_out(cleaned[places:]),
        copy=_checked(examples, crossed, audit, estimate, fit),
    )


def _checked(examples: Examples, crossed: CrossFit, audit: Audit, estimate: Estimate, fit: Together) -> Copy:
    """Copy the data, audit the copy, and check its doubtful labels."""
    truth, labels = _copied(examples, crossed, audit, estimate)
    models = fit("copy", [*crossed.members(labels), *crossed.pair_members(labels)])
    places = len(crossed.places)
    before = np.where(examples.trusted, examples.as_given(), labels)
    inside = _audits(examples, crossed, labels, before, models[places:])
    checked = fit("checked", _mended(crossed, labels, truth, inside, _doubtful(audit).size / crossed.rows.size))
    return Copy(truth[crossed.rows], crossed.held_out(models[:places]), crossed.held_out(checked))


def _copied(examples: Examples, crossed: CrossFit, audit: Audit, estimate: Estimate) -> tuple[Labels, Labels]:
    """Draw true labels of the training rows from what the models believe of their inputs, and labels from the noise: (N,) each.

    Trusted rows keep their label, and have it right; the others are as much cleaner than all rows were as people left them.
    """
    rows = crossed.rows
    rng = np.random.default_rng((crossed.seed, COPY_STREAM))
    drawn = _drawn(estimate.eta, rng)
    clean = np.eye(len(examples.classes))
    noise = clean + _left(examples, crossed, audit) * (estimate.rates.given_true - clean)
    noisy = _drawn(noise[drawn], rng)
    truth, labels, trusted = examples.labels.copy(), examples.labels.copy(), examples.trusted[rows]
    truth[rows] = np.where(trusted, examples.labels[rows], drawn)
    labels[rows] = np.where(trusted, examples.labels[rows], noisy)
    return truth, labels


def _left(examples: Examples, crossed: CrossFit, audit: Audit) -> float:
    """How noisy the labels are that nobody verified, in units of the noise of all as given: 1 where nobody verified any, and at most."""
    given, labels = examples.as_given()[crossed.rows], examples.labels[crossed.rows]
    found = int(((given != labels) & (given >= 0)).sum())
    verified = int(examples.trusted[crossed.rows].sum())
    return min(1.0, audit.expected / (audit.expected + found) * labels.size / (labels.size - verified))


def _drawn(chance: NDArray[np.float64], rng: np.random.Generator) -> Labels:
    """Draw a class from each row of chances (n, C): (n,)."""
    upper = chance.cumsum(axis=1)[:, :-1]
    drawn: Labels = (rng.random(len(chance))[:, None] >= upper).sum(axis=1)
    return drawn


def _audits(
    examples: Examples, crossed: CrossFit, labels: Labels, given: Labels, models: Sequence[Model]
) -> list[Audit]:
    """Audit the training rows of each place by models that saw neither their fold nor the place's.

    labels: (N,) in use; given: (N,) before people verified any, -1 where that is not known.
    """
    inside = crossed.held_out_inside(models)
    rows = [crossed.training(*place) for place in crossed.places]
    return [
        _examined(labels[own], given[own], _estimated(given[own], each), examples.trusted[own])
        for own, each in zip(rows, inside, strict=True)
    ]


def _estimated(given: Labels, probability: NDArray[np.float64]) -> Estimate:
    return anchors.estimate(given, probability, given >= 0)


def _examined(labels: Labels, given: Labels, estimate: Estimate, trusted: NDArray[np.bool_]) -> Audit:
    return examine(labels, estimate, training=np.ones(labels.size, dtype=np.bool_), trusted=trusted, given=given)


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
