"""Promises of the script that finds a Chromium, and puts one there where none runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("chromium.py")


def asked(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.pages
def test_it_prints_the_path_of_a_chromium_that_runs(browser) -> None:
    """One line, and the browser behind it says which version it is."""
    path = asked().stdout.removesuffix("\n")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    assert browser.version in said


@pytest.mark.pages
def test_the_one_that_is_named_is_the_only_one_tried(tmp_path) -> None:
    """Where CHROMIUM names what does not run, the script says what to do and ends with 1; another one is never taken silently."""
    stub = tmp_path / "chromium"
    stub.write_text("#!/bin/sh\nexit 1\n")
    stub.chmod(0o755)
    for named in (stub, tmp_path / "none"):
        done = asked(CHROMIUM=str(named))
        assert (done.returncode, done.stdout) == (1, "")
        assert "make test-pages" in done.stderr
