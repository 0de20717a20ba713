"""Promises of the page on several hosts: its commands run as written, and its figures are the code's."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from relabel.container import companions
from relabel.container.companions import Meeting

PAGE = (Path(__file__).parents[1] / "docs" / "several_hosts.md").read_text()


def test_the_page_runs_as_written(channel, tmp_path) -> None:
    """Pasted into one shell, its commands do a job on two hosts."""
    commands = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(commands) == PAGE.count("```") / 2
    shutil.copytree(channel(root=tmp_path / "made") / "input" / "data" / "train", tmp_path / "my-data")
    (tmp_path / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    (tmp_path / "relabel").chmod(0o755)
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(commands)],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ports_and_times_are_those_of_the_code() -> None:
    """A reader opens the right port and knows how long to wait."""
    usual = inspect.signature(Meeting).parameters
    patience, silence, grace = (usual[name].default for name in ("patience", "silence", "grace"))
    assert f"TCP port {companions.PORT} and wait up to {patience // 60} minutes" in PAGE
    assert f"after {silence} seconds without an answer" in PAGE
    assert f"after {grace} seconds wherever it is" in PAGE
