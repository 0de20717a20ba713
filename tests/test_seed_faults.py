"""The nine faults of the seed project, each shown in its faulty form beside the promise that holds here."""

from __future__ import annotations

import json
import pickle
import zipfile

import numpy as np
import pytest

from relabel.auditing import confident
from relabel.container import environment
from relabel.data import planted
from relabel.data.examples import Dense, Split
from relabel.evaluation import metrics
from relabel.job.fits import Fits
from relabel.job.main import train
from relabel.model import artifact, predictor
from relabel.serving import capacity
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import handle
from relabel.serving.messages import Request
from relabel.serving.served import load
from relabel.settings import ServeSettings
from relabel.training import folds
from relabel.training.learner import Hooks, Watch
from relabel.training.learners.stacked import Stacked
from relabel.training.member import Member
from relabel.training.out_of_fold import out_of_fold
from relabel.training.stack import Recipe

QUICK = {"seeds": 2, "folds": 3, "max_epochs": 6, "lr": 0.003, "threads": 1, "report": "off"}


@pytest.fixture
def job(channel):
    """Run a job; give its root and its findings."""

    def start(**settings: object):
        root = channel({**QUICK, **settings}, rows=1800)
        here = environment.read({"RELABEL_ROOT": str(root)})
        done = train(here.paths, here, {}, lambda _name, _done, _total: None)
        assert done.code == 0
        return root, done.findings

    return start


def data(n: int = 600, width: int = 8) -> tuple[Dense, np.ndarray]:
    """Separable rows and their labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n)
    return Dense((rng.normal(size=(n, width)) + labels[:, None]).astype(np.float32)), labels


def test_fault_1_test_labels_are_not_changed_by_the_model_under_test(job) -> None:
    """The reported accuracy is on the test labels as given; the seed's, on labels that the audit flipped, is higher and says why."""
    root, findings = job(policy="flip", flip_above=0.0)
    examples = findings.examples
    test = examples.rows(Split.TEST)
    served = predictor.load(artifact.load(root / "model").model)
    predicted = served(examples.features.take(test)).argmax(axis=1)
    honest = (predicted == examples.labels[test]).mean()
    flips = np.where(findings.cleanlab_flagged, findings.audit.probability.argmax(axis=1), examples.labels)[test]
    faulty = (predicted == flips).mean()
    final = json.loads((root / "output" / "data" / "final-results.json").read_text())
    assert final["acc"] == pytest.approx(honest)
    assert final["seed_protocol"]["acc"] == pytest.approx(faulty)
    assert faulty > honest
    assert "optimistic" in final["seed_protocol"]["note"]
    assert (findings.treatment.decision[examples.split != Split.TRAIN] == 0).all()


def test_fault_2_a_boolean_mask_is_never_used_as_indices(job) -> None:
    """Taken as row numbers, a mask names rows 0 and 1 only, again and again; here what is flagged is what the mask marks."""
    _, findings = job()
    mask = confident.flags(findings.examples.labels, findings.audit.probability)
    assert mask.dtype == np.bool_
    assert mask.shape == findings.examples.labels.shape
    faulty = set(mask.astype(int).tolist())
    assert faulty == {0, 1}
    assert set(np.flatnonzero(findings.cleanlab_flagged)) == set(np.flatnonzero(mask)) != faulty
    assert findings.cleanlab_flagged.mean() < 0.5


def test_fault_3_probabilities_belong_to_their_rows() -> None:
    """Rows in another order get the same probabilities, row by row; a shuffled prediction would not agree with the labels."""
    features, labels = data()
    plan = folds.plan(labels, np.arange(600), np.ones(600, bool), folds=3, repeats=1, seed=0)
    models = Stacked(2, Recipe(max_epochs=5, lr=0.01), "cpu").fit(
        features, folds.members(plan, labels, np.ones(600, np.float32)), None, Hooks()
    )
    probability = out_of_fold([predictor.load(model) for model in models], plan, features)
    faulty = probability[np.random.default_rng(1).permutation(600)]
    assert metrics.score(labels, probability).accuracy > 0.85
    assert metrics.score(labels, faulty).accuracy < 0.65
    for model, (repeat, fold) in zip(models, plan.places(), strict=True):
        held = plan.held_out(repeat, fold)
        np.testing.assert_allclose(predictor.load(model)(features.array[held]), probability[held], atol=1e-6)


def test_fault_4_a_last_batch_of_one_row_is_scored_and_trained_on() -> None:
    """One row is a (1, C) batch throughout; `squeeze` would take its batch away and leave a number."""
    features, labels = data(33)
    (model,) = Stacked(2, Recipe(batch_size=32), "cpu").fit(
        features, [Member(np.arange(33, dtype=np.int32), labels, np.ones(33, np.float32), 0)], None, Hooks()
    )
    one = predictor.load(model)(features.array[:1])
    assert one.shape == (1, 2)
    assert np.squeeze(one[:, 1]).shape == ()
    assert metrics.score(labels[:1], one).rows == 1


