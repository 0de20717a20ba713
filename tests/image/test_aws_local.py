"""Promises of `relabel aws … --local`: the commands, one after another, on the image under the SageMaker SDK's local mode."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from relabel.data import planted

pytestmark = pytest.mark.image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "aws_hosting.md").read_text()
BLOCK = re.compile(
    r"^<!-- tests run this block where there is a Docker engine -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
ROWS, WIDTH = 300, 16
QUICK = ("--seeds", "2", "--folds", "3", "--max-epochs", "4", "--lr", "0.003", "--preset", "fast")


@pytest.fixture
def shell(image, tmp_path) -> Iterator[Callable[[str], str]]:
    """A folder with data, and a way to run a command line in it; at the end nothing runs that was started there."""
    for name, rows, seed in (("train", 600, 0), ("dev", 200, 1), ("test", ROWS, 2)):
        made = planted.reviews(rows, width=WIDTH, noise=NOISE, seed=seed)
        planted.write(tmp_path / "my-data", name, made)
    with (tmp_path / "my-data" / "test.csv").open() as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    vectors = np.load(tmp_path / "my-data" / "test.npy")
    (tmp_path / "labelled").mkdir()
    with (tmp_path / "labelled" / "test.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", *range(WIDTH)])
        writer.writerows([label, *row] for label, row in zip(labels, vectors.tolist(), strict=True))
    (tmp_path / "request.json").write_text(json.dumps({"instances": vectors[:2].tolist()}))
    (tmp_path / "bin").mkdir()
    # The SDK runs `docker`, whatever the engine's client is called here.
    (tmp_path / "bin" / "docker").symlink_to(Path(shutil.which(image.client) or image.client))
    environment = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}

    def run(line: str) -> str:
        words = shlex.split(line)
        assert words[0] == "relabel"
        ended = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == 0, f"{line}\n{ended.stdout}"
        return ended.stdout

    yield run
    run("relabel aws delete --all --yes --local")
    mine = image.call("ps", "--all", "--quiet", "--filter", "label=relabel.local").log.split()
    folders = [image.call("inspect", "--format", '{{index .Config.Labels "relabel.local"}}', each).log for each in mine]
    assert not [each for each in folders if each.startswith(str(tmp_path))]


def test_from_data_to_a_deleted_endpoint(shell, image, tmp_path) -> None:
    """A job trains; its model is deployed, asked, scored and deleted by the page's commands, and nothing is left running."""
    shell(
        f"relabel aws train --local --image {image.tag} --data my-data --output model-here --name relabel-here {' '.join(QUICK)}"
    )
    (block,) = BLOCK.findall(PAGE)
    lines = block.replace("relabel:latest", image.tag).replace("deploy model", "deploy relabel-here").splitlines()
    deploy, invoke, transform, status, delete = lines
    assert "in service" in shell(deploy)
    assert "nothing was changed" in shell(deploy)
    predictions = json.loads(shell(invoke))["predictions"]
    assert len(predictions) == 2
    shell(transform)
    scores = json.loads((tmp_path / "scored" / "scores.json").read_text())["scores"]
    assert scores["rows"] == ROWS
    assert scores["accuracy"][0] > 0.7
    with (tmp_path / "scored" / "scores.csv").open() as file:
        first = next(csv.DictReader(file))
    told = [float(value) for key, value in first.items() if key.startswith("p_")]
    np.testing.assert_allclose(told, predictions[0]["probabilities"], atol=1e-6)
    assert "relabel-reviews" in shell(status)
    assert "deleted" in shell(delete)
    assert "nothing of relabel's" in shell(status)
