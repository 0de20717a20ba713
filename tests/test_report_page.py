"""Promises of the page on the report: its commands run as written, and leave what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from relabel.data import planted

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "report.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
PARTS = re.findall(r"^\| ([A-Z][^|]+) \|", PAGE, flags=re.MULTILINE)


def test_the_whole_page_runs_as_written(tmp_path) -> None:
    """Every block ends with 0; the job's page and the one made again are the same, and have the parts that are named."""
    noise = np.array([[0.95, 0.05], [0.2, 0.8]])
    for name, rows, seed in (("train", 300, 0), ("dev", 100, 1), ("test", 150, 2)):
        planted.write(tmp_path / "my-data", name, planted.reviews(rows, width=16, noise=noise, seed=seed))
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{program.parent}:{os.environ['PATH']}"}
    assert {language for language, _ in BLOCKS} == {"sh"}
    for _, block in BLOCKS:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    written = (tmp_path / "out" / "output" / "data" / "report.html").read_bytes()
    assert written == (tmp_path / "report.html").read_bytes()
    assert all(f">{part}</h" in written.decode() for part in PARTS)
    figures = {path.suffix for path in (tmp_path / "out" / "output" / "data" / "figures").iterdir()}
    assert figures == {".svg", ".png"}
