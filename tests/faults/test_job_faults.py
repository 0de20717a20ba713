"""The promise of a job that something breaks, in the short form of `make faults`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "benchmarks" / "job_faults"


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["kills", "disk full", "checkpoints", "channels", "clock", "memory"])
def test_nothing_is_lost_nor_half_written_and_every_failure_is_named(kind) -> None:
    """Whatever meets a job, its end says why, and the next start gives every byte of a job which nothing met."""
    command = [sys.executable, str(BENCH), "--short", "--side-by-side", "1", "--only", kind]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    print(ended.stdout)  # noqa: T201  # its table
    assert ended.returncode == 0, ended.stdout + ended.stderr
