"""Promises of the three scripts that the image starts with, run as they are with recorders in place of the programs."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "container"
RECORDER = """#!/bin/sh
printf '%s' "${0##*/}"
for argument in "$@"; do printf ' <%s>' "$argument"; done
printf '\\nplain=%s pid=%s\\n' "${RELABEL_PLAIN-}" $$
"""


@pytest.fixture
def recorders(tmp_path: Path) -> Path:
    """A folder with programs that say how they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("relabel", "python3", "chmod"):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def call(tmp_path: Path, recorders: Path):
    """Run one of the scripts, as the image does: by its name on PATH."""

    def called(*command: str) -> list[str]:
        here = {"PATH": f"{SCRIPTS}:{recorders}:{os.environ['PATH']}", "RELABEL_ROOT": str(tmp_path / "ml")}
        process = subprocess.Popen(command, env=here, stdout=subprocess.PIPE, text=True)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return [*out.splitlines(), str(process.pid)]

    return called


TRAIN = "python3 <-m> <relabel.container.supervisor> <relabel> <train>"


@pytest.mark.parametrize("command", [["train"], ["entrypoint", "train"]])
def test_train_runs_under_the_supervisor_with_plain_lines(call, command) -> None:
    """Arguments go through as they are; each script gave its process to the next program."""
    said, how, pid = call(*command, "--preset", "a b")
    assert said == f"{TRAIN} <--preset> <a b>"
    assert how == f"plain=1 pid={pid}"


@pytest.mark.parametrize("command", [["serve"], ["entrypoint", "serve"]])
def test_serve_becomes_the_server(call, command) -> None:
    """Signals of the platform reach it without anything between."""
    said, how, pid = call(*command, "--port", "8081")
    assert said == "relabel <serve> <--port> <8081>"
    assert how == f"plain=1 pid={pid}"


def test_doctor_is_a_command_of_ours(call) -> None:
    """The image examines itself when asked."""
    assert call("entrypoint", "doctor", "--json")[0] == "relabel <doctor> <--json>"


def test_no_argument_with_hyperparameters_trains(call, tmp_path) -> None:
    """Clients that send no argument put the hyperparameters there for training jobs."""
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text("{}")
    assert call("entrypoint")[0] == TRAIN


def test_no_argument_without_hyperparameters_serves(call) -> None:
    """An endpoint has no configuration of a training job."""
    assert call("entrypoint")[0] == "relabel <serve>"


def test_an_argument_wins_over_what_lies_in_the_folders(call, tmp_path) -> None:
    """Serving in a folder where a job was trained is serving."""
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text("{}")
    assert call("entrypoint", "serve")[0] == "relabel <serve>"


def test_any_other_command_runs_as_it_is(call) -> None:
    """Clean-up and start-up commands of clients work in the image."""
    assert call("entrypoint", "chmod", "-R", "777", "/delete")[0] == "chmod <-R> <777> </delete>"
    assert call("entrypoint", "/bin/bash", "-c", 'echo "$0 $1"', "a  b", "c")[0] == "a  b c"


def test_scripts_work_from_any_folder_and_by_their_path(tmp_path, recorders) -> None:
    """Neither the working directory nor PATH must know where the scripts are."""
    here = {"PATH": f"{recorders}:/usr/bin:/bin", "RELABEL_ROOT": str(tmp_path / "ml")}
    out = subprocess.check_output([SCRIPTS / "entrypoint", "serve"], env=here, cwd="/", text=True)
    assert out.startswith("relabel <serve>")


def test_sigterm_reaches_the_program_that_a_script_started(recorders) -> None:
    """The scripts stay out of the way: the server itself gets the signal."""
    (recorders / "relabel").write_text("#!/bin/sh\ntrap 'exit 7' TERM\necho ready\nwhile :; do sleep .05; done\n")
    here = {"PATH": f"{SCRIPTS}:{recorders}:{os.environ['PATH']}"}
    process = subprocess.Popen(["entrypoint", "serve"], env=here, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 7


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_scripts_pass_shellcheck() -> None:
    """No quoting or portability mistakes."""
    names = [SCRIPTS / name for name in ("entrypoint", "train", "serve")]
    assert subprocess.run(["shellcheck", *names], capture_output=True, text=True, check=False).stdout == ""


def test_scripts_can_be_executed() -> None:
    """A copy into the image keeps the permission."""
    assert all(os.access(SCRIPTS / name, os.X_OK) for name in ("entrypoint", "train", "serve"))