def test_fault_5_each_fold_watches_a_figure_that_exists_and_keeps_its_own_best(tmp_path) -> None:
    """Every fold stops on its own log loss of the watched rows, and its kept model is its own, not the last fold's."""
    features, labels = data()
    wrong = np.where(np.random.default_rng(2).random(600) < 0.4, 1 - labels, labels)
    plan = folds.plan(labels, np.arange(600), np.arange(600) < 450, folds=3, repeats=1, seed=0)
    watch = Watch(np.arange(450, 600, dtype=np.int32), labels[450:])
    learner = Stacked(2, Recipe(max_epochs=60, lr=0.02, patience=2), "cpu")
    members = folds.members(plan, wrong, np.ones(600, np.float32))

    def fit() -> list[artifact.Model]:
        return Fits(folder=tmp_path, data="d", build={}, every=9e9, clock=lambda: 0.0).fit(
            "folds", learner, features, members, watch
        )

    models, kept = fit(), fit()
    for model, again in zip(models, kept, strict=True):
        np.testing.assert_array_equal(model.tensors["weight.0"], again.tensors["weight.0"])
    assert not np.array_equal(kept[0].tensors["weight.0"], kept[2].tensors["weight.0"])
    last = Stacked(2, Recipe(max_epochs=60, lr=0.02), "cpu").fit(features, members, None, Hooks())

    def watched(model: artifact.Model) -> float:
        return metrics.score(watch.labels, predictor.load(model)(features.array[watch.rows])).log_loss

    assert all(watched(best) < watched(end) for best, end in zip(models, last, strict=True))


def test_fault_6_duplicates_do_not_straddle_folds_or_splits(channel) -> None:
    """Copies of a row lie in one fold and are scored in one split; plain row-wise folds would put them in several."""
    root = channel(QUICK)
    folder = root / "input" / "data" / "train"
    made = planted.reviews(300, width=16, noise=np.eye(2), seed=9)
    copies = planted.Planted(
        *(np.concatenate([part, part]) for part in (made.embeddings, made.texts, made.truth, made.given))
    )
    planted.write(folder, "train", planted.Planted(copies.embeddings, list(copies.texts), copies.truth, copies.given))
    planted.write(
        folder, "test", planted.Planted(made.embeddings[:90], made.texts[:90], made.truth[:90], made.given[:90])
    )
    here = environment.read({"RELABEL_ROOT": str(root)})
    findings = train(here.paths, here, {}, lambda _name, _done, _total: None).findings
    examples = findings.examples
    assert examples.left_out.sum() == 180, "both copies of the 90 rows that are also in test"
    training = examples.rows(Split.TRAIN)
    assert not set(examples.group[training]) & set(examples.group[examples.rows(Split.TEST)])
    in_fold = [set(examples.group[np.flatnonzero(findings.plan.fold[0] == f)]) for f in range(3)]
    assert not in_fold[0] & in_fold[1]
    assert not in_fold[0] & in_fold[2]
    faulty = np.arange(training.size) * 3 // training.size  # unshuffled folds
    assert set(examples.group[training[faulty == 0]]) & set(examples.group[training[faulty == 1]])


def test_fault_7_figures_are_over_rows_not_over_batches() -> None:
    """A last batch of one wrong row counts as one row of 33, not as half of two batches."""
    labels = np.zeros(33, int)
    probability = np.tile([0.9, 0.1], (33, 1))
    probability[32] = [0.1, 0.9]
    faulty = np.mean(
        [metrics.score(labels[part], probability[part]).accuracy for part in (slice(0, 32), slice(32, 33))]
    )
    assert faulty == pytest.approx(0.5)
    score = metrics.score(labels, probability)
    assert score.accuracy == pytest.approx(32 / 33)
    assert score.log_loss == pytest.approx((32 * -np.log(0.9) - np.log(0.1)) / 33)


def test_fault_8_no_file_of_the_job_is_a_pickle_or_names_a_device(job) -> None:
    """Model and checkpoints are plain tensors and JSON: nothing to unpickle, nothing stored on a GPU."""
    root, _ = job()
    written = [
        path for part in ("model", "checkpoints", "output") for path in (root / part).rglob("*") if path.is_file()
    ]
    assert any(path.suffix == ".safetensors" for path in written)
    for path in written:
        content = path.read_bytes()
        assert not zipfile.is_zipfile(path), f"{path.name}: torch.save writes zip files"
        assert b"cuda:" not in content
        with pytest.raises(
            (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError, ImportError)
        ):
            pickle.loads(content)  # noqa: S301  # that it is none is the point


def test_fault_9_the_model_of_a_job_answers_invocations(job) -> None:
    """What training wrote is loaded by serving and predicts, with the class order it was trained with."""
    root, findings = job()
    settings = ServeSettings()
    endpoint = Endpoint(load(root / "model"), settings, capacity.of(settings, cores=1, memory=1 << 32))
    rows = findings.examples.rows(Split.TEST)[:3]
    vectors = findings.examples.features.take(rows)
    body = json.dumps({"instances": vectors.tolist()}).encode()
    answer = handle(Request("POST", "/invocations", "application/json", body=body), endpoint)
    assert answer.status == 200
    predictions = json.loads(answer.body)["predictions"]
    expected = predictor.load(artifact.load(root / "model").model)(vectors)
    np.testing.assert_allclose([p["probabilities"] for p in predictions], expected, atol=1e-5)
    assert [p["label"] for p in predictions] == expected.argmax(axis=1).tolist()
