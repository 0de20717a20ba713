"""Promises of the policy auto: what it tries, what it may see, and how it ends."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from relabel.auditing import members
from relabel.auditing.members import Members
from relabel.auditing.policies import Limits
from relabel.container import environment
from relabel.data import identity, planted, reading
from relabel.data.examples import Dense, Examples
from relabel.data.reviews import Answer, line
from relabel.job import trials
from relabel.job.main import train
from relabel.job.material import Material
from relabel.model import predictor
from relabel.results import metrics_file
from relabel.settings import TrainSettings
from relabel.training import folds, linear
from relabel.training.learner import Hooks
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.out_of_fold import out_of_fold
from relabel.training.stack import Recipe

NOISE = np.array([[0.9, 0.1], [0.3, 0.7]])
QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003, "threads": 1, "report": "off"}


def examples_of(made) -> Examples:
    """Made reviews as training rows alone."""
    rows = made.given.size
    none = np.zeros(rows, bool)
    return Examples(
        features=Dense(made.embeddings),
        labels=made.given,
        split=np.zeros(rows, np.uint8),
        group=np.arange(rows),
        left_out=none,
        trusted=none,
        ids=np.full(rows, "", object),
        texts=None,
        classes=("0", "1"),
        files=("made",),
        file=np.zeros(rows, np.int32),
        row=np.arange(rows),
    )


@pytest.fixture(scope="module")
def tried():
    """What the trials of 900 rows in three folds start from, with the members of every fit by its name."""
    examples = examples_of(planted.reviews(900, width=16, noise=NOISE, seed=0))
    ones, every = np.ones(900, np.float32), np.ones(900, bool)
    learner, seen = Stacked(2, Recipe(max_epochs=4, lr=0.003)), {}

    def fit(name, wanted, _noise=None):
        seen[name] = wanted
        return learner.fit(examples.features, wanted, None, Hooks())

    plan = folds.plan(examples.labels, examples.group, every, folds=3, repeats=1, seed=0)
    made = folds.members(plan, examples.labels, ones)
    models = fit("folds", made)
    sums = linear.summed(examples.features, plan, examples.labels, ones, 2)
    network = out_of_fold([predictor.load(model) for model in models], plan, examples.features)
    found = Members(linear.out_of_fold(examples.features, sums), network)
    estimate = members.learned(found, examples.labels, every, examples.group)
    pairs = list(zip(made, models, strict=True))
    return trials.Tried(
        examples, Material(learner, examples.features, examples.features), plan, pairs, sums, estimate, fit
    ), seen


def trial_members(tried, seen) -> list[Member]:
    """Try two policies, and give the members that were trained on treated rows: three of each."""
    trials.choose(tried, ["drop", "soft"], Limits(), np.empty(0, np.intp))
    return seen["trials"]


def test_every_policy_has_a_member_for_each_fold_paired_with_the_folds_own(tried) -> None:
    """Rows, order and seeds are those of the fold's member; only targets and weights differ, and those on its rows alone."""
    start, seen = tried
    made = trial_members(start, seen)
    assert len(made) == 6
    for number, member in enumerate(made):
        own = start.fitted[number % 3][0]
        assert member.seed == own.seed
        np.testing.assert_array_equal(member.rows, own.rows)
    outside = start.plan.held_out(0, 0)
    assert (made[0].weights[outside] == 1).all()
    assert (made[0].weights[made[0].rows] == 0).sum() > 50
    np.testing.assert_array_equal(made[3].targets[outside], np.eye(2)[start.examples.labels[outside]])


def test_a_fold_has_no_say_in_the_treatment_that_it_judges(tried) -> None:
    """With all labels of a fold turned, the members it judges are treated exactly as before, at one strength; others are not."""
    start, seen = tried
    before = trial_members(start, seen)
    fold = start.plan.fold[0] == 0
    labels = np.where(fold, 1 - start.examples.labels, start.examples.labels)
    turned = dataclasses.replace(
        start,
        examples=dataclasses.replace(start.examples, labels=labels),
        linear=dataclasses.replace(
            linear.summed(start.material.vectors, start.plan, labels, np.ones(900, np.float32), 2),
            strength=start.linear.strength,
        ),
    )
    after = trial_members(turned, seen)
    for number in (0, 3):
        rows = before[number].rows
        np.testing.assert_array_equal(after[number].weights[rows], before[number].weights[rows])
        np.testing.assert_array_equal(after[number].targets[rows], before[number].targets[rows])
    assert (after[1].weights != before[1].weights).any()


