"""Promises of the notebook and of docs/aws.md on the image, in the SageMaker SDK's local mode: the same cells, real containers."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

pytestmark = pytest.mark.image

DOCS = Path(__file__).parents[2] / "docs"
MARKED = re.compile(r"^<!-- tests of the image run this block -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(image, tmp_path, monkeypatch) -> Path:
    """A working folder in which `relabel` is this code and `docker` the engine's client."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker").symlink_to(Path(shutil.which(image.client) or image.client))
    (tmp_path / "bin" / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    (tmp_path / "bin" / "relabel").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_the_page_trains_on_this_machine(image, here, channel) -> None:
    """The command of docs/aws.md, with this image, leaves what `relabel train` leaves; a second time nothing runs."""
    shutil.copytree(channel(rows=300) / "input" / "data" / "train", here / "my-data")
    (block,) = MARKED.findall(DOCS.joinpath("aws.md").read_text())
    words = [image.tag if word == "relabel" and n else word for n, word in enumerate(shlex.split(block))]
    for ran in (True, False):
        ended = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert ("baseline_accuracy=" in ended.stdout) == ran
        assert "report   trained-here/output/data/report.html" in ended.stdout
    assert (here / "trained-here" / "model" / "model.json").is_file()
    assert str(here) not in image.call("ps", "--all", "--format", "{{.Labels}}").log


def test_a_job_that_fails_here_says_why(image, here, channel) -> None:
    """With the container's own words and exit code."""
    shutil.copytree(channel(rows=300) / "input" / "data" / "train", here / "my-data")
    command = ["relabel", "aws", "train", "--local", "--image", image.tag, "--data", "my-data", "--width-expected", "5"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert "width_expected is 5" in ended.stderr


def test_ctrl_c_stops_the_job_here_and_it_does_not_pass_for_done(image, here, channel) -> None:
    """The command ends with 130, leaves no container and no results, and the next one begins again."""
    shutil.copytree(channel(rows=300) / "input" / "data" / "train", here / "my-data")
    command = [
        sys.executable,
        "-u",
        "-m",
        "relabel",
        "aws",
        "train",
        "--local",
        "--image",
        image.tag,
        "--data",
        "my-data",
        "--max-epochs",
        "10000",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        said = ""
        while "Attaching" not in said and (line := process.stdout.readline()):
            said += line
        os.killpg(process.pid, signal.SIGINT)
        said += process.communicate(timeout=120)[0]
    assert process.returncode == 130, said
    assert "stopped" in said
    assert not [*here.joinpath("relabel-local").glob("relabel-*/*")]
    assert str(here) not in image.call("ps", "--all", "--format", "{{.Labels}}").log


def test_the_notebook_runs_on_this_machine(image, here, monkeypatch) -> None:
    """Every cell ends well with LOCAL=1: trained, asked, transformed and deleted, and no container is left."""
    monkeypatch.setenv("LOCAL", "1")
    monkeypatch.setenv("IMAGE", image.tag)
    notebook = nbformat.read(DOCS / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    shown = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    for said in ("training labels are doubtful", '"class"', "300 records", "nothing of relabel's is there"):
        assert said in shown
    assert (here / "trained" / "output" / "data" / "report.html").is_file()
    assert str(here) not in image.call("ps", "--all", "--format", "{{.Labels}}").log
