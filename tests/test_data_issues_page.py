"""Promises of docs/data_issues.md."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "data_issues.md").read_text()


def test_its_command_runs_as_written_and_every_issue_is_in_its_table(channel, tmp_path) -> None:
    """The job ends with 0, and its figures name the issues of the page, all of them."""
    (block,) = re.findall(r"^```sh\nrelabel (.*?)\n```", PAGE, flags=re.MULTILINE | re.DOTALL)
    shutil.copytree(channel() / "input" / "data" / "train", tmp_path / "my-data")
    subprocess.run(
        [sys.executable, "-m", "relabel", *shlex.split(block)], cwd=tmp_path, check=True, capture_output=True
    )
    figures = json.loads((tmp_path / "out" / "output" / "data" / "data_issues.json").read_text())
    assert {*re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)} == {*figures}
