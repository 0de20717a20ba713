"""Promises of the image for texts as a tracked job sees it, and of the workflow's steps that try an image."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from relabel.results import run_record

pytestmark = pytest.mark.image

ROOT = Path(__file__).parents[2]
STORE = ("--env", "MLFLOW_ALLOW_FILE_STORE=true", "--env", "MLFLOW_TRACKING_URI=file:///opt/ml/runs")


def test_a_job_of_the_image_for_texts_is_tracked(text_image, job) -> None:
    """What was taken out of its packages is not missed: parameters, curves, artifacts and the model arrive."""
    root = job()
    ended = text_image.given(*STORE).run(root, "train")
    assert ended.code == 0, ended.log
    assert "WARNING" not in ended.log
    run = run_record.read(root / "output" / "data")["tracked"]
    [kept] = (root / "runs").glob(f"*/{run}")
    assert (kept / "artifacts" / "model" / "MLmodel").is_file()
    assert (kept / "artifacts" / "report.html").is_file()
    assert len((kept / "metrics" / "training_log_loss" / "retraining").read_text().splitlines()) > 1
    assert "status: 3" in (kept / "meta.yaml").read_text(), "finished"


@pytest.mark.parametrize("variant", ["image", "text_image"])
def test_a_server_that_is_down_costs_one_warning(request, job, variant) -> None:
    """Of the image without MLflow's client too; the job is as good as without."""
    image = request.getfixturevalue(variant)
    root = job()
    ended = image.given("--env", "MLFLOW_TRACKING_URI=http://127.0.0.1:9").run(root, "train")
    assert ended.code == 0, ended.log
    assert len(re.findall(r"^WARNING.*MLflow", ended.log, re.MULTILINE)) == 1
    assert (root / "model" / "model.json").is_file()


def test_the_workflow_s_steps_train_with_an_image_and_ask_it(image, tmp_path) -> None:
    """As GitHub runs them, one after another, and no container is left."""
    steps = yaml.safe_load((ROOT / "docs" / "github_actions" / "image.yml").read_text())["jobs"]["image"]["steps"]
    commands = {step["name"]: step["run"] for step in steps if "run" in step}
    shutil.copytree(
        ROOT / "local_test", tmp_path / "local_test", ignore=shutil.ignore_patterns("model", "output", "checkpoints")
    )
    (tmp_path / "docker").symlink_to(shutil.which(image.client) or image.client)
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "DOCKER": image.client, "PORT": port}
    said = ""
    for name in ("Train", "Serve and ask"):
        command = commands[name].replace("relabel:under-test", image.tag).replace("8080", port)
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    assert said.count("probabilities") >= 3
    assert image.call("ps", "--all", "--quiet", "--filter", f"name=relabel-local-{port}").log == ""
