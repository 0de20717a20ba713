"""Promises of the build script, as far as they can be seen without an engine and without AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import relabel

SCRIPT = Path(__file__).parents[2] / "build_and_push.sh"
NO_CLOUD = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")} | {
    "DOCKER": "/no/such/docker"
}


def dry_run(*arguments: str) -> list[str]:
    """Give the commands that would be run."""
    ended = subprocess.run([SCRIPT, "--dry-run", *arguments], env=NO_CLOUD, capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


def test_a_dry_run_prints_the_push_of_both_tags() -> None:
    """Version and commit, to the region's registry, after the repository is there and the login is done."""
    lines = dry_run("--region", "eu-west-1")
    build, repository, login, *pushes, image = lines
    registry = "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"
    assert " --target cpu " in build
    assert "create-repository" in repository
    assert repository.endswith("scanOnPush=true")
    assert login.endswith(f"--password-stdin {registry}")
    version, commit = (push.removeprefix(f"+ /no/such/docker push {registry}/relabel:") for push in pushes)
    assert version == f"{relabel.__version__}-cpu"
    assert commit != version
    assert commit.endswith("-cpu")
    assert image == f"{registry}/relabel:{version}"


def test_options_reach_the_commands() -> None:
    """Variant, platform, repository, tag; what follows `--` goes to the build as it is."""
    build, *_ = dry_run(
        *("--variant", "cuda", "--platform", "linux/arm64", "--repository", "team/relabel", "--tag", "1"),
        *("--no-push", "--", "--build-arg", "BASE_IMAGE=a b"),
    )
    assert "--platform linux/arm64" in build
    assert "--target cuda" in build
    assert "--tag team/relabel:1 " in build
    assert r"--build-arg BASE_IMAGE=a\ b ." in build


def test_no_push_is_the_build_alone() -> None:
    """Nothing of AWS is asked or told."""
    assert len(dry_run("--no-push")) == 1


def test_china_has_its_own_suffix() -> None:
    """Registries of the aws-cn partition end otherwise."""
    assert dry_run("--region", "cn-north-1")[-1].startswith("ACCOUNT.dkr.ecr.cn-north-1.amazonaws.com.cn/")


@pytest.mark.parametrize("arguments", [["--variant", "tpu"], ["--tag"], ["--frob"]])
def test_wrong_arguments_end_with_2(arguments) -> None:
    """And say which."""
    ended = subprocess.run([SCRIPT, *arguments], env=NO_CLOUD, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert arguments[0] in ended.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_script_passes_shellcheck() -> None:
    """No quoting or portability mistakes."""
    assert subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True, check=False).stdout == ""
