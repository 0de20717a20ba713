"""Methods that find wrong labels: a case in, a ranking of its training rows out, with flags and a treated model where there are any.

Letters: n training rows, D width, C classes.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

import numpy as np
from cleanlab.classification import CleanLearning
from cleanlab.rank import get_label_quality_scores
from label_cases import Case
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from relabel import settings
from relabel.auditing import confident
from relabel.auditing.examine import worst_first
from relabel.auditing.noise import NoiseRates
from relabel.data.digest import digest
from relabel.data.examples import Split
from relabel.evaluation import metrics
from relabel.job import material, stages
from relabel.job.fits import Fits
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.results.findings import Findings
from relabel.settings import TrainSettings
from relabel.training import folds
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member, own_seed
from relabel.training.out_of_fold import out_of_fold, predict

NEIGHBOURS = 20
EPOCHS = 6  # of the model whose training dynamics are watched
STREAM = 91  # keeps the seeds of this module's models apart from those of a job


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a method says; None where it says nothing of the kind.

    score:     (n,) float, higher is worse.
    flagged:   (n,) bool.
    posterior: (n,) float, the probability that the given label is wrong.
    noise:     rates with intervals.
    keep:      accuracy on clean test labels of its model fitted on the labels as given.
    after:     the same, fitted on what it made of them.
    treated:   how many training rows it changed for that.
    """

    score: NDArray[np.floating]
    flagged: NDArray[np.bool_] | None = None
    posterior: NDArray[np.float64] | None = None
    noise: NoiseRates | None = None
    keep: float | None = None
    after: float | None = None
    treated: int | None = None


Method = Callable[[Case], Answer]


def job(overrides: str, case: Case) -> Answer:
    """Run our job with settings such as "passes=1,policy=drop", but for reading and writing."""
    chosen = _chosen(case, overrides)
    examples = case.examples
    with tempfile.TemporaryDirectory() as folder:
        fits = Fits(folder=Path(folder), data=digest(examples), build={}, every=3600.0, clock=time.monotonic)
        found: Findings = stages.run(examples, material.made(examples, chosen), fits.data, chosen, fits)[0]
    rows = case.train
    audit, order = found.audit, worst_first(found.audit.doubt, rows)
    score = np.empty(rows.size)
    score[np.searchsorted(rows, order)] = -np.arange(rows.size)
    return Answer(
        score=score,
        flagged=audit.flagged[rows],
        posterior=audit.posterior[rows],
        noise=audit.noise,
        keep=found.comparison.before.accuracy,
        after=found.comparison.after.accuracy,
        treated=int((found.treatment.decision[rows] != 0).sum()),
    )


def confident_learning(case: Case) -> Answer:
    """cleanlab's functions on our out-of-fold probabilities; what it flags is dropped and our models are fitted again."""
    probability = _held_out(case)
    flagged = confident.flags(case.given, probability)
    return _dropped(case, -confident.self_confidence(case.given, probability), flagged)


def adjusted(case: Case) -> Answer:
    """cleanlab's quality scores with adjusted probabilities, of our out-of-fold probabilities."""
    return Answer(-get_label_quality_scores(case.given, _held_out(case), adjust_pred_probs=True))


def clean_learning(case: Case) -> Answer:
    """CleanLearning(LogisticRegression) as it comes, on the embeddings as they are."""
    return _clean_learning(case, LogisticRegression(max_iter=1000))


def clean_learning_tuned(case: Case) -> Answer:
    """CleanLearning on standardised embeddings, with the regularisation that cross-validates best on the labels as given."""
    search = LogisticRegressionCV(
        Cs=np.logspace(-4, 0, 9),
        cv=5,
        scoring="neg_log_loss",
        max_iter=1000,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    )
    search.fit(StandardScaler().fit_transform(case.inputs(Split.TRAIN)), case.given)
    model = LogisticRegression(C=float(np.min(search.C_)), max_iter=1000)
    return _clean_learning(case, make_pipeline(StandardScaler(), model))


def datalab(case: Case) -> Answer:
    """Datalab's label issues from embeddings alone."""
    from cleanlab import Datalab  # noqa: PLC0415  # needs packages that nothing else here does: `pip install datasets`

    lab = Datalab({"label": case.given}, label_name="label", verbosity=0)
    lab.find_issues(features=case.inputs(Split.TRAIN), issue_types={"label": {}})
    issues = lab.get_issues("label")
    return Answer(-issues["label_score"].to_numpy(), issues["is_label_issue"].to_numpy())


def neighbours(case: Case) -> Answer:
    """Count the nearest neighbours by cosine that carry another label; flagged where they are most."""
    directions = normalize(case.inputs(Split.TRAIN))
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(directions).kneighbors(return_distance=False)
    other = (case.given[near] != case.given[:, None]).mean(axis=1)
    return Answer(other, other > 0.5)


def small_loss(case: Case) -> Answer:
    """The loss of each row, high is worse, of a model that saw it once."""
    return Answer(metrics.log_losses(case.given, _after_epochs(case, 1)))


