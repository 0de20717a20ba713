"""Promises of docs/model_from_elsewhere.md: its commands run as written, with S3 as moto has it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs" / "model_from_elsewhere.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
STORED = [block for language, block in BLOCKS if language == "sh" and "s3://" in block]
TRACKED = [block for _, block in BLOCKS if "mlflow" in block or "models:/" in block]
PROGRAMS = {
    "relabel": f'exec {sys.executable} -m relabel "$@"',
    # A container's variables, and what it then does with them, once.
    "docker": 'for each in "$@"; do case $each in RELABEL_*|AWS_*) export "$each";; esac; done\n'
    'exec relabel predict --model "$RELABEL_MODEL_URI" request.json',
}


@pytest.fixture
def reader(model_folder, tmp_path, s3, packed, monkeypatch) -> Path:
    """The folder of somebody who has trained, with the model in a bucket of their own."""
    place = tmp_path / "reader"
    shutil.copytree(model_folder, place / "out" / "model")
    (place / "request.json").write_text('{"instances": [[0, 0, 7, 0]]}')
    (place / "bin").mkdir()
    for name, code in PROGRAMS.items():
        (place / "bin" / name).write_text(f"#!/bin/sh\n{code}\n")
        (place / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("RELABEL_CACHE", str(tmp_path / "cache"))
    s3.create_bucket(Bucket="my-bucket")
    s3.upload_file(str(packed.path), "my-bucket", "reviews/model.tar.gz")
    return place


def pasted(block: str, place: Path, **variables: str) -> str:
    """Paste a block into a shell; what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_every_command_is_run_here() -> None:
    """No block of the page is left out."""
    assert sorted(STORED + TRACKED) == sorted(block for _, block in BLOCKS)


def test_the_commands_on_s3_answer_with_the_model_there(reader) -> None:
    """In a container, by an archive's hash, and by a folder's, in order."""
    container, archive, folder = STORED
    for block in (container, archive):
        assert '"class": "positive"' in pasted(block, reader)
    assert '"class": "positive"' in answer(folder, reader)


def answer(block: str, place: Path) -> str:
    """Paste a block that ends with a server, ask it once, stop it."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=place,
        env={**os.environ, "RELABEL_PORT": str(port)},
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                body = json.dumps({"instances": [[0, 0, 7, 0]]})
                connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
                return connection.getresponse().read().decode()
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)
            finally:
                connection.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.mlflow
def test_the_commands_on_mlflow_answer_with_the_model_there(reader, mlflow, model_folder) -> None:
    """The Python block is MLflow's own, and is run where it is installed; the stand-in gets the same in its place."""
    program, command = TRACKED
    if hasattr(mlflow, "python"):
        pasted(f"{mlflow.python} - <<'EOF'\n{program}\nEOF", reader, MLFLOW_TRACKING_URI=mlflow.url)
    else:
        mlflow.register("reviews", mlflow.log(model_folder, "model"), "model", "champion")
    assert '"class": "positive"' in pasted(command, reader, MLFLOW_TRACKING_URI=mlflow.url)
