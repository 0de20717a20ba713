"""Promises of the doctor: what would fail is found before it fails, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relabel.container import environment
from relabel.data import layout, planted
from relabel.doctor import examination, training
from relabel.doctor.findings import Finding
from relabel.doctor.machine import Size
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.text import encoder_files, reader
from relabel.text.preprocessing import Preprocessing
from relabel.text.reader import TextInput
from relabel.text.words import Words

NOISE = np.array([[0.9, 0.1], [0.1, 0.9]])


def free_port() -> str:
    """A port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


@pytest.fixture
def root(tmp_path) -> Path:
    """A training job in which all is well."""
    for name, rows in (("train", 60), ("test", 20)):
        planted.write(tmp_path / "input" / "data" / "train", name, planted.reviews(rows, width=4, noise=NOISE, seed=1))
    (tmp_path / "input" / "config").mkdir()
    configured(tmp_path, "hyperparameters", {"max_epochs": "3"})
    return tmp_path


def configured(root: Path, name: str, said: object) -> None:
    """Write one of the platform's files."""
    (root / "input" / "config" / f"{name}.json").write_text(json.dumps(said))


def examined(root: Path, **variables: str) -> list[Finding]:
    """Examine a folder."""
    given = {"RELABEL_PORT": free_port(), **variables}
    return examination.examine(environment.read(given).moved(root))


def told(findings: list[Finding], level: str) -> list[str]:
    """Give `subject: text` of the findings of a level."""
    return [f"{finding.subject}: {finding.text}" for finding in findings if finding.level == level]


def save_model(folder: Path, kind: str = "dense", text: TextInput | None = None, takes: str = "embedding") -> None:
    """Write a small artifact."""
    folder.mkdir()
    tensors = {"weight": np.zeros((2, 4), np.float32), "bias": np.zeros(2, np.float32)}
    model = Model(kind, {"inputs": 4, "width": 1, "depth": 0, "classes": 2}, tensors)
    artifact.save(folder, Artifact(model, ("bad", "good"), "given", input=takes, text=text))


def test_texts_alone_and_embeddings_in_columns_are_no_problem(tmp_path) -> None:
    """A table needs no file of embeddings beside it, unless others have one and it has none inside."""
    channel = tmp_path / "input" / "data" / "train"
    channel.mkdir(parents=True)
    (channel / "train.csv").write_text("review,label\nx,0\ny,1\n")
    assert told(examined(tmp_path), "problem") == []
    assert "channels: train: train/train.csv" in told(examined(tmp_path), "ok")
    (channel / "train.csv").write_text("e0,e1,label\n1,2,0\n3,4,1\n")
    planted.write(channel, "test", planted.reviews(10, width=2, noise=NOISE, seed=1))
    assert told(examined(tmp_path), "problem") == []


def test_a_job_in_which_all_is_well_has_no_problem(root) -> None:
    """Every subject is named, files are listed with their splits, and what was set is said."""
    findings = examined(root)
    assert told(findings, "problem") == []
    subjects = {finding.subject for finding in findings}
    assert subjects >= {
        *("versions", "processors", "memory", "shm", "gpu", "disk", "model", "output", "checkpoints"),
        *("configuration", "settings", "channels", "hosts", "environment", "port"),
    }
    fine = told(findings, "ok")
    assert "channels: train: train/train.csv with train/train.npy" in fine
    assert "settings: max_epochs 3" in fine


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "a setting out of range": (
        lambda root: configured(root, "hyperparameters", {"lr": "-1"}),
        "settings: lr is '-1': give a number, above 0",
    ),
    "a setting of no name": (
        lambda root: configured(root, "hyperparameters", {"max_epoch": "3"}),
        "did you mean `max_epochs`",
    ),
    "torn JSON": (
        lambda root: (root / "input" / "config" / "hyperparameters.json").write_text("{"),
        "hyperparameters.json is broken JSON",
    ),
    "labels without embeddings": (
        lambda root: (root / "input" / "data" / "train" / "test.npy").unlink(),
        "channels: train/test.csv: labels without embeddings, and others have some: add test.pt or test.npy",
    ),
    "a channel of no meaning": (
        lambda root: (root / "input" / "data" / "extra").mkdir(),
        "channels: extra: unknown channel",
    ),
    "Pipe mode": (
        lambda root: configured(root, "inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}}),
        "configuration: channel `train` comes in Pipe mode",
    ),
    "a host of no address": (
        lambda root: configured(
            root, "resourceconfig", {"current_host": "b.invalid", "hosts": ["a.invalid", "b.invalid"]}
        ),
        "hosts: no address is known for a.invalid",
    ),
    "a model that was cut": (
        lambda root: (save_model(root / "model"), (root / "model" / "model.safetensors").write_bytes(b"")),
        "model: ",
    ),
}


