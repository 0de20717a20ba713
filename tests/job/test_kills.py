"""Promises of a job that is killed: it goes on where it was, to the same bits."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

HYPERPARAMETERS = {
    "seeds": 2,
    "report": "off",
    "folds": 3,
    "threads": 1,
    "checkpoint_seconds": 2,
    "lr": 0.001,
    "dropout": 0.1,
    "batch_size": 64,
}
SAVED = re.compile(r"fit (.+): saved at step (\d+)")
GOES_ON = re.compile(r"fit (.+): going on from step (\d+)")
ENDED = re.compile(r"fit (.+): \d+ models in ")


@dataclass
class Attempt:
    """One start of a job: its exit code and its log, each line with the time at which it came."""

    code: int
    lines: list[tuple[float, str]]
    killed_at: float | None

    def repeated(self) -> float:
        """Seconds of work that the kill cost: from the last safe point, or the start of the first fit, to the kill."""
        assert self.killed_at is not None
        safe = [when for when, line in self.lines if SAVED.search(line) or ENDED.search(line)]
        began = [when for when, line in self.lines if " of width " in line or GOES_ON.search(line)]
        return self.killed_at - max(safe + began, default=self.killed_at)


def attempt(root: Path, kill_after: float | None, kill: signal.Signals = signal.SIGKILL) -> Attempt:
    """Start the job as the container does, and kill it some seconds after its data is read."""
    command = [sys.executable, "-m", "relabel", "train", "--root", str(root)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    lines: list[tuple[float, str]] = []
    began = threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as job:

        def listen() -> None:
            assert job.stdout is not None
            for line in job.stdout:
                lines.append((time.monotonic(), line.rstrip()))
                if " of width " in line:
                    began.set()
            began.set()

        listener = threading.Thread(target=listen)
        listener.start()
        killed_at = None
        if kill_after is not None:
            assert began.wait(60)
            try:
                job.wait(kill_after)
            except subprocess.TimeoutExpired:
                killed_at = time.monotonic()
                job.send_signal(kill)
        code = job.wait(300)
        listener.join()
    return Attempt(code, lines, killed_at)


def results(root: Path) -> dict[str, bytes]:
    """Read all that a job leaves, but for run.json."""
    found = {}
    for part in ("model", "output"):
        for path in (root / part).rglob("*"):
            if path.is_file() and path.name != "run.json":
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def survive(channel, tmp_path, kills: int, epochs: int) -> tuple[float, list[Attempt]]:
    """Run one job unbroken and one with kills spread over its length; hold that the ends are equal."""
    hyperparameters = {**HYPERPARAMETERS, "max_epochs": epochs}
    unbroken, broken = (
        channel(hyperparameters, rows=3000, width=64, root=tmp_path / name) for name in ("whole", "broken")
    )
    began = time.monotonic()
    whole = attempt(unbroken, None)
    seconds = time.monotonic() - began
    assert whole.code == 0, whole.lines
    attempts = []
    for n in range(kills):
        # Every third is asked to end, the others are not asked.
        kill = signal.SIGTERM if n % 3 == 2 else signal.SIGKILL
        attempts.append(attempt(broken, seconds / (kills + 2), kill))
    attempts.append(attempt(broken, None))
    assert attempts[-1].code == 0, attempts[-1].lines
    assert results(broken) == results(unbroken)
    killed = [one for one in attempts if one.killed_at is not None]
    assert len(killed) >= kills - 1, "the kills came while the job was running"
    for one in killed:
        assert one.code in (-signal.SIGKILL, 128 + signal.SIGTERM)
        assert one.repeated() <= 10, one.lines
    return seconds, attempts


def test_a_job_killed_four_times_ends_as_if_it_had_not_been(channel, tmp_path) -> None:
    """SIGKILL and SIGTERM at moments spread over a job of half a minute: the end is equal to the bit, little is repeated."""
    seconds, attempts = survive(channel, tmp_path, kills=4, epochs=300)
    print(f"unbroken {seconds:.0f} s; repeated {[round(one.repeated(), 1) for one in attempts if one.killed_at]} s")  # noqa: T201


@pytest.mark.faults
def test_a_job_killed_twenty_times_ends_as_if_it_had_not_been(channel, tmp_path) -> None:
    """The same with twenty kills."""
    seconds, attempts = survive(channel, tmp_path, kills=20, epochs=700)
    print(f"unbroken {seconds:.0f} s; repeated {[round(one.repeated(), 1) for one in attempts if one.killed_at]} s")  # noqa: T201
