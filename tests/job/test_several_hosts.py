"""Promises of a job on several hosts, each a process with folders of its own; they meet on loopback and do the job together."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relabel.model import artifact

QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003, "threads": 1, "report": "off"}
LEADERS = (f"127.{os.getpid() % 250 + 1}.251.{n % 250 + 1}" for n in itertools.count())
LONG = {**QUICK, "max_epochs": 10_000}
SAVING = {**QUICK, "max_epochs": 800, "checkpoint_seconds": 0.1, "policy": "drop"}
"""Fits that last much longer than it takes until they are first saved, however fast the machine."""
WENT_ON = "going on from step|kept from an earlier run"
"""What a host says that goes on: its part of the fit was running when the job ended, or was done."""
FOLLOWER, THIRD = "follower", "third"


@pytest.fixture
def start(channel, tmp_path):
    """Make a host's folder and start the job in it, as a container does; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def started_on(host: str, hosts, hyperparameters=None, spoilt=None) -> subprocess.Popen[str]:
        root = channel(hyperparameters or QUICK, root=tmp_path / host)
        said = {"current_host": host, "hosts": [*hosts], "network_interface_name": "eth0"}
        (root / "input" / "config" / "resourceconfig.json").write_text(json.dumps(said))
        if spoilt:
            spoilt(root / "input" / "data" / "train")
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
    assert any(re.search(text, line) for line in process.stdout), f"the log ended without {text!r}"


def left(root: Path) -> dict[str, bytes]:
    """Read the files that a host has written, but for what it keeps to go on from, and for the record of times."""
    files = [p for p in root.rglob("*") if p.is_file() and p.name != "run.json"]
    return {str(p.relative_to(root)): p.read_bytes() for p in files if not {"input", "checkpoints"} & {*p.parts}}


def failure(root: Path) -> str:
    """Read a host's failure file."""
    return (root / "output" / "failure").read_text()


def ends(process: subprocess.Popen[str], within: float = 300) -> int:
    """Wait for the exit code, and read on meanwhile."""
    process.communicate(timeout=within)
    return process.returncode


@pytest.fixture
def leader() -> str:
    """Name of a leader that only this test has; names sort by digits before letters."""
    return next(LEADERS)


@pytest.fixture
def pair(leader) -> tuple[str, str]:
    """Two hosts."""
    return leader, FOLLOWER


@pytest.fixture
def three(leader) -> tuple[str, str, str]:
    """Three hosts."""
    return leader, FOLLOWER, THIRD


def unbroken(start, tmp_path, hyperparameters) -> dict[str, bytes]:
    """Do the job on one host."""
    assert ends(start("alone", ["alone"], hyperparameters)) == 0
    return left(tmp_path / "alone")


def test_three_hosts_give_what_one_gives(start, three, tmp_path) -> None:
    """Model and results are equal byte for byte; the first host has them, the others leave nothing at all."""
    expected = unbroken(start, tmp_path, QUICK)
    hosts = [start(host, three) for host in three[::-1]]
    assert [ends(host) for host in hosts] == [0, 0, 0]
    found = left(tmp_path / three[0])
    assert f"model/{artifact.TENSORS}" in found
    assert [name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)] == []
    assert [*left(tmp_path / FOLLOWER), *left(tmp_path / THIRD)] == []


def test_what_each_host_can_see_it_says_itself(start, pair, tmp_path) -> None:
    """Bad settings end every host before it waits for anybody, with the same failure file."""
    bad = {**QUICK, "lr": -1, "max_epochs": "many"}
    assert [ends(start(host, pair, bad)) for host in pair] == [2, 2]
    assert failure(tmp_path / pair[0]) == failure(tmp_path / pair[1])
    assert "lr" in failure(tmp_path / pair[0])


def test_what_one_host_cannot_read_ends_all(start, three, tmp_path) -> None:
    """The others have its exit code, and its reason behind its name."""
    hosts = [
        start(host, three, spoilt=(lambda train: (train / "train.npy").write_bytes(b"")) if host == THIRD else None)
        for host in three
    ]
    assert [ends(host) for host in hosts] == [2, 2, 2]
    for host in three[:2]:
        assert failure(tmp_path / host) == f"{THIRD}: {failure(tmp_path / THIRD)}"
    assert [*left(tmp_path / FOLLOWER)] == [*left(tmp_path / THIRD)] == ["output/failure"]