def area_under_margin(case: Case) -> Answer:
    """The mean over epochs of how far the given label's logit lies above the highest other (Pleiss et al. 2020)."""
    given = case.given[:, None]
    margins = []
    for epochs in range(1, EPOCHS + 1):  # the same seed goes the same way, a little further each time
        logs = np.log(_after_epochs(case, epochs).astype(np.float64).clip(min=metrics.SMALLEST))
        own = np.take_along_axis(logs, given, axis=1)[:, 0]
        np.put_along_axis(logs, given, -np.inf, axis=1)
        margins.append(own - logs.max(axis=1))
    return Answer(-np.mean(margins, axis=0))


def oracle(case: Case) -> Answer:
    """Know the errors, and drop them: what dropping can be worth."""
    return _dropped(case, case.wrong.astype(float), case.wrong)


PEERS: Mapping[str, Method] = {
    "cleanlab on ours": confident_learning,
    "cleanlab on ours, adjusted": adjusted,
    "CleanLearning(LR)": clean_learning,
    "CleanLearning(LR), tuned": clean_learning_tuned,
    "Datalab": datalab,
    f"kNN-{NEIGHBOURS} vote": neighbours,
    "small loss": small_loss,
    f"AUM, {EPOCHS} epochs": area_under_margin,
    "errors known": oracle,
}

POLICIES = set(get_args(settings.fields(TrainSettings)["policy"][0])) - {"keep"}

JOBS = (
    "passes=2,policy=drop",
    "preset=quality,policy=drop",
    *(f"policy={name}" for name in sorted(POLICIES, key=lambda name: (name == "auto", name == "drop", name))),
)
"""Settings of our job that are compared: two passes, the preset for quality, and every policy that changes something."""


def methods(jobs: tuple[str, ...]) -> dict[str, Method]:
    """Name all methods: our job with each of these settings, then the peers, but for Datalab where its packages are missing."""
    peers = {name: method for name, method in PEERS.items() if method is not datalab or find_spec("datasets")}
    return {**{f"ours {overrides}": partial(job, overrides) for overrides in jobs}, **peers}


def _chosen(case: Case, overrides: str = "") -> TrainSettings:
    pairs = dict(pair.split("=", 1) for pair in overrides.split(",") if pair)
    return settings.parse(TrainSettings, {**pairs, "seed": case.seed})


def _held_out(case: Case) -> NDArray[np.float64]:
    """The job's out-of-fold probabilities (n, C) of one pass with default settings."""
    chosen, examples = _chosen(case), case.examples
    weights = np.ones(len(examples), dtype=np.float32)
    training = examples.split == Split.TRAIN
    plan = folds.plan(
        examples.labels,
        examples.group,
        training,
        folds=chosen.folds,
        repeats=chosen.repeats,
        seed=chosen.seed,
    )
    models = _fitted(case, folds.members(plan, examples.labels, weights), chosen)
    return out_of_fold([predictor.load(model) for model in models], plan, case.features)[case.train]


def _dropped(case: Case, score: NDArray[np.floating], flagged: NDArray[np.bool_]) -> Answer:
    """Drop the flagged rows (n,) and fit as many of the job's models as it compares, before and after."""
    return Answer(
        score,
        flagged,
        keep=_accuracy(case, np.ones_like(flagged)),
        after=_accuracy(case, ~flagged),
        treated=int(flagged.sum()),
    )


def _accuracy(case: Case, kept: NDArray[np.bool_]) -> float:
    """Mean accuracy on test of the job's models fitted on the kept training rows (n,)."""
    chosen, test = _chosen(case), case.examples.rows(Split.TEST)
    models = _fitted(case, [_member(case, case.train[kept], s) for s in range(chosen.seeds)], chosen)
    predicted = [predict(predictor.load(model), case.features, test) for model in models]
    return metrics.mean(tuple(metrics.score(case.examples.labels[test], each) for each in predicted)).accuracy


def _after_epochs(case: Case, epochs: int) -> NDArray[np.float32]:
    """Probabilities (n, C) of one of the job's models, after some epochs, on the very rows that it learned from."""
    models = _fitted(case, [_member(case, case.train, 0)], _chosen(case, f"max_epochs={epochs}"))
    return predict(predictor.load(models[0]), case.features, case.train)


def _member(case: Case, rows: NDArray[np.intp], number: int) -> Member:
    weights = np.ones(len(case.examples), dtype=np.float32)
    return Member(rows.astype(np.int32), case.examples.labels, weights, own_seed(case.seed, STREAM, number))


def _fitted(case: Case, members: list[Member], chosen: TrainSettings) -> list[Model]:
    learner = Stacked(len(case.examples.classes), material.recipe(chosen))
    return learner.fit(case.features, members, None, Hooks())


def _clean_learning(case: Case, model: Any) -> Answer:
    rows, test = case.inputs(Split.TRAIN), case.inputs(Split.TEST)
    clean = case.examples.labels[case.examples.rows(Split.TEST)]
    keep = float((model.fit(rows, case.given).predict(test) == clean).mean())
    learning = CleanLearning(model, seed=case.seed, find_label_issues_kwargs={"n_jobs": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learning.fit(rows, case.given)
    issues = learning.get_label_issues()
    flagged = issues["is_label_issue"].to_numpy()
    return Answer(
        -issues["label_quality"].to_numpy(),
        flagged,
        keep=keep,
        after=float((learning.predict(test) == clean).mean()),
        treated=int(flagged.sum()),
    )
