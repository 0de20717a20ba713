"""The job from data to findings, stage by stage.

    baseline and folds (one stack) -> audit -> (second pass) -> trials of treatments -> treatment -> retrained models -> comparison

Letters: N rows, C classes, S seeds, n rows compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import relabel
from relabel.auditing import confident, doubt, members, neighbours, policies
from relabel.auditing.data_issues.issue import Issue
from relabel.auditing.data_issues.survey import Opinion, survey
from relabel.auditing.examine import Audit, examine, worst
from relabel.auditing.members import Members
from relabel.auditing.noise import Estimate
from relabel.auditing.policies import Limits, Treatment
from relabel.data.examples import Examples, Split
from relabel.data.reviews import RANDOM
from relabel.errors import UserError
from relabel.evaluation import comparison, metrics, verified
from relabel.evaluation.evidence import Choice
from relabel.evaluation.verified import Verified
from relabel.job import explaining, trials
from relabel.job.fits import Fits
from relabel.job.material import Material, comparable
from relabel.model import predictor, training_rows
from relabel.model.artifact import Artifact, Model, sha256
from relabel.results.findings import Explained, Findings, Served
from relabel.settings import TrainSettings, as_dict
from relabel.text import reader
from relabel.training import folds, linear
from relabel.training.learner import Watch
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import out_of_fold, predict

BASELINE_STREAM = 0
"""Keeps the seeds of the compared models apart from those of fold members."""

DEV_STREAM = 4

TRIED = ["drop", "weight", "soft"]
"""What the policy auto tries."""

EFFORT = {"on": neighbours.QUICK, "thorough": neighbours.THOROUGH}


def run(
    examples: Examples, material: Material, data: str, settings: TrainSettings, fits: Fits
) -> tuple[Findings, Artifact]:
    """Do the job.

    material: what the fits are made of.
    data:     digest of the examples.
    fits:     where fits run and are kept.
    """
    return _Job(examples, material, data, settings, fits).run()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Probabilities of the S models before and after on untouched rows, predicted once.

    before, after: (S, n, C) on the test rows.
    dev:           (S, h, C) of the models after, on the choosing half of dev.
    best:          the model after with the least log loss there.
    """

    before: NDArray[np.float32]
    after: NDArray[np.float32]
    dev: NDArray[np.float32]
    best: int