@pytest.mark.parametrize(("harm", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_would_fail_is_a_problem_that_says_what_to_do(root, harm, said) -> None:
    """One problem for one fault."""
    harm(root)
    problems = told(examined(root), "problem")
    assert len(problems) == 1, problems
    assert said in problems[0]


def test_the_model_of_an_endpoint_is_described(tmp_path) -> None:
    """A folder with a model alone is examined as an endpoint: no job is missed."""
    save_model(tmp_path / "model")
    findings = examined(tmp_path)
    assert told(findings, "problem") == []
    assert "model: dense, 4 numbers in, classes bad, good" in told(findings, "ok")
    assert "channels" not in {finding.subject for finding in findings}


def test_a_model_of_texts_is_described_too(text_model, tmp_path) -> None:
    """By what it takes; one with an encoder takes both."""
    text_model.rename(tmp_path / "model")
    assert "model: tfidf, texts in, classes negative, positive" in told(examined(tmp_path), "ok")


def test_a_model_with_an_encoder_takes_both(tiny_encoder, tmp_path) -> None:
    """Vectors and texts."""
    save_model(tmp_path / "model", text=encoder_files.describe(tiny_encoder))
    findings = examined(tmp_path)
    assert told(findings, "problem") == []
    assert "model: dense, 4 numbers or texts in, classes bad, good" in told(findings, "ok")


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [("lstm", "torch"), ("fine_tuned", "transformers"), ("dense", "transformers"), ("boosted", ""), ("tfidf", "")],
)
def test_libraries_that_a_model_of_texts_needs_are_missed(tiny_encoder, tmp_path, monkeypatch, kind, lacking) -> None:
    """Before an endpoint fails to start; what numpy alone predicts needs none of them."""
    for name in ("torch", "transformers", "xgboost"):
        monkeypatch.setitem(sys.modules, name, None)
    text = encoder_files.describe(tiny_encoder) if kind == "dense" else reader.of_words(Words(Preprocessing(), ("a",)))
    save_model(tmp_path / "model", kind=kind, text=text, takes="embedding" if kind == "dense" else "text")
    problems = [text for text in told(examined(tmp_path), "problem") if text.startswith("model: ")]
    assert len(problems) == bool(lacking)
    assert all(lacking in text and "the image's text variant" in text for text in problems)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"learner": "boosted"}, "learner: xgboost is not installed"),
        ({"learner": "lstm", "baselines": "all"}, "learner: xgboost is not installed"),
        ({"learner": "fine_tuned"}, "encoder: the learner fine_tuned needs an encoder"),
    ],
)
def test_what_a_learner_of_texts_needs_is_missed(root, monkeypatch, chosen, said) -> None:
    """Before the job has read its data."""
    monkeypatch.setitem(sys.modules, "xgboost", None)
    configured(root, "hyperparameters", chosen)
    assert said in "\n".join(told(examined(root), "problem"))


def test_the_encoder_of_a_job_is_looked_at(root, tiny_encoder, monkeypatch) -> None:
    """What it says of itself, what is wrong with it, and whether its library is there."""
    channel = root / "input" / "data" / "encoder"
    shutil.copytree(tiny_encoder, channel)
    assert any(text.startswith("encoder: ") and "pooling mean" in text for text in told(examined(root), "ok"))
    monkeypatch.setitem(sys.modules, "transformers", None)
    (channel / "config.json").unlink()
    problems = told(examined(root), "problem")
    assert [text.split(":")[0] for text in problems] == ["learner", "encoder"]


