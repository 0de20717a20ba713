"""The promise of the bench of faults, in its short form: benchmarks/serving_faults.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "benchmarks" / "serving_faults.py"


@pytest.mark.faults
def test_whatever_breaks_no_answer_is_wrong_and_none_is_lost() -> None:
    """Workers that die, clients that do nothing, bodies made to break a server: what is lost was in the hands of a worker that died."""
    ended = subprocess.run([sys.executable, BENCH, "--short"], capture_output=True, text=True, check=False)
    print(ended.stdout)  # noqa: T201  # the table
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "no promise was broken" in ended.stdout
