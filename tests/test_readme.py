"""Promises of the README: every command in it works as written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from relabel import settings
from relabel.data import planted
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import capture_files
from relabel.monitoring.capture_files import Message, Request
from relabel.settings import ServeSettings, TrainSettings

ROOT = Path(__file__).parents[1]
SERVING = (ROOT / "docs" / "serving.md").read_text()
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
SHELL = [block for language, block in BLOCKS if language == "sh"]
ON_AWS = re.findall(r"^<!-- tests/aws run this block -->\n```sh\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
OURS = [block for block in SHELL if block.startswith("relabel ") and block not in ON_AWS]
PATH = README.partition("## From labels to an endpoint")[2].partition("\n## ")[0]
"""The section whose blocks are run one after another by tests/image/cloud/test_whole_path.py."""


@pytest.fixture
def place(channel, tmp_path) -> Path:
    """A folder as a reader has it: data, labels and probabilities, and `relabel` on the PATH."""
    shutil.copytree(channel(rows=1500) / "input" / "data" / "train", tmp_path / "my-data")
    rng = np.random.default_rng(0)
    good = rng.beta(0.2, 0.2, 500)
    labels = (rng.random(500) < 0.1 + 0.8 * good).astype(int)
    np.save(tmp_path / "labels.npy", labels)
    np.save(tmp_path / "probabilities.npy", np.stack([0.9 - 0.8 * good, 0.1 + 0.8 * good], axis=1))
    (tmp_path / "labels.csv").write_text("label\n" + "".join(f"{label}\n" for label in labels))
    given = [
        (row, who, label if rng.random() < sure else 1 - label)
        for who, sure in (("ann", 0.95), ("bo", 0.7))
        for row, label in enumerate(labels)
    ]
    (tmp_path / "annotations.csv").write_text(
        "row,annotator,label\n" + "".join(f"{n},{who},{label}\n" for n, who, label in given)
    )
    captured(tmp_path / "captured")
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    return tmp_path


def captured(folder: Path) -> None:
    """Write traffic like the data, as the platform captures it."""
    time = np.datetime64("2026-03-01T12:00:00", "s")
    made = planted.reviews(500, width=16, noise=np.eye(2), seed=9)
    bodies = [json.dumps({"instances": [row]}).encode() for row in made.embeddings.tolist()]
    lines = [Request(f"{n}", time, Message("application/json", body), None) for n, body in enumerate(bodies)]
    path = folder / capture_files.path_of(time, "part")
    path.parent.mkdir(parents=True)
    path.write_text("".join(map(capture_files.written, lines)))


def shell(block: str, cwd: Path, timeout: float = 300, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a block as a reader pastes it, ending at the first command that fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_every_block_has_a_test() -> None:
    """Blocks are commands of ours, of the section on containers, Python, or the two make targets with their output."""
    assert len(OURS) >= 2
    assert [block for block in SHELL if block not in PATH and block not in ON_AWS] == OURS
    consoles = [block for language, block in BLOCKS if language == "console"]
    assert [block.splitlines()[0] for block in consoles] == ["$ make demo", "$ make test"]
    assert {language for language, _ in BLOCKS} == {"sh", "console", "python"}


@pytest.mark.parametrize("block", OURS)
def test_our_commands_run_as_written(place, block) -> None:
    """`relabel …` ends with 0, and what the README says it writes is there."""
    if "best.ckpt" in block:
        import torch  # noqa: PLC0415  # seconds

        torch.save({"state_dict": torch.nn.Sequential(torch.nn.Linear(4, 1)).state_dict()}, place / "best.ckpt")
    done = shell(block, place, PATH=f"{place / 'bin'}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    if "relabel train" in block:
        for name in re.findall(r"^\| `(out/\S+?)`", README, flags=re.MULTILINE):
            if "{" not in name and not name.endswith("failure"):
                assert (place / name).exists(), name


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"])
def test_python_runs_as_written(place, block) -> None:
    """The Python of the README runs, and prints rows."""
    done = subprocess.run([sys.executable, "-c", block], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "posterior" in done.stdout


def test_the_settings_tables_are_made_from_the_settings() -> None:
    """The tables of the pages are those that the settings give."""
    assert settings.markdown(TrainSettings) in README, "run `make readme`"
    assert settings.markdown(ServeSettings) in SERVING, "run `make readme`"


def test_the_app_is_made_as_the_page_on_serving_says(tmp_path) -> None:
    """Its Python runs, beside a model, and what it makes is a WSGI application that answers."""
    (block,) = re.findall(r"^```python\n(.*?)^```", SERVING, flags=re.MULTILINE | re.DOTALL)
    arrays = {"mean": (2,), "scale": (2,), "weight.0": (2, 2), "bias.0": (2,)}
    tensors = {name: np.ones(shape, np.float32) for name, shape in arrays.items()}
    model = Model("dense", {"inputs": 2, "width": 1, "depth": 0, "classes": 2}, tensors)
    artifact.save(tmp_path / "out" / "model", Artifact(model, ("bad", "good"), "given"))
    ask = "print(application.test_client().post('/invocations', json=[1, 2]).status_code)"
    done = subprocess.run(
        [sys.executable, "-c", block + ask], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
