"""Promises of `docker run IMAGE doctor`."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.image


def test_a_good_folder_has_no_problem(image, job) -> None:
    """Exit code 0, and a line for each thing that was looked at."""
    ended = image.run(job(), "doctor")
    assert ended.code == 0, ended.log
    subjects = {line.split()[1] for line in ended.log.splitlines()}
    assert subjects >= {"versions", "memory", "shm", "gpu", "disk", "configuration", "channels", "hosts", "port"}


def test_a_broken_folder_is_told_what_to_do(image, job) -> None:
    """Exit code 2, every problem at once; a read-only mount is one of them."""
    root = job({"lr": -1})
    (root / "input" / "data" / "train" / "dev.npy").unlink()
    ended = image.call(
        *("run", "--rm", "--network", "none", "--user", "12345", "--volume", f"{root}:/opt/ml:ro", image.tag),
        *("doctor", "--json"),
    )
    assert ended.code == 2, ended.log
    problems = {each["subject"] for each in json.loads(ended.log) if each["level"] == "problem"}
    assert problems == {"settings", "channels", "model", "output", "checkpoints"}


def test_nothing_mounted_is_told_what_to_mount(image) -> None:
    """What a newcomer meets first."""
    ended = image.call("run", "--rm", "--network", "none", image.tag, "doctor")
    assert ended.code == 2
    assert "--volume" in ended.log
