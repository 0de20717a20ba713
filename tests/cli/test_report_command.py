"""Promises of `relabel report`."""

from __future__ import annotations

import subprocess
import sys


def test_a_folder_without_results_is_refused_in_a_sentence(tmp_path) -> None:
    """The command ends with 2 and says what to give."""
    done = subprocess.run(
        [sys.executable, "-m", "relabel", "report", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "give the folder output/data of a training job" in done.stderr
    assert "Traceback" not in done.stderr
