"""Promises of docs/tracking.md: its code runs as written, with MLflow's store in a folder or, where MLFLOW_PYTHON names one, its server."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from relabel.data import planted
from relabel.tracking import clerk, figures

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tracking.md").read_text()
BLOCKS = re.findall(r"(?:<!-- (?P<mark>[^\n]+) -->\n)?^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SERVER = "tests run this block where MLflow's server is"
IMAGE = "tests of the image do what this block does, with a store in the folder"
ADDRESS = "http://127.0.0.1:5000"
QUICK = "--seeds 2 --folds 2 --report off --data-issues off --outlook off"
"""What the job is here, for time."""
PYTHON = os.environ.get("MLFLOW_PYTHON", "")


@pytest.fixture(params=["folder", *(["server"] if PYTHON else [])])
def address(request, tmp_path) -> Iterator[str]:
    """Where runs go."""
    if request.param == "folder":
        yield (tmp_path / "runs").as_uri()
        return
    path = ROOT / "tests" / "serving" / "elsewhere" / "conftest.py"
    spec = importlib.util.spec_from_file_location("mlflow_of_the_page", path)
    assert spec is not None
    assert spec.loader is not None
    elsewhere = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = elsewhere
    spec.loader.exec_module(elsewhere)
    with elsewhere.started_mlflow(PYTHON, tmp_path) as started:
        yield started.url


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where somebody has data, and `relabel` and `python` on the PATH."""
    for name, rows, seed in (("train", 500, 0), ("dev", 200, 1), ("test", 200, 2)):
        planted.write(tmp_path / "my-data", name, planted.reviews(rows, width=8, noise=np.eye(2), seed=seed))
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1" != train ] || set -- "$@" {QUICK}\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.mlflow
def test_the_page_runs_as_written(folder, address) -> None:
    """From a tracked job to its model in MLflow's hands, to a name in the registry, to an endpoint's own command."""
    python = [text for mark, language, text in BLOCKS if language == "python"]
    (folder / "page.py").write_text("\n".join(python))
    first, second = (text for mark, language, text in BLOCKS if language == "sh" and mark != IMAGE)
    assert ADDRESS in first
    commands = [first.replace(ADDRESS, address), f"{sys.executable} -W ignore page.py\n"]
    if address.startswith("http"):
        commands.append(second)
    variables = {"MLFLOW_ALLOW_FILE_STORE": "true", "RELABEL_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=folder,
        env={**os.environ, **variables, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "probability_1" in done.stdout
    assert "WARNING" not in done.stdout


def test_every_block_is_run_or_says_by_whom() -> None:
    """All but the two lines that put MLflow's client into an image."""
    assert [(mark, language) for mark, language, _ in BLOCKS] == [
        ("", "sh"),
        ("", "python"),
        ("", "python"),
        (SERVER, "sh"),
        (IMAGE, "sh"),
        ("", "dockerfile"),
    ]


def test_the_page_says_what_is_sent_and_what_it_costs() -> None:
    """Files that hold texts, seconds and sizes, as the code has them."""
    for name in figures.TEXTS:
        assert f"`{name}`" in PAGE
    assert f"it waits for what is still on its way: {clerk.PATIENCE:.0f} seconds" in PAGE
    assert f"another for each {clerk.PACE / 1e6:.0f} MB" in PAGE
    assert f"{clerk.LAST} more for the last request" in PAGE


def test_links_and_pictures_are_there() -> None:
    """Each leads to a file of the project."""
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 3
    assert all((ROOT / "docs" / link).is_file() for link in links)
