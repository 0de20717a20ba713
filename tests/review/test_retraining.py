"""Promises of training again with the answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from relabel.cli import review_inputs
from relabel.cli.review import command
from relabel.cli.review_page import _prepared, _setting_options
from relabel.data import planted
from relabel.data.reviews import Answer
from relabel.errors import UserError
from relabel.results import metrics_file
from relabel.review import retraining
from relabel.review.retraining import Retraining

NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
QUICK = {"policy": "drop", "seeds": 2, "folds": 3, "max_epochs": 3, "threads": 1, "report": "off", "data_issues": "off"}


def until(condition, seconds: float = 60.0) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def sleeper(folder: Path, script: str) -> Retraining:
    """Give a retraining whose job is a few lines of Python."""
    return Retraining(lambda answers: [sys.executable, "-u", "-c", script, str(answers)], folder)


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> tuple[Path, Path]:
    """Run the first job; give the folder of its data, and its results."""
    root = tmp_path_factory.mktemp("job")
    for name, rows, seed in (("train", 300, 0), ("dev", 100, 1), ("test", 120, 2)):
        planted.write(root / "data", name, planted.reviews(rows, width=8, noise=NOISE, seed=seed))
    options = [word for name, value in QUICK.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "relabel", "train", "--data", root / "data", "--output", root / "first", *options]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return root / "data", root / "first" / "output" / "data"


def test_a_button_trains_with_the_answers_and_tells_what_that_was_worth(job, serving, tmp_path) -> None:
    """The settings of the first job; old and new gain; one at a time; the server's answer to whoever did not say --data."""
    data, results = job
    store, output = tmp_path / "review.sqlite", tmp_path / "again"
    with serving(results, "--store", store, "--data", data, "--retrain-output", output) as running:
        ann = running.visitor()
        for _ in range(5):
            card = ann.next()
            ann.decide(card["id"], card["suggested"]["value"])
        assert ann.get("/api/retrain")["state"] == "none"
        assert ann.ask("POST", "/api/retrain", {})[0] == 200
        assert ann.ask("POST", "/api/retrain", {})[0] == 409
        until(lambda: ann.get("/api/retrain")["state"] != "running", 120)
        told = ann.get("/api/retrain")
    assert told["state"] == "done", told["tail"]
    assert (told["before"]["reviewed"], told["after"]["reviewed"]) == (0, 5)
    assert told["after"]["gain"]["low"] <= told["after"]["gain"]["value"]
    first, again = (metrics_file.read(one)["settings"] for one in (results, output / "output" / "data"))
    assert first == again
    with serving(results, "--store", store) as running:
        assert running.visitor().get("/api/retrain") == {"state": "unavailable"}
        about = running.visitor().get("/api/about")
        assert "relabel train" in about["commands"][1]
        assert running.visitor().ask("POST", "/api/retrain", {})[0] == 409


def test_the_options_are_those_that_differ() -> None:
    """The preset and learner, and what they do not bring by themselves; a setting that is not known any more is passed over."""
    known = {"preset": "", "learner": "mlp", "seed": 3, "seeds": 5, "standardise": False, "gone": 1}
    assert _setting_options(known) == ["--learner", "mlp", "--seed", "3", "--standardise", "false"]


def test_one_job_at_a_time_whoever_started_it(tmp_path) -> None:
    """Also one of a server that was killed: the job itself holds the lock, and the next server sees it run, and end."""
    first = sleeper(tmp_path / "out", "import sys; print('begun'); sys.stdin.read(); import time; time.sleep(60)")
    first.start(b"")
    until(lambda: first.tail() == ["begun"])
    beside = sleeper(tmp_path / "out", "")
    assert (first.state(), beside.state()) == ("running", "running")
    with pytest.raises(UserError, match="runs already"):
        beside.start(b"")
    first.end()
    assert (first.state(), beside.state()) == ("failed", "failed")  # the end was written down
    assert first._job is not None
    assert first._job.returncode == -signal.SIGTERM


def test_a_job_that_does_not_listen_is_killed_in_the_end(tmp_path, monkeypatch) -> None:
    """After its time to save how far it is."""
    monkeypatch.setattr(retraining, "PATIENCE", 0.3)
    deaf = sleeper(
        tmp_path / "out",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)",
    )
    deaf.start(b"")
    until(lambda: deaf.tail() == ["deaf"])
    deaf.end()
    assert deaf._job is not None
    assert deaf._job.returncode == -signal.SIGKILL