class _Job:
    """One job and what its stages share."""

    def __init__(self, examples: Examples, material: Material, data: str, settings: TrainSettings, fits: Fits) -> None:
        self.examples, self.material, self.data, self.settings, self.fits = examples, material, data, settings, fits
        self.training = (examples.split == Split.TRAIN) & ~examples.left_out
        stopping, self.choosing = halves(examples.rows(Split.DEV), examples.group, settings.seed)
        if settings.patience and not stopping.size:
            raise UserError("patience needs at least two distinct dev rows: give more, or set patience to 0")
        self.watch = Watch(stopping.astype(np.int32), examples.labels[stopping]) if settings.patience else None

    def run(self) -> tuple[Findings, Artifact]:
        examples, settings = self.examples, self.settings
        given = np.ones(len(examples), dtype=np.float32)
        plan = folds.plan(
            examples.labels,
            examples.group,
            self.training,
            folds=settings.folds,
            repeats=settings.repeats,
            seed=settings.seed,
            classes=examples.classes,
        )
        fold_members = folds.members(plan, examples.labels, given)
        fitted = self._fit("baseline and folds", [*self._seeds(examples.labels, given), *fold_members])
        before, fold_models = fitted[: settings.seeds], fitted[settings.seeds :]
        network = self._out_of_fold(fold_models, plan)
        sums = self._summed(plan, given)
        estimate = self._estimate(network, sums)
        audit = self._audit(estimate)
        choice = None
        if settings.policy == "auto":
            tried = trials.Tried(
                examples,
                self.material,
                plan,
                list(zip(fold_members, fold_models, strict=True))[: plan.folds],
                sums,
                estimate,
                self._fit,
            )
            choice = self._choose(tried, audit)
        if settings.passes > 1:
            audit = self._second(audit, estimate, plan)
        treatment = self._treat(audit, choice)
        after = self._retrain(treatment, before, audit.noise.given_true)
        flags = confident.flags(examples.labels, audit.probability)
        judged = self._judged(before, after)
        findings = Findings(
            examples=examples,
            settings=settings,
            data=self.data,
            model=sha256(after[judged.best]),
            plan=plan,
            cross_validation=self._cross_validation(network),
            audit=audit,
            self_confidence=confident.self_confidence(examples.labels, audit.probability),
            cleanlab_flagged=flags,
            cleanlab_given_true=confident.given_true(examples.labels[self.training], audit.probability[self.training]),
            choice=choice,
            treatment=treatment,
            comparison=self._compare(judged, audit),
            served=self._served(judged, treated=after is not before),
            relabelled_test=self._relabelled(judged, audit.probability, flags),
            verified=self._verified(judged),
            data_issues=self._data_issues(Opinion(audit.probability, audit.posterior)),
            baselines=self._baselines(given),
            explained=self._explained(audit, plan, fold_models),
        )
        return findings, self._artifact(findings, after[judged.best], judged.dev[judged.best])

    def _seeds(self, targets: NDArray[np.int64] | NDArray[np.float32], weights: NDArray[np.float32]) -> list[Member]:
        """Give the S members whose models are compared: the same seeds before and after."""
        rows = np.flatnonzero(self.training).astype(np.int32)
        seed = self.settings.seed
        return [Member(rows, targets, weights, own_seed(seed, BASELINE_STREAM, s)) for s in range(self.settings.seeds)]

    def _fit(self, name: str, members: Sequence[Member], noise: NDArray[np.float64] | None = None) -> list[Model]:
        """Fit members; of treated labels the noise of the watched ones is given."""
        watch = None if self.watch is None else dataclasses.replace(self.watch, noise=noise)
        return self.fits.fit(name, self.material.learner, self.material.inputs, members, watch)

    def _out_of_fold(self, models: Sequence[Model], plan: folds.FoldPlan) -> NDArray[np.float64]:
        return out_of_fold([predictor.load(model) for model in models], plan, self.material.inputs)

    def _summed(self, plan: folds.FoldPlan, weights: NDArray[np.float32]) -> linear.Folds:
        return linear.summed(self.material.vectors, plan, self.examples.labels, weights, len(self.examples.classes))

    def _estimate(self, network: NDArray[np.float64], sums: linear.Folds) -> Estimate:
        """Learn what members of both kinds say, from the training rows whose labels nobody verified."""
        found = Members(linear.out_of_fold(self.material.vectors, sums), network)
        return members.learned(found, self.examples.labels, self._learning(), self.examples.group)

    def _learning(self) -> NDArray[np.bool_]:
        learning: NDArray[np.bool_] = self.training & (self.examples.labels >= 0) & ~self.examples.trusted
        return learning

    def _audit(self, estimate: Estimate) -> Audit:
        examples = self.examples
        return examine(
            examples.labels, estimate, training=self.training, trusted=examples.trusted, group=examples.group
        )

    def _second(self, audit: Audit, estimate: Estimate, plan: folds.FoldPlan) -> Audit:
        """Train the folds again without the worst rows, and audit again."""
        examples = self.examples
        weights = np.ones(len(examples), dtype=np.float32)
        weights[worst(audit, self.training)] = 0
        models = self._fit("second pass", folds.members(plan, examples.labels, weights))
        straight = linear.out_of_fold(self.material.vectors, self._summed(plan, weights))
        found = Members(straight, self._out_of_fold(models, plan))
        return self._audit(members.relearned(found, examples.labels, self._learning(), estimate, cleaned=True))

    def _choose(self, tried: trials.Tried, audit: Audit) -> Choice:
        """Try treatments where wrong labels can be found at all."""
        if audit.verdict.kind != "class_conditional":
            return Choice("no_evidence", "", f"kept for lack of evidence: {audit.verdict.sentence()}")
        if self.settings.folds < trials.LEAST_FOLDS:
            needed = f"trials need {trials.LEAST_FOLDS} folds or more, and `folds` is {self.settings.folds}"
            return Choice("no_evidence", "", f"kept for lack of evidence: {needed}")
        names = [*TRIED, "flip"] if self.settings.flips else TRIED
        return trials.choose(tried, names, limits(self.settings), self.choosing)

    def _treat(self, audit: Audit, choice: Choice | None) -> Treatment:
        name: str = self.settings.policy
        if choice is not None:
            name = choice.best if choice.outcome == "treated" else "keep"
        examples = self.examples
        treatment = policies.decide(
            name,
            audit,
            examples.labels,
            training=self.training,
            trusted=examples.trusted,
            limits=limits(self.settings),
        )
        if choice is None:
            return treatment
        return dataclasses.replace(treatment, verdict=f"{treatment.verdict} The policy auto: {choice.why}.")

    def _cross_validation(self, network: NDArray[np.float64]) -> metrics.Scores:
        known = self.training & (self.examples.labels >= 0)
        return metrics.score(self.examples.labels[known], network[known])

    def _retrain(self, treatment: Treatment, before: list[Model], noise: NDArray[np.float64]) -> list[Model]:
        """Fit the S models again on what the policy made of the labels; where it changed nothing they are the same."""
        if not treatment.decision.any():  # KEEP everywhere
            return before
        return self._fit("retraining", self._seeds(treatment.targets, treatment.weights), noise)

    def _judged(self, before: list[Model], after: list[Model]) -> _Judged:
        dev = self._predicted(after, self.choosing)
        losses = [metrics.log_losses(self.examples.labels[self.choosing], each).mean() for each in dev]
        test = self.examples.rows(Split.TEST)
        first = self._predicted(before, test)
        return _Judged(
            before=first,
            after=first if after is before else self._predicted(after, test),
            dev=dev,
            best=int(np.argmin(losses)),
        )

    def _predicted(self, models: list[Model], rows: NDArray[np.intp]) -> NDArray[np.float32]:
        return np.stack([predict(predictor.load(model), self.material.inputs, rows) for model in models])

    def _compare(self, judged: _Judged, audit: Audit) -> comparison.Comparison:
        test = self.examples.rows(Split.TEST)
        labels, group = self.examples.labels[test], self.examples.group[test]
        return comparison.compare(
            labels, judged.before, judged.after, group, seed=self.settings.seed, noise=audit.noise.given_true
        )

    def _verified(self, judged: _Judged) -> Verified | None:
        test, about = self.examples.rows(Split.TEST), self.examples.reviews
        if about is None:
            return None
        labels, group, seed = self.examples.labels[test], self.examples.group[test], self.settings.seed
        asked = {"decided": about.decided[test], "drawn": about.why[test] == RANDOM}
        return verified.verify(labels, judged.before, judged.after, group, **asked, seed=seed)

    def _served(self, judged: _Judged, *, treated: bool) -> Served:
        labels = self.examples.labels
        test, best = self.examples.rows(Split.TEST), judged.best
        return Served(
            seed=best,
            fitted_on="treated" if treated else "given",
            before=metrics.score(labels[test], judged.before[best]),
            dev=metrics.score(labels[self.choosing], judged.dev[best]),
            test=metrics.score(labels[test], judged.after[best]),
        )

    def _relabelled(
        self, judged: _Judged, probability: NDArray[np.float64], flags: NDArray[np.bool_]
    ) -> metrics.Scores:
        """Score as the seed does: on test labels that were flipped wherever confident learning flags them."""
        test = self.examples.rows(Split.TEST)
        flipped = np.where(flags, probability.argmax(axis=1), self.examples.labels)[test]
        return metrics.score(flipped, judged.after[judged.best])

    def _data_issues(self, opinion: Opinion) -> tuple[Issue, ...]:
        effort = self.settings.data_issues
        if effort == "off":
            return ()
        seen = dataclasses.replace(self.examples, features=comparable(self.material, self.examples, self.settings))
        return survey(seen, opinion, EFFORT[effort], seed=self.settings.seed)

    def _baselines(self, weights: NDArray[np.float32]) -> dict[str, metrics.Scores]:
        """Score on test what plain learners make of the training rows as given."""
        found = {}
        test = self.examples.rows(Split.TEST)
        member = self._seeds(self.examples.labels, weights)[0]
        for name, each in self.material.baselines.items():
            [model] = self.fits.fit(f"baseline {name}", each.learner, each.inputs, [member], self.watch)
            probability = predict(predictor.load(model), each.inputs, test)
            found[name] = metrics.score(self.examples.labels[test], probability)
        return found

    def _explained(self, audit: Audit, plan: folds.FoldPlan, fold_models: list[Model]) -> Explained | None:
        """Say which words are behind the doubt; those of a model of vectors are found by a model beside it."""
        read = reader.load(self.material.text) if self.material.text and self.material.of_texts else None
        return explaining.explained(self.examples, audit, plan, fold_models, read, seed=self.settings.seed)

    def _artifact(self, findings: Findings, model: Model, dev: NDArray[np.float32]) -> Artifact:
        """Make what is served; the temperature of its label audit is learned on the choosing half of dev, of which `dev` (h, C) is predicted."""
        examples, given_true = self.examples, findings.audit.noise.given_true
        treated = findings.served.fitted_on == "treated"
        doubted = np.where(examples.trusted, -1, examples.labels)[self.choosing]
        trained = self.training & (findings.treatment.weights > 0) if treated else self.training
        return Artifact(
            model=model,
            classes=examples.classes,
            fitted_on="treated" if treated else "given",
            noise=given_true,
            temperature=doubt.learn_temperature(doubted, dev, given_true, treated=treated),
            input="text" if self.material.of_texts else "embedding",
            text=self.material.text,
            training_rows=self._known_again(np.flatnonzero(trained)),
            provenance={
                "relabel": relabel.__version__,
                "data": self.data,
                "settings": as_dict(self.settings),
                "seed": findings.served.seed,
                "test": {"accuracy": findings.served.test.accuracy, "log_loss": findings.served.test.log_loss},
            },
        )

    def _known_again(self, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        """Hash the training rows, by all that an endpoint of the model takes."""
        found = [np.empty(0, np.uint64)]
        if not self.material.of_texts:
            found.append(training_rows.collected(self.material.vectors, rows))
        if self.material.text is not None and self.examples.texts is not None:
            found.append(training_rows.collected_texts(self.examples.texts[rows].tolist()))
        return np.unique(np.concatenate(found))


def halves(rows: NDArray[np.intp], group: NDArray[np.int64], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split the dev rows (n,) by seed, duplicates together: one half stops training early, the other chooses.

    group: (N,) duplicate group of every row.
    """
    names, place = np.unique(group[rows], return_inverse=True)
    chooses = np.random.default_rng((seed, DEV_STREAM)).permutation(names.size) % 2 == 0
    return rows[~chooses[place]], rows[chooses[place]]


def limits(settings: TrainSettings) -> Limits:
    """Take out of the settings what bounds a policy."""
    return Limits(**{field.name: getattr(settings, field.name) for field in dataclasses.fields(Limits)})
