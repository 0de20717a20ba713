"""Promises of a job on several hosts, each a process with folders of its own; they meet on loopback."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relabel.model import artifact

QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003, "threads": 1}
LEADERS = (f"127.{os.getpid() % 250 + 1}.251.{n % 250 + 1}" for n in itertools.count())
FOLLOWER = "follower"


@pytest.fixture
def start(channel, tmp_path):
    """Make a host's folder and start the job in it, as a container does; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def started_on(host: str, leader: str, hyperparameters=None, **channels: object) -> subprocess.Popen[str]:
        root = channel(hyperparameters or QUICK, root=tmp_path / host)
        config = root / "input" / "config"
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": [leader, FOLLOWER]}))
        if channels:
            (config / "inputdataconfig.json").write_text(json.dumps(channels))
        command = (sys.executable, "-m", "relabel", "train", "--root", str(root))
        here = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=here))
        return started[-1]

    yield started_on
    for process in started:
        with process:
            process.kill()


def says(process: subprocess.Popen[str], text: str) -> None:
    """Wait for a line of the log."""
    assert process.stdout is not None
    assert any(text in line for line in process.stdout), f"the log ended without {text!r}"


def left(root: Path) -> set[str]:
    """List the files that a host has written."""
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and "input" not in p.parts}


def ends(process: subprocess.Popen[str], within: float = 30) -> int:
    """Wait for the exit code, and read on meanwhile."""
    process.communicate(timeout=within)
    return process.returncode


@pytest.fixture
def leader() -> str:
    """Name of a leader that only this test has; names sort by digits before letters."""
    return next(LEADERS)


def test_one_host_trains_and_the_others_leave_with_it(start, leader, tmp_path) -> None:
    """Both end with 0; the leader leaves the model, the follower nothing at all."""
    follower = start(FOLLOWER, leader)
    assert ends(start(leader, leader)) == 0
    assert ends(follower, 5) == 0
    assert {f"model/{artifact.TENSORS}", "output/data/metrics.json"} <= left(tmp_path / leader)
    assert left(tmp_path / FOLLOWER) == set()


def test_a_failure_of_the_leader_is_the_followers_too(start, leader, tmp_path) -> None:
    """The same exit code; the follower's failure file says whose reason it is; the traceback lies with the leader alone."""
    bad = {**QUICK, "lr": -1, "max_epochs": "many"}
    follower = start(FOLLOWER, leader, bad)
    assert ends(start(leader, leader, bad)) == 2
    assert ends(follower, 5) == 2
    reason = (tmp_path / leader / "output" / "failure").read_text()
    assert "lr" in reason
    assert "max_epochs" in reason
    assert (tmp_path / FOLLOWER / "output" / "failure").read_text() == f"{leader}: {reason}"
    assert left(tmp_path / FOLLOWER) == {"output/failure"}
    assert "output/data/traceback.txt" in left(tmp_path / leader)


def test_shards_are_refused_by_each_host_for_itself(start, leader, tmp_path) -> None:
    """Nobody waits for anybody: what is wrong is in the files of both."""
    shard = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key"}
    for host in (FOLLOWER, leader):
        assert ends(start(host, leader, train=shard), 10) == 2
        assert (tmp_path / host / "output" / "failure").read_text().startswith("channel `train` is ShardedByS3Key")


def test_a_follower_that_is_stopped_leaves_at_once(start, leader, tmp_path) -> None:
    """SIGTERM ends its wait for a leader that has not come: 143, nothing to explain."""
    follower = start(FOLLOWER, leader)
    time.sleep(1)
    began = time.monotonic()
    follower.send_signal(signal.SIGTERM)
    assert ends(follower, 5) == 143
    assert time.monotonic() - began < 2
    assert left(tmp_path / FOLLOWER) == set()


def test_a_leader_that_is_stopped_takes_the_others_along(start, leader, tmp_path) -> None:
    """Where the signal reaches the leader alone, the follower ends with its code and says why."""
    long = {**QUICK, "max_epochs": 10_000}
    follower, first = start(FOLLOWER, leader, long), start(leader, leader, long)
    says(first, " of width ")
    first.send_signal(signal.SIGTERM)
    assert ends(first) == 143
    assert ends(follower, 5) == 143
    assert (tmp_path / FOLLOWER / "output" / "failure").read_text() == f"{leader}: stopped by SIGTERM"
    assert "output/failure" not in left(tmp_path / leader)


def test_a_stop_after_the_work_is_no_failure(start, leader, tmp_path) -> None:
    """A leader that waits for a late host has done its work: SIGTERM ends the wait, not the success."""
    first = start(leader, leader)
    says(first, f"{FOLLOWER} may still call")
    first.send_signal(signal.SIGTERM)
    assert ends(first, 5) == 0
    assert f"model/{artifact.TENSORS}" in left(tmp_path / leader)


def test_a_stop_while_the_process_leaves_changes_nothing(tmp_path) -> None:
    """The exit code stays what the job said, however late the signal."""
    late = "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGTERM)"
    command = f"{late}; from relabel.cli.main import main; main(['train', '--root', {str(tmp_path)!r}])"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, check=False).returncode == 2
