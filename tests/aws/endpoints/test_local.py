"""Promises of what local mode remembers and refuses; tests/image/test_aws_local.py runs the rest on the image."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relabel.aws import local, local_endpoint, local_hosting
from relabel.errors import PlatformError, UserError


def test_what_is_remembered_is_found_by_the_next_command(tmp_path) -> None:
    """Facts of a name stay in one file of the folder until they are forgotten."""
    local.remember(tmp_path, "endpoints", "relabel-a", {"port": 1})
    local.remember(tmp_path, "endpoints", "relabel-b", {"port": 2})
    local.remember(tmp_path, "endpoints", "relabel-a", None)
    local.remember(tmp_path, "jobs", "relabel-c", {})
    assert local.remembered(tmp_path, "endpoints") == {"relabel-b": {"port": 2}}
    assert json.loads((tmp_path / local.STATE).read_text())["jobs"] == {"relabel-c": {}}
    (tmp_path / local.STATE).write_text("{")
    with pytest.raises(UserError, match="move the folder away"):
        local.remembered(tmp_path, "endpoints")


def test_a_folder_that_the_sdk_does_not_read_is_refused() -> None:
    """Before anything is started, with what to do."""
    with pytest.raises(UserError, match="name a --local-folder elsewhere"):
        local.session(Path("/root/models"), "label")


def test_without_an_engine(tmp_path, monkeypatch) -> None:
    """No Docker on the PATH is said as the machine's lack."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PlatformError, match="no Docker engine answers"):
        local.session(tmp_path, "label")


def test_an_endpoint_that_is_gone(tmp_path, run) -> None:
    """One whose process was killed is shown as gone, is not asked, and can be deleted."""
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        facts = {"port": local.free_port(), "pid": other.pid, "since": 0}
        local.remember(tmp_path, local_hosting.ENDPOINTS, "relabel-a", facts)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
            assert " gone " in run("status", "--local", "--local-folder", tmp_path).out
            asked = run("invoke", "a", "--text", "x", "--local", "--local-folder", tmp_path)
            assert "no endpoint of that name runs" in asked.err
            assert "deleted" in run("delete", "a", "--local", "--local-folder", tmp_path).out
            assert "gone already" in run("delete", "a", "--local", "--local-folder", tmp_path).out
        assert other.poll() is None  # the number of a process may be another's by now
        other.communicate(b"\n")


def test_the_keepers_name_is_how_it_is_known() -> None:
    """A process is ended only where its command line is a keeper's."""
    assert local_endpoint.__name__ == "relabel.aws.local_endpoint"
    assert not local_hosting._is_keeper(os.getpid())


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")  # it is to outlive the command
def test_variables_of_the_container_are_no_arguments(tmp_path) -> None:
    """They may be secrets, and everybody on the machine may see a process's arguments."""
    (tmp_path / "docker").write_text("#!/bin/sh\nsleep 60\n")
    (tmp_path / "docker").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        pid = local_hosting._started(tmp_path, ["relabel-a", "image", "1"], {"KEY": "hush"}, tmp_path / "log")
        try:
            said = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    assert local_endpoint.__name__ in said.stdout
    assert "hush" not in said.stdout
