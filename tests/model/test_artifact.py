"""Promises of the artifact and its predictors."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from relabel.errors import UserError
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model
from relabel.training.learners.stacked import Stacked

SIZES = {"inputs": 5, "width": 4, "depth": 2, "classes": 3}


def dense(seed: int = 0) -> Model:
    """A dense model of random weights."""
    rng = np.random.default_rng(seed)
    shapes = {
        "mean": (5,),
        "weight.0": (5, 4),
        "bias.0": (4,),
        "weight.1": (4, 4),
        "bias.1": (4,),
        "weight.2": (4, 3),
        "bias.2": (3,),
    }
    tensors = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return Model("dense", SIZES, tensors | {"scale": rng.uniform(1, 2, 5).astype(np.float32)})


def test_an_artifact_comes_back_as_it_was_saved(tmp_path) -> None:
    """Tensors, classes, noise and provenance survive, and saving twice gives the same bytes."""
    kept = Artifact(dense(), ("a", "b", "c"), "treated", noise=np.eye(3), provenance={"seed": 3})
    artifact.save(tmp_path / "one", kept)
    artifact.save(tmp_path / "two", kept)
    back = artifact.load(tmp_path / "one")
    assert (back.classes, back.fitted_on, back.provenance["seed"], back.model.kind) == (
        ("a", "b", "c"),
        "treated",
        3,
        "dense",
    )
    for name, tensor in kept.model.tensors.items():
        np.testing.assert_array_equal(back.model.tensors[name], tensor)
    for name in (artifact.TENSORS, artifact.DESCRIPTION):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_training_rows_and_temperature_come_back(tmp_path) -> None:
    """The rows mapped from their file and not read into memory; saving them in their own place works too."""
    rows = np.array([1, 5, 2**64 - 1], np.uint64)
    artifact.save(tmp_path, Artifact(dense(), ("a", "b", "c"), "given", temperature=1.5, training_rows=rows))
    for _ in range(2):
        back = artifact.load(tmp_path)
        assert isinstance(back.training_rows, np.memmap)
        assert (back.temperature, back.training_rows.tolist()) == (1.5, rows.tolist())
        assert {path.name for path in tmp_path.iterdir()} == set(back.files)
        artifact.save(tmp_path, back)


def test_training_rows_that_are_not_those_of_the_model_are_refused(tmp_path) -> None:
    """Missing, changed, of another kind, or fewer than the description says; and none stay when another model takes the place."""
    known = Artifact(dense(), ("a", "b", "c"), "given", training_rows=np.arange(9, dtype=np.uint64))
    artifact.save(tmp_path, known)
    path, description = tmp_path / artifact.TRAINING_ROWS, tmp_path / artifact.DESCRIPTION
    described = json.loads(description.read_text())
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(UserError, match=r"training_rows.npy: its hash is not the one"):
        artifact.load(tmp_path)
    for other, said in ((np.arange(9.0), "no list of hashes"), (np.arange(8, dtype=np.uint64), "no list of hashes")):
        np.save(path, other)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        description.write_text(json.dumps({**described, "training_rows": {"count": 9, "sha256": digest}}))
        with pytest.raises(UserError, match=said):
            artifact.load(tmp_path)
    path.unlink()
    with pytest.raises(UserError, match=r"no such file, but model\.json names it"):
        artifact.load(tmp_path)
    description.write_text(json.dumps({**described, "training_rows": None}))
    assert artifact.load(tmp_path).training_rows is None, "whoever wants none can leave them out"
    artifact.save(tmp_path, known)
    artifact.save(tmp_path, Artifact(dense(), ("a", "b", "c"), "given"))
    assert {path.name for path in tmp_path.iterdir()} == set(artifact.FILES)
    assert artifact.load(tmp_path).training_rows is None


@pytest.mark.parametrize("temperature", [0, -1, float("inf"), "1", None, True])
def test_a_temperature_that_is_none_is_refused(tmp_path, temperature) -> None:
    """It would be met at the first request with a label."""
    artifact.save(tmp_path, Artifact(dense(), ("a", "b", "c"), "given"))
    described = json.loads((tmp_path / artifact.DESCRIPTION).read_text())
    (tmp_path / artifact.DESCRIPTION).write_text(json.dumps({**described, "temperature": temperature}))
    with pytest.raises(UserError, match="temperature"):
        artifact.load(tmp_path)


def test_a_changed_artifact_is_refused(tmp_path) -> None:
    """Tensors that are not those the description was written with, a missing file, another schema: each is named."""
    artifact.save(tmp_path, Artifact(dense(), ("a", "b", "c"), "given"))
    whole = (tmp_path / artifact.TENSORS).read_bytes()
    (tmp_path / artifact.TENSORS).write_bytes(whole[:-1] + b"x")
    with pytest.raises(UserError, match="hash"):
        artifact.load(tmp_path)
    described = json.loads((tmp_path / artifact.DESCRIPTION).read_text())
    (tmp_path / artifact.DESCRIPTION).write_text(json.dumps({**described, "schema": 99}))
    with pytest.raises(UserError, match="schema 99"):
        artifact.load(tmp_path)
    (tmp_path / artifact.DESCRIPTION).write_text(json.dumps({"schema": artifact.SCHEMA, "kind": "dense"}))
    with pytest.raises(UserError, match=r"no classes, .*tensors_sha256"):
        artifact.load(tmp_path)
    (tmp_path / artifact.TENSORS).unlink()
    with pytest.raises(UserError, match=r"no model\.safetensors"):
        artifact.load(tmp_path)


def test_the_folder_of_a_job_is_told_from_its_models(tmp_path) -> None:
    """Who names the job's folder is told where in it the model lies; an empty folder has no such hint."""
    artifact.save(tmp_path / "out" / "model", Artifact(dense(), ("a", "b", "c"), "given"))
    with pytest.raises(UserError, match=r"did you mean .*out/model\?"):
        artifact.load(tmp_path / "out")
    with pytest.raises(UserError) as empty:
        artifact.load(tmp_path)
    assert "did you mean" not in str(empty.value)


def test_a_dense_model_predicts_what_its_arithmetic_says() -> None:
    """Standardise, multiply, ReLU, softmax: written out plainly, the probabilities agree to 1e-5."""
    model = dense()
    x = np.random.default_rng(1).normal(size=(20_000, 5)).astype(np.float32)
    hidden = (x - model.tensors["mean"]) / model.tensors["scale"]
    for n in range(2):
        hidden = np.maximum(hidden @ model.tensors[f"weight.{n}"] + model.tensors[f"bias.{n}"], 0)
    logits = np.exp(hidden @ model.tensors["weight.2"] + model.tensors["bias.2"])
    np.testing.assert_allclose(predictor.load(model)(x), logits / logits.sum(axis=1, keepdims=True), atol=1e-5)


def test_tensors_that_do_not_fit_are_all_named() -> None:
    """Every missing or misshapen tensor is in the one message."""
    model = dense()
    tensors = {name: value for name, value in model.tensors.items() if name != "bias.1"} | {"mean": np.zeros(4)}
    with pytest.raises(UserError, match=r"(?s)mean.*\(4,\).*\(5,\).*bias\.1.*missing"):
        predictor.load(Model("dense", SIZES, tensors))


def test_every_learner_has_a_predictor() -> None:
    """What a learner fits can be served."""
    for learner in (Stacked,):
        kind = learner.__dataclass_fields__["kind"].default
        assert kind in predictor.PREDICTORS
    with pytest.raises(UserError, match="'forest'"):
        predictor.load(Model("forest", {}, {}))