def test_texts_alone_count_for_memory(tmp_path) -> None:
    """By the size of their files, whether tables or a folder for each class; what has embeddings counts by these."""
    channel = tmp_path / "input" / "data" / "train"
    for name in ("neg", "pos"):
        (channel / name).mkdir(parents=True)
        (channel / name / "1.txt").write_text("good")
    assert training.size(layout.find({"train": channel})) == Size(texts=8)
    (channel / "train.csv").write_text("review,label\nx,0\ny,1\n")
    assert training.size(layout.find({"train": channel})) == Size(texts=21)
    np.save(channel / "train.npy", np.zeros((2, 1), np.float32))
    assert training.size(layout.find({"train": channel})) == Size(embeddings=136)


def test_an_empty_place_is_told_what_to_mount(tmp_path) -> None:
    """Without data and without a model there is nothing to train on or to serve."""
    (problem,) = told(examined(tmp_path), "problem")
    assert problem.startswith("mounts: no data and no model")
    assert "--volume" in problem


def test_variables_that_mean_nothing_or_are_wrong_are_named(tmp_path) -> None:
    """A misspelt name is a warning with the nearest one; a wrong value is a problem."""
    save_model(tmp_path / "model")
    findings = examined(tmp_path, RELABEL_WORKER="2", RELABEL_TIMEOUT="soon")
    assert "environment: RELABEL_WORKER has no effect: did you mean RELABEL_WORKERS?" in told(findings, "warning")
    assert any("timeout is 'soon'" in text for text in told(findings, "problem"))


def test_a_required_gpu_that_is_not_there_is_a_problem(tmp_path) -> None:
    """As training and serving would fail then."""
    save_model(tmp_path / "model")
    (problem,) = told(examined(tmp_path, RELABEL_REQUIRE_GPU="1"), "problem")
    assert problem.startswith("gpu: ")
    assert "RELABEL_REQUIRE_GPU" in problem


def test_a_taken_port_is_a_warning(tmp_path) -> None:
    """It may be the endpoint that is asked about."""
    save_model(tmp_path / "model")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        findings = examined(tmp_path, RELABEL_PORT=str(taken.getsockname()[1]))
    assert any(text.startswith("port: ") and "is taken" in text for text in told(findings, "warning"))


def test_nothing_is_changed(root) -> None:
    """Examining leaves no file and no folder behind."""
    before = sorted(root.rglob("*"))
    examined(root)
    assert sorted(root.rglob("*")) == before


def test_the_command_is_quick_and_ends_with_2_where_there_is_a_problem(root) -> None:
    """It prints a line for each finding, or JSON, and loads neither torch nor pandas."""
    code = "import sys; from relabel.cli.main import main\ntry: main()\nfinally: print({'torch', 'pandas'} & {*sys.modules}, file=sys.stderr)"

    def doctor(*options: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "RELABEL_PORT": free_port()}
        command = [sys.executable, "-c", code, "doctor", "--root", root, *options]
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    well = doctor("--json")
    assert (well.returncode, well.stderr) == (0, "set()\n")
    assert {"level", "subject", "text"} == {*json.loads(well.stdout)[0]}
    configured(root, "hyperparameters", {"lr": "-1"})
    ill = doctor()
    assert ill.returncode == 2
    assert [line for line in ill.stdout.splitlines() if line.startswith("problem")]


def test_the_model_that_serves_now_is_looked_at(root, text_model) -> None:
    """What a training job would refuse is found before it; a good one is named with its classes."""
    channel = root / "input" / "data" / "model"
    shutil.copytree(text_model, channel)
    assert any("classes negative, positive" in each for each in told(examined(root), "ok"))
    (channel / artifact.TENSORS).write_bytes(b"torn")
    assert any("its hash is not the one" in each for each in told(examined(root), "problem"))


def test_folders_of_many_models_are_not_looked_at_as_one(tmp_path) -> None:
    """Where an endpoint has many, it is said where they are loaded from, or may be."""
    save_model(tmp_path / "model")
    (tmp_path / "model" / artifact.TENSORS).write_bytes(b"torn")
    findings = examined(tmp_path, SAGEMAKER_MULTI_MODEL="true")
    assert told(findings, "problem") == []
    assert f"models: they are loaded by requests, from below {tmp_path / 'model'}" in told(findings, "ok")
    shutil.rmtree(tmp_path / "model")
    assert any(
        str(tmp_path / "models") in each for each in told(examined(tmp_path, SAGEMAKER_MULTI_MODEL="1"), "warning")
    )
