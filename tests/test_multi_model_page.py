"""Promises of the page on many models: its commands run as written, and the API is the one that it tables."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving.fleet import api

PAGE = (Path(__file__).parents[1] / "docs" / "multi_model.md").read_text()


@pytest.fixture
def models(tmp_path) -> Path:
    """The folder of the page, with its model of four numbers."""
    tensors = {
        "mean": np.zeros(4, np.float32),
        "scale": np.ones(4, np.float32),
        "weight.0": np.zeros((4, 2), np.float32),
        "bias.0": np.array([0, 9], np.float32),
    }
    model = Model("dense", {"inputs": 4, "width": 1, "depth": 0, "classes": 2}, tensors)
    artifact.save(tmp_path / "models" / "reviews", Artifact(model, ("negative", "positive"), "given"))
    return tmp_path


def test_the_commands_run_as_written(models) -> None:
    """A model is loaded, listed, asked and unloaded, and the server ends well."""
    (commands,) = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (models / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@" >/dev/null 2>&1\n')
    (models / "relabel").chmod(0o755)
    script = f"set -m\n{commands.replace('8080', port)}wait\n"
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=models,
        env={**os.environ, "PATH": f"{models}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    url = str(models / "models" / "reviews")
    said = [json.loads(part) for part in done.stdout.replace("}{", "}\n{").splitlines()]
    assert said[:2] == [{"status": "Workers scaled"}, {"models": [{"modelName": "reviews", "modelUrl": url}]}]
    assert said[2]["predictions"][0]["class"] == "positive"
    assert said[3:] == [{"status": 'Model "reviews" unregistered'}]


def test_the_table_has_every_path_and_method() -> None:
    """And no other."""
    tabled = set(re.findall(r"^\| `(\w+) (\S+)`", PAGE, flags=re.MULTILINE))
    parts = {path: api.route(path.replace("{name}", "a")).methods for _, path in tabled}
    assert tabled == {(method, path) for path, methods in parts.items() for method in methods} - {("POST", "/ping")}
    assert set(parts) == {"/ping", "/models", "/models/{name}", "/models/{name}/invoke"}


def test_the_python_of_the_page_parses() -> None:
    """It asks AWS, where no test does."""
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    compile(code, "multi_model.md", "exec")
