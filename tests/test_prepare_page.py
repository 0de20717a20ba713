"""Promises of docs/prepare.md: its commands run as written, one after another."""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from relabel.data import formats, planted
from relabel.data.corpora import KINDS, sentiment140

PAGE = (Path(__file__).parents[1] / "docs" / "prepare.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Where somebody has the sources of the page."""
    made = planted.reviews(700, width=4, noise=np.eye(2), seed=0)
    rows = [*zip(made.texts, made.given.tolist(), strict=True)]
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    with (tmp_path / "tickets.jsonl").open("w") as file:
        file.writelines(json.dumps({"body": text, "team": label}) + "\n" for text, label in rows)
    with (tmp_path / "training.1600000.processed.noemoticon.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(
            [label * 4, number, "", "NO_QUERY", "ann", text] for number, (text, label) in enumerate(rows)
        )
    for number, (text, label) in enumerate(rows):
        path = (
            tmp_path / "aclImdb" / ("test" if number % 2 else "train") / ("pos" if label else "neg") / f"{number}.txt"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with tarfile.open(tmp_path / "aclImdb_v1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "aclImdb", "aclImdb")
    return tmp_path


def paste(folder: Path, block: str) -> str:
    """Run a block as in a shell; AssertionError where a command of it fails."""
    program = folder / "bin" / "relabel"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_that_prepare_run_as_written(folder) -> None:
    """Every one leaves three tables; the folder of IMDb and its archive give as many rows."""
    for block in BLOCKS[:3]:
        paste(folder, block)
    for name, suffix in (("data", "parquet"), ("small", "csv"), ("tickets", "parquet"), ("tweets", "parquet")):
        assert {path.name for path in (folder / name).iterdir()} >= {f"{s}.{suffix}" for s in ("train", "dev", "test")}
    cards = [json.loads((folder / name / "card.json").read_text()) for name in ("imdb", "imdb_again")]
    assert [each["rows"]["read"] for each in cards] == [700, 700]


def test_texts_train_as_they_are(folder) -> None:
    """A table and IMDb's folder, without preparing."""
    (block,) = BLOCKS[3:]
    paste(folder, block)
    for name in ("out", "imdb_out"):
        assert json.loads((folder / name / "output" / "data" / "metrics.json").read_text())


def test_its_tables_name_every_kind_and_format() -> None:
    """Kinds of sources, formats of tables, classes."""
    assert {kind for kind in KINDS if f"`{kind}`" not in PAGE} == set()
    assert {suffix for suffix in formats.TABLES if f"`{suffix}`" not in PAGE} == set()
    assert {name for name in sentiment140.CLASSES.values() if f"`{name}`" not in PAGE} == set()
