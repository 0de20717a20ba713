"""Names of classes, files, channels and settings that try to be more than names, in a whole job and in what it says."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.container import configuration, environment, failure, logs, metrics
from relabel.container.paths import Paths
from relabel.errors import PlatformError, UserError, explained, one_line

EVIL = ("no\ndev_log_loss=0.0001;\x1b[31m\r\nERROR fake \u202e", "yes final_accuracy=0.99; <script>alert(1)</script>")
"""Two classes: one breaks the line and writes a figure and a record of its own, one writes a figure on the line where it stands."""


def shown(message: str) -> str:
    """Give what the container's log makes of a message."""
    return logs.Plain().format(logging.LogRecord("relabel.job", logging.INFO, "", 0, "%s", (message,), None))


@settings(deadline=None)
@given(
    st.text() | st.sampled_from(sorted(metrics.NAMES)).flatmap(lambda name: st.from_regex(rf"[\s;]*{name}=[0-9]+;.*"))
)
def test_no_message_is_read_as_a_figure_or_as_two_records(text) -> None:
    """Whatever stands in it, the platform's expressions find nothing, and no line but the first begins as a record does."""
    said = shown(text)
    assert metrics.figures(said) == {}
    assert all(
        not re.search(definition["Regex"], line) for definition in metrics.definitions() for line in said.split("\n")
    )
    assert all(line.startswith("  ") and line.isprintable() for line in said.split("\n")[1:])
    said.encode()


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_problem_is_one_line_whatever_is_named_in_it(names) -> None:
    """So nobody adds a problem of his own to the list, or hides one behind a carriage return."""
    lines = str(UserError(*names)).split("\n")
    assert len(lines) == (1 if len(names) == 1 else len(names) + 1)
    assert all(line.isprintable() for line in lines)


def test_a_failure_file_has_the_cause_alone(tmp_path) -> None:
    """A file whose name breaks the line is named on one, by a user's error and by that of a disk."""
    name = "a\nAlgorithmError: fake\x1b[2K.csv"
    failure.write(tmp_path / "failure", UserError(f"{name}: empty"))
    assert (tmp_path / "failure").read_text() == r"a\nAlgorithmError: fake\x1b[2K.csv: empty"
    full = explained(OSError(28, "No space left on device", name))
    assert isinstance(full, PlatformError)
    assert "\n" not in str(full)
    assert one_line("plain: ü, 好") == "plain: ü, 好"


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> tuple[Path, str]:
    """A whole job on classes that are called so, and what it printed."""
    root = tmp_path_factory.mktemp("ml")
    folder, rng = root / "input" / "data" / "train", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name, rows in (("train", 240), ("dev", 60), ("test", 60)):
        label = rng.integers(0, 2, rows)
        np.save(folder / f"{name}.npy", (rng.standard_normal((rows, 4)) + 4 * label[:, None]).astype(np.float32))
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("number", "label"), *((n, EVIL[c]) for n, c in enumerate(label))])
    command = [sys.executable, "-m", "relabel", "train", "--root", str(root), "--folds", "2", "--policy", "keep"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "RELABEL_PLAIN": "1"}
    )
    assert done.returncode == 0, done.stderr
    return root, done.stdout


def test_a_class_s_name_reports_no_figure_to_the_platform(job) -> None:
    """A tuning job would take the figure that a label wrote; those of the log are those of the results."""
    root, log = job
    found = metrics.figures(log)
    assert json.loads((root / "output" / "data" / "final-results.json").read_text())
    lines = log.split("\n")[:-1]
    told = [line for line in lines if metrics.figures(line)]
    assert all(re.fullmatch(r"(stage=\w+; )?(\w+=[-+.e\w]+; ?)+", line) for line in told)
    assert found["dev_log_loss"] != 0.0001
    assert sum("dev_log_loss=" in line for line in lines) == sum("final_accuracy=" in line for line in lines) == 1
    assert any("dev_log_loss =0.0001" in line for line in lines), (
        "the class is named in the log, so this test tries something"
    )


def test_every_line_of_a_job_s_log_is_its_own(job) -> None:
    """Each begins with a level, is a metric line, or is indented; none commands a terminal."""
    _, log = job
    lines = log.split("\n")[:-1]
    assert all(re.match(r"(INFO|WARNING|ERROR) |  |\w+=", line) for line in lines)
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("ERROR") for line in lines)


def test_results_have_the_classes_as_they_are_and_run_nothing(job) -> None:
    """Cleaned labels are the given ones to the last sign; the report has no script of theirs."""
    root, _ = job
    data = root / "output" / "data"
    rows = list(csv.DictReader(io.StringIO((data / "cleaned.csv").read_bytes().decode(), newline="")))
    assert {value for row in rows for value in row.values()} >= set(EVIL)
    assert "<script>alert(1)</script>" not in (data / "report.html").read_text()


STRANGE = ["..", ".", "../model", "/etc", "train/../../config", ".hidden", "a\nb", "a\0b", "", "ä", "x" * 300]


@pytest.mark.parametrize("name", STRANGE)
def test_a_channel_leads_nowhere_else(tmp_path, name) -> None:
    """Its name is one of the platform's, or the job ends before any folder is looked at."""
    places = Paths.below(tmp_path)
    places.channels.mkdir(parents=True)
    places.input_data_config.parent.mkdir(parents=True)
    (tmp_path / "model").mkdir()
    places.input_data_config.write_text(json.dumps({name: {"TrainingInputMode": "File"}}))
    with pytest.raises(UserError, match="a channel is called") as refused:
        configuration.read(places, environment.read({}))
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("name", ["train\nfinal_accuracy=1;", "\x1b[31m", "nobody\u2028"])
def test_a_setting_s_name_is_a_name(tmp_path, name) -> None:
    """A hyperparameter that nobody knows is refused on one line, without its value, which may be a secret."""
    root = tmp_path / "input" / "config"
    root.mkdir(parents=True)
    (root / "hyperparameters.json").write_text(json.dumps({name: "hunter2"}))
    command = [sys.executable, "-m", "relabel", "train", "--root", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "RELABEL_PLAIN": "1"}
    )
    assert done.returncode == 2
    told = done.stdout + done.stderr + (tmp_path / "output" / "failure").read_text()
    assert "hunter2" not in told
    assert not any(metrics.figures(line) for line in told.split("\n"))
    assert all(line.isprintable() for line in told.split("\n"))
