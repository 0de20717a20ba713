"""Promises of the job that a loop runs as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from relabel.cli import loop_inputs
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError
from relabel.loop.journal import Journal

RUN = """
import sys
from pathlib import Path
from relabel.cli import loop_inputs
from relabel.loop.journal import Journal

folder, sys.executable = Path(sys.argv[1]), sys.argv[2]
journal = Journal(folder, str, "ann")
with journal.alone():
    loop_inputs._run(["train"], journal.held)
"""
"""What `relabel loop train` does around its job."""


def program(folder: Path, lines: str) -> Path:
    """Write a program that stands for the training job."""
    path = folder / "job"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def begun(tmp_path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A command and its job, which waits: the process and the number of the job."""
    waits = program(tmp_path, "trap 'exit 130' INT\necho $$\nwhile :; do sleep 0.1; done")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path), str(waits)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        assert command.stdout is not None
        job = int(command.stdout.readline())
        yield command, job
        for number in (command.pid, job):
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue


def test_a_job_that_outlives_its_command_keeps_the_loop(begun, tmp_path) -> None:
    """A second command would write into the same folders; once the job is over, the loop is free."""
    command, job = begun
    journal = Journal(tmp_path, str, "bob")
    command.kill()
    command.wait()
    with pytest.raises(UserError, match="another command works on this loop"), journal.alone():
        pass
    os.kill(job, signal.SIGKILL)
    command.communicate(
        timeout=10
    )  # ends once the job has let go of its output, a moment before it lets go of the lock
    for _ in range(100):
        with suppress(UserError), journal.alone():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the loop is not free")


def test_an_interrupt_of_the_terminal_stops_both_and_is_no_mistake(begun) -> None:
    """The code is that of an interrupt, as of any other command."""
    command, _ = begun
    os.killpg(command.pid, signal.SIGINT)
    _, said = command.communicate(timeout=20)
    assert command.returncode == 130
    assert said == "stopped: run this again; it goes on where it was\n"


@pytest.mark.parametrize(("code", "kind"), [(1, AlgorithmError), (2, UserError), (3, PlatformError)])
def test_the_code_of_a_job_is_passed_on(tmp_path, monkeypatch, code: int, kind: type[RelabelError]) -> None:
    """So that a machine's fault is none of the user's."""
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, f"exit {code}")))
    with pytest.raises(kind, match=f"ended with {code}") as told:
        loop_inputs._run(["train"])
    assert told.value.exit_code == code


def test_a_job_that_was_killed_has_the_code_of_its_signal(tmp_path, monkeypatch, capsys) -> None:
    """As where memory ran out."""
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, "kill -9 $$")))
    with pytest.raises(SystemExit) as told:
        loop_inputs._run(["train"])
    assert told.value.code == 137
    assert "ended with -9" in capsys.readouterr().err