def test_hosts_with_unlike_data_are_told_so(start, pair, tmp_path) -> None:
    """Before the first fit: the failure file names the host that differs."""

    def other(train: Path) -> None:
        lines = (train / "train.csv").read_text().splitlines(keepends=True)
        (train / "train.csv").write_text("".join([lines[0], *lines[2:], lines[1]]))

    hosts = [start(host, pair, spoilt=other if host == FOLLOWER else None) for host in pair]
    assert [ends(host) for host in hosts] == [3, 3]
    assert f"{FOLLOWER} came to another result than {pair[0]}" in failure(tmp_path / FOLLOWER)


def test_hosts_with_unlike_settings_are_told_so(start, pair, tmp_path) -> None:
    """At the start: a host that does a stage less would leave the others waiting in it."""
    hosts = [start(host, pair, {**QUICK, "outlook": "on" if host == FOLLOWER else "off"}) for host in pair]
    assert [ends(host) for host in hosts] == [3, 3]
    for host in pair:
        assert f"{FOLLOWER} was given something else than {pair[0]}: give all hosts" in failure(tmp_path / host)


@pytest.mark.parametrize("killed", [0, 2])
def test_a_killed_host_is_named_by_all_others(start, three, tmp_path, killed) -> None:
    """They end within a minute as the platform's fault; started again, all of them give what an unbroken job gives."""
    expected = unbroken(start, tmp_path, SAVING)
    hosts = [start(host, three, SAVING) for host in three]
    says(hosts[killed], "saved at step")
    began = time.monotonic()
    hosts[killed].kill()
    others = [n for n in range(3) if n != killed]
    assert [ends(hosts[n]) for n in others] == [3, 3]
    assert time.monotonic() - began < 60
    for n in others:
        assert f"{three[killed]} ended without a word or can no longer be reached" in failure(tmp_path / three[n])
    again = [start(host, three, SAVING) for host in three]
    says(again[1], WENT_ON)
    assert [ends(host) for host in again] == [0, 0, 0]
    assert left(tmp_path / three[0]) == expected
    assert ends(start(three[0], [three[0]], SAVING)) == 0  # what is whole serves any number of hosts


def test_a_follower_that_is_stopped_leaves_at_once(start, pair, tmp_path) -> None:
    """SIGTERM ends its wait for a leader that has not come: 143, nothing to explain."""
    follower = start(FOLLOWER, pair)
    says(follower, "waits for the other hosts")
    began = time.monotonic()
    follower.send_signal(signal.SIGTERM)
    assert ends(follower) == 143
    assert time.monotonic() - began < 30
    assert left(tmp_path / FOLLOWER) == {}


@pytest.mark.parametrize("stopped", [0, 1])
def test_a_stop_of_one_host_stops_all(start, pair, tmp_path, stopped) -> None:
    """Where the signal reaches one host alone, all end with its code; that is no failure, and running fits are kept."""
    hosts = [start(host, pair, {**LONG, "checkpoint_seconds": 1}) for host in pair]
    for host in hosts:
        says(host, "saved at step")
    hosts[stopped].send_signal(signal.SIGTERM)
    assert [ends(host) for host in hosts] == [143, 143]
    assert {**left(tmp_path / pair[0]), **left(tmp_path / FOLLOWER)} == {}
    assert all([*(tmp_path / host / "checkpoints").rglob("*.running.safetensors")] for host in pair)


def test_a_stop_while_the_process_leaves_changes_nothing(tmp_path) -> None:
    """The exit code stays what the job said, however late the signal."""
    late = "import atexit, os, signal; atexit.register(os.kill, os.getpid(), signal.SIGTERM)"
    command = f"{late}; from relabel.cli.main import main; main(['train', '--root', {str(tmp_path)!r}])"
    assert subprocess.run([sys.executable, "-c", command], capture_output=True, check=False).returncode == 2
