"""Promises of docs/champion.md: its commands run, one after another, with fewer fits; its words are those of the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from relabel.container import configuration, metrics
from relabel.data import planted
from relabel.evaluation import promotion
from relabel.results import champion

PAGE = (Path(__file__).parents[1] / "docs" / "champion.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])


SHELL = """
import pathlib, shlex, sys
from relabel.cli.main import main

for line in sys.stdin:
    program, *words = shlex.split(line)
    if program == "cat":
        print(pathlib.Path(words[0]).read_text(), end="", flush=True)
        continue
    assert program == "relabel", program
    try:
        main(words)
    except SystemExit as end:
        if end.code:
            raise
"""
"""Runs all commands in one process, which loads torch once."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> tuple[Path, str]:
    """Where somebody had two states of the data, after the page's commands; and what these said."""
    folder = tmp_path_factory.mktemp("page")
    for data, rows in (("my-data", 150), ("more-data", 900)):
        for name, count, seed in (("train", rows, rows), ("dev", 100, 1), ("test", 300, 2)):
            planted.write(folder / data, name, planted.reviews(count, width=8, noise=NOISE, seed=seed))
    commands = "".join(text for language, text in BLOCKS if language == "sh")
    # these settings change how long it takes, not what is compared
    quick = commands.replace("--output", "--seeds 1 --folds 2 --report off --data-issues off --output")
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        input=quick,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_its_commands_run(ran) -> None:
    """A second job compares its model with the first one's; the third, asked for a warm start, fits once more and says what came of it."""
    folder, said = ran
    found = champion.read(folder / "next" / "output" / "data")
    assert found is not None
    assert (folder / "next" / "output" / "data" / champion.NAME).read_text() in said
    assert found["decision"] in {"promote", "keep"}
    assert "from the champion's weights" in said


def test_the_page_knows_every_field(ran) -> None:
    """Its table names what champion.json holds, no more and no less."""
    folder, _ = ran
    found = champion.read(folder / "next" / "output" / "data")
    lines = PAGE.partition("## What it writes")[2].partition("## ")[0].splitlines()
    named = {name for line in lines if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == set(found or {})


def test_its_figures_are_those_of_the_code() -> None:
    """Channel, metrics, margins, least rows."""
    [block] = [text for language, text in BLOCKS if language == "json"]
    assert json.loads(block)["ChannelName"] == configuration.MODEL
    assert all(f"`{name}`" in PAGE for name in metrics.NAMES if re.match("champion|challenger|promote", name))
    margins = "{log_loss}, {macro_f1} and {worst_recall}".format(**promotion.MARGINS)
    assert f"below {margins}" in PAGE
    assert f"Below {promotion.LEAST} different rows" in PAGE
    assert f"with {promotion.SURE:.0%} on one side" in PAGE