def test_models_of_pairs_miss_both_folds(tried) -> None:
    """There is one for every pair of folds, and no row of either among its rows."""
    start, seen = tried
    trial_members(start, seen)
    fold = start.plan.fold[0]
    missed = [frozenset(range(3)) - set(fold[member.rows].tolist()) for member in seen["folds within folds"]]
    assert set(missed) == {frozenset(pair) for pair in ((0, 1), (0, 2), (1, 2))}


def job(tmp_path, noise, rows=3000, **settings) -> dict:
    """Run a job on made reviews, and give its figures."""
    for name, count, seed in (("train", rows, 0), ("dev", 400, 1), ("test", 600, 2)):
        made = planted.reviews(count, width=16, noise=np.array(noise), seed=seed, distance=2.5)
        planted.write(tmp_path / "input" / "data" / "train", name, made)
    here = environment.read({"RELABEL_ROOT": str(tmp_path)})
    assert train(here.paths, here, {**QUICK, **settings}, lambda _name, _done, _total: None).code == 0
    return metrics_file.read(tmp_path / "output" / "data")


def test_noise_that_can_be_found_is_treated(tmp_path) -> None:
    """Under 30% and 10% of class-conditional noise the best of drop, weight and soft is taken, with its evidence."""
    found = job(tmp_path, NOISE)
    choice, treatment = found["treatment"]["choice"], found["treatment"]
    assert found["audit"]["kind_of_noise"]["kind"] == "class_conditional"
    assert choice["outcome"] == "treated"
    assert set(choice["trials"]) == {"drop", "weight", "soft"}
    assert treatment[choice["best"]] > 100
    assert choice["trials"][choice["best"]]["log_loss"]["low"] > 0
    assert choice["rows"] > 3000, "train out of fold, and half of dev"
    assert choice["why"] in treatment["verdict"]
    assert found["comparison"]["corrected"]["log_loss"]["gain"]["value"] > 0


def test_what_people_mended_does_not_hide_what_is_left(tmp_path) -> None:
    """People take the worst rows first and are right: the next job still expects the errors that are left, and treats them."""
    before = job(tmp_path, NOISE)
    made = planted.reviews(3000, width=16, noise=NOISE, seed=0, distance=2.5)
    table = pd.read_parquet(tmp_path / "output" / "data" / "audit.parquet").iloc[:3000]
    asked = np.argsort(-table.posterior.to_numpy(), kind="stable")[:250]
    examples = reading.read({"train": tmp_path / "input" / "data" / "train"}, TrainSettings())
    hashes = [*identity.row_hashes(examples.features, examples.texts, len(examples))]
    answers = tmp_path / "input" / "data" / "reviewed" / "answers.jsonl"
    answers.parent.mkdir()
    answers.write_text(
        "".join(line(Answer(row_hash=hashes[row], answer=str(made.truth[row]), reviewer="ann")) for row in asked)
    )
    wrong = made.given != made.truth
    found, left = job(tmp_path, NOISE), wrong.sum() - wrong[asked].sum()
    low, high = found["audit"]["expected_errors_interval"]
    assert wrong[asked].sum() > 180
    assert low <= left <= high
    assert before["audit"]["expected_errors"] - 280 < found["audit"]["expected_errors"]
    assert found["audit"]["kind_of_noise"]["kind"] == "class_conditional"
    assert found["treatment"]["choice"]["outcome"] == "treated"
    assert found["treatment"][found["treatment"]["choice"]["best"]] > 100


def test_labels_without_noise_are_kept(tmp_path) -> None:
    """Nothing is changed, nothing is trained again, and the verdict says what was seen."""
    found = job(tmp_path, [[1.0, 0.0], [0.0, 1.0]])
    assert found["treatment"]["choice"]["outcome"] == "no_evidence"
    assert found["treatment"]["choice"]["trials"] == {}
    assert found["treatment"]["keep"] == sum(found["data"]["rows"].values())
    assert "kept for lack of evidence" in found["treatment"]["verdict"]
    assert found["served"]["fitted_on"] == "given"


def test_two_folds_are_too_few_for_a_trial(tmp_path) -> None:
    """Nothing is tried, and it says how many it takes."""
    found = job(tmp_path, NOISE, folds=2)
    assert found["audit"]["kind_of_noise"]["kind"] == "class_conditional"
    assert found["treatment"]["choice"]["outcome"] == "no_evidence"
    assert "3 folds or more" in found["treatment"]["verdict"]


def test_flips_are_tried_only_where_they_are_allowed(tmp_path) -> None:
    """With `flips` they stand among the trials."""
    found = job(tmp_path, NOISE, rows=1500, flips=True)
    assert set(found["treatment"]["choice"]["trials"]) == {"drop", "weight", "soft", "flip"}