def test_an_end_that_no_server_saw_is_unknown(tmp_path) -> None:
    """Whatever results lie there, and until the next start; how a job ended that was watched is known to every later server."""
    made = sleeper(tmp_path / "out", "import sys; sys.exit(sys.argv[1] == '')")
    made.start(b"")
    until(lambda: made.state() == "done")
    until(lambda: sleeper(tmp_path / "out", "").state() == "done")
    made.results.mkdir(parents=True)
    (made.results / "metrics.json").write_text("{}")
    (tmp_path / "out" / retraining.EXIT).unlink()
    assert sleeper(tmp_path / "out", "").state() == "unknown"
    begun = sleeper(tmp_path / "out", "import time; time.sleep(60)")
    (tmp_path / "out" / retraining.EXIT).write_text("0")
    begun.start(b"")
    assert not (tmp_path / "out" / retraining.EXIT).exists()
    begun.end()
    assert (tmp_path / "out" / retraining.EXIT).read_text() == str(-signal.SIGTERM)


def test_the_job_runs_no_code_of_the_current_folder(results, tmp_path, monkeypatch) -> None:
    """Though it is started there, and a package of the same name lies there."""
    fake = tmp_path / "here" / "relabel"
    fake.mkdir(parents=True)
    (fake / "__init__.py").touch()
    (fake / "__main__.py").write_text("print('CODE OF THE CURRENT FOLDER')")
    monkeypatch.chdir(fake.parent)
    chosen = {"splits": "train", "random_share": 0.1, "seed": 0, "least": 0.05, "people": 1, "blind": False}
    prepared = _prepared(
        results, tmp_path / "s.sqlite", reviews=None, data=tmp_path, retrain_output=tmp_path / "out", **chosen
    )
    made = prepared._retraining
    assert made is not None
    made.start(b"")
    until(lambda: made.state() != "running")
    assert not any("CURRENT FOLDER" in line for line in made.tail())
    assert made.state() == "failed", "there are no data"


def test_what_people_decided_before_the_audit_is_not_forgotten(made, written, tmp_path) -> None:
    """A job from the page would trust the answers of the page alone: without the earlier ones it is refused, whichever are missing."""
    table = made()
    reviewed = pa.array([n >= 40 for n in range(len(table))])
    audited = table.set_column(table.column_names.index("reviewed"), "reviewed", reviewed)
    results = written(tmp_path / "results", audited)
    asked = review_inputs.questions(results)
    earlier = [Answer(row_hash=one, answer="1", reviewer="eve", time="") for one in asked.row_hash[40:]]
    review_inputs.check_known(asked, earlier)
    for known, lost in (((), "20 of the 20"), (earlier[1:], "1 of the 20")):
        with pytest.raises(UserError, match=f"{lost}.*--reviews"):
            review_inputs.check_known(asked, known)
    done = CliRunner().invoke(command, ["serve", str(results), "--data", str(tmp_path), "--port", "0"])
    assert isinstance(done.exception, UserError)
    assert not (results / "review.sqlite").exists()


def test_a_failure_and_a_new_start(tmp_path) -> None:
    """The log's end says why; the answers are those of the last start."""
    script = "import sys, pathlib; t = pathlib.Path(sys.argv[1]).read_text(); print(t); sys.exit(t != 'good')"
    made = sleeper(tmp_path / "out", script)
    assert (made.state(), made.tail()) == ("none", [])
    made.start(b"bad")
    until(lambda: made.state() == "failed")
    assert made.tail() == ["bad"]
    made.start(b"good")
    until(lambda: made.state() == "done")
    assert made.told(tmp_path)["after"] is None


def test_a_job_on_other_data_is_not_compared(tmp_path) -> None:
    """Where classes or numbers of rows differ, the page says so in place of two accuracies."""
    first, other = tmp_path / "first", tmp_path / "out" / "output" / "data"
    for folder, rows in ((first, 10), (other, 11)):
        folder.mkdir(parents=True)
        data = {"classes": ["a", "b"], "rows": {"train": rows}}
        comparison = {"after": {"accuracy": 0.9}, "gain": {"accuracy": {"low": 0, "value": 0, "high": 0}}, "rows": 5}
        (folder / "metrics.json").write_text(json.dumps({"data": data, "comparison": comparison}))
    made = sleeper(tmp_path / "out", "pass")
    made.start(b"")
    until(lambda: made.state() == "done")
    assert made.told(first)["other_data"]
    assert not made.told(other)["other_data"]


def test_the_end_of_the_server_ends_the_job_that_it_started(job, serving, tmp_path) -> None:
    """It is told to stop and has stopped when the server has ended; started again, it goes on."""
    data, results = job
    with serving(results, "--store", tmp_path / "review.sqlite", "--data", data) as running:
        ann = running.visitor()
        ann.decide(ann.next()["id"], "1")
        assert ann.ask("POST", "/api/retrain", {})[0] == 200
        (worker,) = running.children()
        (child,) = [
            int(one)
            for thread in Path(f"/proc/{worker}/task").iterdir()
            for one in (thread / "children").read_text().split()
        ]
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=40) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert (tmp_path / "retrained" / "reviews.jsonl").is_file()
