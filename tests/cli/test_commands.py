"""Promises of the command line, each tried in a process of its own as a person runs it."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import relabel
from relabel import settings
from relabel.settings import TrainSettings


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `relabel` with some arguments."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "relabel", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, timeout=300, check=False)


def test_the_demo_finds_planted_flips_and_shows_what_they_cost(tmp_path) -> None:
    """The table says how many flips were planted and found, the gain is above 0, and the files are where it says."""
    done = run("demo", "--rows", "6000", "--width", "256", "--output", tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    table = dict(
        line.split(maxsplit=1) for line in done.stdout.splitlines() if re.match(r"(report|model|results) ", line)
    )
    assert Path(table["report"]).read_text().startswith("<!DOCTYPE html>")
    assert (Path(table["model"]) / "model.json").exists()
    assert (Path(table["results"]) / "label_issues.csv").exists()
    precision = float(re.search(r"precision, recall +([\d.]+)", done.stdout)[1])
    assert precision > 0.5
    assert int(re.search(r"flips planted +(\d+)", done.stdout)[1]) > 150
    assert re.search(r"gain +\+0\.\d+, 95% interval", done.stdout)


def test_a_library_that_is_not_there_is_named() -> None:
    """A command that needs an extra which is not installed says which one, in a line."""
    script = "import sys; sys.modules['{}'] = None\nfrom relabel.cli.main import main\nmain({})"
    for module, arguments in (("gunicorn", ["serve"]), ("pyarrow", ["report", "."])):
        done = subprocess.run(
            [sys.executable, "-c", script.format(module, arguments)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2, done.stderr
        assert f"needs {module}" in done.stderr
        assert "Traceback" not in done.stderr


def test_train_takes_a_folder_and_leaves_all_below_another(channel, tmp_path) -> None:
    """--data and --output train outside a container; options are the settings, aliases included; stdout has plain lines."""
    data = channel() / "input" / "data" / "train"
    out = tmp_path / "out"
    done = run(
        "train", "--data", data, "--output", out, "--seeds", "1", "--folds", "2", "--epochs", "2", "--threads", "1"
    )
    assert done.returncode == 0, done.stderr
    assert (out / "model" / "model.json").exists()
    assert (out / "output" / "data" / "audit.parquet").exists()
    assert "dev_log_loss=" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout


def test_wrong_options_come_all_at_once(channel, tmp_path) -> None:
    """Exit code 2, one message with every wrong value, the failure file below the output folder."""
    data = channel() / "input" / "data" / "train"
    done = run("train", "--data", data, "--output", tmp_path, "--max-epochs", "x", "--lr", "7", "--policy", "burn")
    assert done.returncode == 2
    said = (tmp_path / "output" / "failure").read_text()
    assert all(name in said for name in ("max_epochs", "lr", "policy"))
    assert said.splitlines()[0] in done.stdout


def test_a_missing_data_folder_is_the_users_error(tmp_path) -> None:
    """Exit code 2, and the message names the folder."""
    done = run("train", "--data", tmp_path / "nowhere", "--output", tmp_path)
    assert done.returncode == 2
    assert "nowhere" in (tmp_path / "output" / "failure").read_text()


def test_every_setting_is_an_option_with_its_help() -> None:
    """`relabel train --help` lists every setting of the job."""
    said = run("train", "--help").stdout
    for name in settings.fields(TrainSettings):
        assert f"--{name.replace('_', '-')}" in said


@pytest.fixture
def own(tmp_path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A person's labels, one in ten flipped, and honest probabilities of what they say, as files and as arrays."""
    rng = np.random.default_rng(0)
    good = rng.beta(0.2, 0.2, 1500)
    truth = rng.random(1500) < good
    flipped = np.flatnonzero(rng.random(1500) < 0.1)
    probability = 0.1 + 0.8 * good
    names = np.array(["bad", "good"])[np.where(np.isin(np.arange(1500), flipped), ~truth, truth).astype(int)]
    (tmp_path / "labels.csv").write_text("text,label\n" + "".join(f"t,{name}\n" for name in names))
    np.save(tmp_path / "p.npy", np.stack([1 - probability, probability], axis=1))
    (tmp_path / "p.csv").write_text("bad,good\n" + "".join(f"{1 - p},{p}\n" for p in probability))
    return tmp_path, names, flipped


@pytest.mark.parametrize("probabilities", [["p.npy", "--classes", "bad,good"], ["p.npy"], ["p.csv"]])
def test_audit_finds_flips_among_a_persons_own_labels(own, probabilities) -> None:
    """`relabel audit` lists the worst rows first, and most of what it flags was flipped."""
    folder, _, flipped = own
    done = run(
        "audit", "--labels", "labels.csv", "--probabilities", *probabilities, "--output", "worst.csv", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    with (folder / "worst.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1500
    flagged = [int(row["row"]) for row in rows if row["flagged"] == "True"]
    assert len(set(flagged) & set(flipped)) >= 0.6 * len(flagged) >= 50
    assert rows[0]["given"] != rows[0]["suggested"]


def test_audit_from_python_gives_what_the_command_gives(own) -> None:
    """`relabel.audit(labels, probabilities)` is the same audit."""
    folder, names, _ = own
    found = relabel.audit(names, np.load(folder / "p.npy"))
    done = run("audit", "--labels", "labels.csv", "--probabilities", "p.npy", "--limit", "3", cwd=folder)
    assert f"flagged {int(found.flagged.sum())}" in done.stdout
    worst = found.table(limit=1)[0]
    assert f"row {worst['row']:>8}" in done.stdout


def test_audit_names_what_is_wrong_with_its_files(own) -> None:
    """A column that is not there: exit code 2 and a message, no traceback."""
    folder, _, _ = own
    done = run("audit", "--labels", "labels.csv", "--label-column", "y", "--probabilities", "p.npy", cwd=folder)
    assert done.returncode == 2
    assert "`y`" in done.stderr
    assert "Traceback" not in done.stderr
