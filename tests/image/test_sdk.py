"""Promises of the image under the SageMaker SDK's local mode, both lines of it, with local_test/sdk_local_mode.py as people run it.

SDK_V2_PYTHON and SDK_V3_PYTHON are interpreters with local_test/requirements-sdk-v2.txt and -v3.txt.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest

from relabel.model import reference
from relabel.model.artifact import FILES, TRAINING_ROWS
from relabel.serving import served

pytestmark = pytest.mark.image

HERE = Path(__file__).parents[2] / "local_test"
PAYLOAD = json.loads((HERE / "payloads" / "embeddings.json").read_text())["instances"]


def used(line: str, engine, tag: str, folder: Path, *options: str) -> list[dict[str, object]]:
    """Fit, deploy, predict, transform and clean up; the endpoint's predictions."""
    python = os.environ.get(f"SDK_{line.upper()}_PYTHON")
    if not python:
        pytest.skip(f"SDK_{line.upper()}_PYTHON names no interpreter with the SDK: `make test-image` makes one")
    # The SDK reads nothing below some folders of the system, where a checkout may lie.
    here = shutil.copytree(HERE, folder / "local_test", ignore=shutil.ignore_patterns("model", "output", "checkpoints"))
    # The SDK runs `docker`, whatever the engine's client is called here.
    client = Path(shutil.which(engine.client) or engine.client)
    (folder / "bin").mkdir()
    (folder / "bin" / "docker").symlink_to(client)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    ended = subprocess.run(
        [python, here / "sdk_local_mode.py", tag, "--line", line, "--folder", folder / "sdk", "--port", port, *options],
        env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert engine.call("ps", "--all", "--quiet", "--filter", f"publish={port}").log == ""
    return json.loads(ended.stdout.splitlines()[-1])["predictions"]


def unpacked(archive: Path, into: Path) -> Path:
    """Unpack what the SDK made of the model folder."""
    into.mkdir()
    with tarfile.open(archive) as packed:
        for name in (*FILES, TRAINING_ROWS, reference.FILE):
            (into / name).write_bytes(packed.extractfile(name).read())
    return into


def assert_told_by(model: Path, predictions: list[dict[str, object]]) -> None:
    """The endpoint's figures are those of the trained model on the same rows."""
    expected = served.load(model).predictor(np.array(PAYLOAD, np.float32))
    np.testing.assert_allclose([each["probabilities"] for each in predictions], expected, atol=1e-6)


def test_version_2_of_the_sdk(image, tmp_path) -> None:
    """Estimator on two instances, which train together; deploy, predict and transform answer as the model does."""
    predictions = used("v2", image, image.tag, tmp_path, "--hosts", "2")
    sdk = tmp_path / "sdk"
    assert_told_by(unpacked(sdk / "model.tar.gz", tmp_path / "model"), predictions)
    assert json.loads((sdk / "transformed" / "embeddings.json.out").read_text())["predictions"] == predictions


def test_version_3_of_the_sdk(image, tmp_path) -> None:
    """ModelTrainer trains the same model with and without source code; hosting and transform answer as it does."""
    predictions = used("v3", image, image.tag, tmp_path)
    sdk = tmp_path / "sdk"
    models = {
        name: unpacked(sdk / name / "compressed_artifacts" / "model.tar.gz", tmp_path / name)
        for name in ("plain", "source")
    }
    plain, source = ((models[name] / "model.safetensors").read_bytes() for name in ("plain", "source"))
    assert plain == source
    assert_told_by(models["plain"], predictions)
    assert json.loads((sdk / "transformed" / "embeddings.json.out").read_text())["predictions"] == predictions
