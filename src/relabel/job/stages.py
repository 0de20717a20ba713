"""The job from data to findings, stage by stage.

    baseline and folds (one stack) -> audit -> (second pass) -> trials of treatments -> treatment -> retrained models -> comparison

Letters: N rows, C classes, S seeds, n rows compared.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import carried, confident, members, policies
from relabel.auditing.carried import Carried
from relabel.auditing.data_issues.survey import Opinion
from relabel.auditing.examine import Audit, examine, worst
from relabel.auditing.members import Members
from relabel.auditing.noise import Estimate
from relabel.auditing.policies import Limits, Treatment
from relabel.auditing.population.population import Population
from relabel.data.examples import Examples, Split
from relabel.data.sharded import Sharded
from relabel.errors import UserError
from relabel.evaluation import metrics
from relabel.evaluation.evidence import Choice
from relabel.evaluation.outlook import Outlook
from relabel.job import contest, curve, delivery, explaining, judging, nearness, population, trials, warm
from relabel.job.champion import Champion
from relabel.job.fits import Fits
from relabel.job.judging import Judged
from relabel.job.material import Material
from relabel.job.nearness import Nearness
from relabel.model import predictor
from relabel.model.artifact import Artifact, Model, sha256
from relabel.results.findings import Explained, Findings
from relabel.settings import TrainSettings
from relabel.text import reader
from relabel.training import folds, linear
from relabel.training.learner import Watch
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import out_of_fold, predict

log = logging.getLogger(__name__)

BASELINE_STREAM = 0
"""Keeps the seeds of the compared models apart from those of fold members."""

DEV_STREAM = 4

TRIED = ["drop", "weight", "soft"]
"""What the policy auto tries."""


def run(
    examples: Examples,
    material: Material,
    data: str,
    settings: TrainSettings,
    fits: Fits,
    *,
    champion: Champion | None = None,
) -> tuple[Findings, Artifact]:
    """Do the job.

    material: what the fits are made of.
    data:     digest of the examples.
    fits:     where fits run and are kept.
    champion: the model that serves now, where there is one.
    """
    return _Job(examples, material, data, settings, fits, champion=champion).run()


class _Job:
    """One job and what its stages share."""

    def __init__(
        self,
        examples: Examples,
        material: Material,
        data: str,
        settings: TrainSettings,
        fits: Fits,
        *,
        champion: Champion | None,
    ) -> None:
        self.examples, self.material, self.data, self.settings, self.fits = examples, material, data, settings, fits
        self.champion = champion
        self.training = (examples.split == Split.TRAIN) & ~examples.left_out
        self.given = examples.as_given()
        if settings.outlook == "on":
            curve.check_folds(settings)
        stopping, self.choosing = halves(examples.rows(Split.DEV), examples.group, settings.seed)
        if settings.patience and not stopping.size:
            raise UserError("patience needs at least two distinct dev rows: give more, or set patience to 0")
        self.watch = Watch(stopping.astype(np.int32), examples.labels[stopping]) if settings.patience else None

    def run(self) -> tuple[Findings, Artifact]:
        examples, settings = self.examples, self.settings
        given = np.ones(len(examples), dtype=np.float32)
        plan = self._plan()
        fold_members = folds.members(plan, examples.labels, given)
        fitted = self._fit("baseline and folds", [*self._seeds(examples.labels, given), *fold_members])
        before, fold_models = fitted[: settings.seeds], fitted[settings.seeds :]
        network = self._out_of_fold(fold_models, plan)
        sums = self._summed(plan, given)
        estimate, cross_validation = self._estimate(network, sums), self._cross_validation(network)
        del network  # of N rows, and not asked for again
        audit = self._audit(estimate)
        fitted_folds = list(zip(fold_members, fold_models, strict=True))[: plan.folds]
        choice = self._choose(
            trials.Tried(examples, self.material, plan, fitted_folds, sums, estimate, self._fit), audit
        )
        if settings.passes > 1:
            audit = self._second(audit, estimate, plan)
        treatment = self._treat(audit, choice)
        after = self._retrain(treatment, before, audit.noise.given_true)
        flags = confident.flags(examples.labels, audit.probability)
        judged = judging.judge(examples, self.material.inputs, self.choosing, before, after)
        noise_of_test = self._carried(audit)
        noise = audit.noise.given_true if noise_of_test.alike else None
        winner = self._warmed(judged, treatment, audit.noise.given_true) if settings.warm_start == "on" else judged
        near = nearness.seen(examples, self.material, settings)
        opinion = Opinion(audit.probability, audit.posterior)
        findings = Findings(
            examples=examples,
            settings=settings,
            data=self.data,
            model=sha256(winner.model),
            plan=plan,
            cross_validation=cross_validation,
            audit=audit,
            self_confidence=confident.self_confidence(examples.labels, audit.probability),
            cleanlab_flagged=flags,
            cleanlab_given_true=confident.given_true(self.given[self.training], audit.probability[self.training]),
            choice=choice,
            treatment=treatment,
            comparison=judged.compared(noise, seed=settings.seed),
            noise_of_test=noise_of_test,
            predicted=judged.means(),
            served=winner.served(),
            relabelled_test=winner.relabelled(audit.probability, flags),
            verified=judged.verified(seed=settings.seed),
            data_issues=nearness.data_issues(near, opinion, settings),
            baselines=self._baselines(given),
            explained=self._explained(audit, plan, fold_models),
            outlook=self._outlook(),
            population=self._population(winner.model, audit, near),
            contest=contest.held(self.champion, winner, noise, seed=settings.seed) if self.champion else None,
        )
        return findings, delivery.artifact_of(findings, winner, self.material, self.champion)

    def _plan(self) -> folds.FoldPlan:
        """Divide the training rows into folds."""
        return folds.plan(
            self.examples.labels,
            self.examples.group,
            self.training,
            folds=self.settings.folds,
            repeats=self.settings.repeats,
            seed=self.settings.seed,
            classes=self.examples.classes,
        )

    def _seeds(
        self,
        targets: NDArray[np.int64] | NDArray[np.float32],
        weights: NDArray[np.float32],
        start: Model | None = None,
    ) -> list[Member]:
        """Give the S members whose models are compared: the same seeds before and after."""
        rows = np.flatnonzero(self.training).astype(np.int32)
        seeds = [own_seed(self.settings.seed, BASELINE_STREAM, s) for s in range(self.settings.seeds)]
        return [Member(rows, targets, weights, seed, start) for seed in seeds]

    def _fit(self, name: str, members: Sequence[Member], noise: NDArray[np.float64] | None = None) -> list[Model]:
        """Fit members; of treated labels the noise of the watched ones is given."""
        watch = None if self.watch is None else dataclasses.replace(self.watch, noise=noise)
        return self.fits.fit(name, self.material.learner, self.material.inputs, members, watch)

    def _out_of_fold(self, models: Sequence[Model], plan: folds.FoldPlan) -> NDArray[np.float64]:
        return out_of_fold([predictor.load(model) for model in models], plan, self.material.inputs)

    def _summed(self, plan: folds.FoldPlan, weights: NDArray[np.float32]) -> linear.Folds:
        return linear.summed(self.material.vectors, plan, self.examples.labels, weights, len(self.examples.classes))

    def _estimate(self, network: NDArray[np.float64], sums: linear.Folds) -> Estimate:
        """Learn what members of both kinds say, from the training rows' labels as given, and from what people said of them."""
        found = Members(linear.out_of_fold(self.material.vectors, sums), network)
        return members.learned(found, self.given, self._learning(), self.examples.group, self.examples.verified())

    def _learning(self) -> NDArray[np.bool_]:
        learning: NDArray[np.bool_] = self.training & (self.given >= 0)
        return learning

    def _audit(self, estimate: Estimate) -> Audit:
        examples = self.examples
        return examine(
            examples.labels,
            estimate,
            training=self.training,
            trusted=examples.trusted,
            group=examples.group,
            given=self.given,
        )

    def _second(self, audit: Audit, estimate: Estimate, plan: folds.FoldPlan) -> Audit:
        """Train the folds again without the worst rows, and audit again."""
        examples = self.examples
        weights = np.ones(len(examples), dtype=np.float32)
        weights[worst(audit, self.training)] = 0
        models = self._fit("second pass", folds.members(plan, examples.labels, weights))
        straight = linear.out_of_fold(self.material.vectors, self._summed(plan, weights))
        found = Members(straight, self._out_of_fold(models, plan))
        again = members.relearned(
            found, self.given, self._learning(), estimate, cleaned=True, truth=examples.verified()
        )
        return self._audit(again)

    def _choose(self, tried: trials.Tried, audit: Audit) -> Choice | None:
        """Try treatments where the policy asks for it and wrong labels can be found at all; None under any other policy."""
        if self.settings.policy != "auto":
            return None
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

    def _warmed(self, judged: Judged, treatment: Treatment, noise: NDArray[np.float64]) -> Judged:
        def fit(start: Model) -> list[Model]:
            members = self._seeds(treatment.targets, treatment.weights, start)
            return self._fit("warm start", members, noise if judged.treated else None)

        return warm.better(self.champion, judged, self.material, noise, fit)

    def _carried(self, audit: Audit) -> Carried:
        """Hold the test labels against those of train, both as they were given."""
        test, known = np.zeros_like(self.training), self.given >= 0
        test[self.examples.rows(Split.TEST)] = True
        return carried.judge(self.given, audit.probability, self.training & known, test & known)

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

    def _population(self, model: Model, audit: Audit, near: Nearness | None) -> Population | None:
        """See the rows together. What is only to be looked at costs no job: a fault is in the log, and the report says what is missing."""
        try:
            return population.described(self.examples, self.material, model, audit, near, settings=self.settings)
        except Exception:
            if isinstance(self.material.inputs, Sharded) or isinstance(self.material.vectors, Sharded):
                raise  # the other hosts may be waiting in the middle of it, for what this one will not give them
            log.exception("the map, clusters and slices of the report could not be made")
            return None

    def _outlook(self) -> Outlook | None:
        if self.settings.outlook == "off":
            return None
        material, settings = curve.for_job(self.material, len(self.examples.classes), self.settings)
        return curve.run(self.examples, material, settings, self.fits.fit)


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
