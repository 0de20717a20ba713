"""Promises of docs/texts.md: its commands run as written, one after another."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relabel.data import planted
from relabel.settings import TrainSettings, fields

PAGE = (Path(__file__).parents[1] / "docs" / "texts.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where somebody has reviews, new texts, and `relabel` on the PATH."""
    for name, rows in (("train", 600), ("test", 200)):
        planted.write(tmp_path / "reviews", name, planted.reviews(rows, width=1, noise=np.eye(2), seed=rows))
        (tmp_path / "reviews" / f"{name}.npy").unlink()
    (tmp_path / "new.txt").write_text("The soap is lovely and soft\nThe brush is broken\n")
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    return tmp_path


def test_commands_run_as_written(folder) -> None:
    """From texts to a model, to predictions with words, to an endpoint that answers texts."""
    said = []
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    predicted = [json.loads(line) for line in said[0].splitlines() if line.startswith("{")]
    assert [each["class"] for each in predicted] == ["1", "0"]
    assert {word["word"] for word in predicted[0]["words"]} >= {"lovely", "soft"}
    answers = [one["predictions"] for one in objects(said[2]) if "predictions" in one]
    assert [each["class"] for answer in answers for each in answer] == ["1", "1", "0"]


def objects(printed: str) -> Iterator[dict[str, Any]]:
    """Read the JSON objects of what was printed; answers end without a line break, and the server's log stands between them."""
    decoder, at = json.JSONDecoder(), printed.find("{")
    while at >= 0:
        found, end = decoder.raw_decode(printed, at)
        yield found
        at = printed.find("{", end)


def test_every_learner_and_every_step_of_preprocessing_is_there() -> None:
    """What the settings know of texts, the page tells."""
    names = {*TrainSettings.learners}
    assert names <= {*re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)}
    told = {*re.findall(r"`(\w+)`", PAGE)}
    assert {
        "strip_html",
        "lowercase",
        "characters",
        "stop_words",
        "stemming",
        "vocabulary",
        "ngrams",
        "max_tokens",
        "truncate",
    } <= told
    assert told & {*fields(TrainSettings)} >= {"learner", "depth", "dense_width", "pooling", "patience"}
