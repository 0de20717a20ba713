"""Promises of the page on encoders: its commands run as written, one after another."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

PAGE = (Path(__file__).parents[1] / "docs" / "encoder.md").read_text()


def test_the_page_on_encoders_runs_as_written(channel, tiny_encoder, tmp_path) -> None:
    """In one shell, with a folder of label files: each gets its vectors, a model is trained on them, and the cache serves."""
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(commands) == PAGE.count("```") / 2
    data = channel(rows=300) / "input" / "data" / "train"
    shutil.copytree(data, tmp_path / "texts", ignore=shutil.ignore_patterns("*.npy", "*.pt"))
    (tmp_path / "encoder").symlink_to(tiny_encoder)
    (tmp_path / "new.txt").write_text("The soap is lovely and soft\nThe brush is broken\n")
    (tmp_path / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    (tmp_path / "relabel").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "my-data" / "train.npy").shape == (300, 32)
    assert np.load(tmp_path / "again" / "train.npy").shape == (300, 64)
    assert "\n0 texts were embedded" in done.stdout
    assert (tmp_path / "out" / "model" / "model.json").exists()
    assert (tmp_path / "texts-out" / "model" / "encoder" / "model.safetensors").exists()
    assert done.stdout.count('"probabilities"') == 2
