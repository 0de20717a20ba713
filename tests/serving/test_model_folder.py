"""Promises about a model folder that changes under a server: what was loaded at the start is what answers."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from relabel.model import artifact, training_rows
from relabel.model.artifact import Artifact, Model
from relabel.text import encoder_files

SEEN = np.array([[0, 0, 7, 0]], np.float32)
BODY = json.dumps({"instances": SEEN.tolist(), "labels": ["negative"]}).encode()


@pytest.fixture
def knowing_folder(model_folder) -> Path:
    """The folder of a model that knows its noise and its training rows, of which there are many."""
    many = np.arange(40_000, dtype=np.float32).reshape(-1, 4)
    made = dataclasses.replace(
        artifact.load(model_folder),
        noise=np.full((3, 3), 0.1) + np.eye(3) * 0.7,
        training_rows=np.sort(training_rows.hashes(np.concatenate([SEEN, many]))),
    )
    artifact.save(model_folder, made)
    return model_folder


def delete(folder: Path) -> None:
    """Take the folder away."""
    shutil.rmtree(folder)


def replace(folder: Path) -> None:
    """Put a model there that says the opposite."""
    there = artifact.load(folder)
    tensors = {**there.model.tensors, "weight.0": -there.model.tensors["weight.0"]}
    model = Model(there.model.kind, there.model.sizes, tensors)
    artifact.save(folder, dataclasses.replace(there, model=model, training_rows=None))


def cut(folder: Path) -> None:
    """Cut every file where it lies, as a copy over it does before it writes."""
    for path in folder.iterdir():
        os.truncate(path, 0)


@pytest.fixture
def embedding_folder(tiny_encoder, tmp_path) -> Path:
    """The folder of a model that has an encoder."""
    tensors = {
        "mean": np.zeros(32, np.float32),
        "scale": np.ones(32, np.float32),
        "weight.0": np.random.default_rng(0).standard_normal((32, 2), np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    model = Model("dense", {"inputs": 32, "width": 1, "depth": 0, "classes": 2}, tensors)
    read = encoder_files.describe(tiny_encoder)
    artifact.save(tmp_path / "model", Artifact(model, ("negative", "positive"), "given", input="text", text=read))
    return tmp_path / "model"


def test_an_encoder_that_is_cut_goes_on_reading(embedding_folder, serving) -> None:
    """Its weights are in memory, not a map of their file; a worker that takes the place of another has them too."""
    body = json.dumps({"instances": ["a good film", "so dull"]}).encode()
    with serving("--model", str(embedding_folder), "--workers", "1") as running:
        running.until_loaded()
        before = running.ask("POST", "/invocations", body)
        assert before[0] == 200
        for path in embedding_folder.rglob("*"):
            if path.is_file():
                os.truncate(path, 0)
        for _ in range(2):
            assert running.ask("POST", "/invocations", body) == before
            parent = running.process.pid
            os.kill(int(Path(f"/proc/{parent}/task/{parent}/children").read_text()), signal.SIGKILL)
            time.sleep(0.5)


@pytest.mark.parametrize("change", [delete, replace, cut])
def test_a_folder_that_changes_changes_no_answer(knowing_folder, serving, change) -> None:
    """Neither of the workers that run nor of those that take the place of killed ones; the server goes on."""
    with serving("--model", str(knowing_folder), "--workers", "2") as running:
        running.until_loaded()
        change(knowing_folder)
        for _ in range(2):
            answers = [json.loads(running.ask("POST", "/invocations", BODY)[1])["predictions"][0] for _ in range(8)]
            assert {(answer["class"], answer["in_sample"]) for answer in answers} == {("positive", True)}
            parent = running.process.pid
            for worker in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
                os.kill(int(worker), signal.SIGKILL)
            time.sleep(0.5)
        assert running.ask("GET", "/ping")[0] == 200
        assert running.process.poll() is None
