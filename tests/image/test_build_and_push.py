"""Promises of the build script, as far as they can be seen without an engine and without AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import relabel

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "build_and_push.sh"
OF_THE_BUILD = ("TORCH_INDEX_URL", "CUDA", "BASE_IMAGE", "RELABEL_CA_FILE", "RELABEL_REGISTRY")
NO_CLOUD = {
    name: text for name, text in os.environ.items() if not name.startswith("AWS_") and name not in OF_THE_BUILD
} | {"DOCKER": "/no/such/docker"}


def dry_run(*arguments: str, **variables: str) -> list[str]:
    """Give the commands that would be run."""
    environment = {**NO_CLOUD, **variables}
    ended = subprocess.run(
        [SCRIPT, "--dry-run", *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout.splitlines()


def test_a_dry_run_prints_the_push_of_both_tags() -> None:
    """Version and commit, to the region's registry, after the repository is there and the login is done."""
    lines = dry_run("--region", "eu-west-1")
    build, repository, login, *pushes, look, image = lines
    registry = "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"
    assert " --target cpu " in build
    assert "create-repository" in repository
    assert repository.endswith("scanOnPush=true")
    assert login.endswith(f"--password-stdin {registry}")
    version, commit = (push.removeprefix(f"+ /no/such/docker push {registry}/relabel:") for push in pushes)
    assert version == f"{relabel.__version__}-cpu"
    assert commit != version
    assert commit.endswith("-cpu")
    assert look.endswith(f"https://{registry}/v2/relabel/manifests/{version}")
    assert image.startswith(f"{registry}/relabel@sha256:")


def test_options_reach_the_commands() -> None:
    """Variant, platform, repository, tag; what follows `--` goes to the build as it is."""
    build, *_ = dry_run(
        *("--platform", "linux/arm64", "--repository", "team/relabel", "--tag", "1"),
        *("--no-push", "--", "--build-arg", "BASE_IMAGE=a b"),
    )
    assert "--platform linux/arm64" in build
    assert "--tag team/relabel:1 " in build
    assert r"--build-arg BASE_IMAGE=a\ b ." in build
    for variant in ("text", "cuda"):
        build, *_ = dry_run("--variant", variant, "--no-push")
        assert f"--target {variant} " in build
        assert f"-{variant} " in build


def test_what_the_build_needs_comes_from_the_environment() -> None:
    """Torch's index, CUDA and base image as build arguments; a certificate authority as a secret, which no layer keeps."""
    build, *_ = dry_run("--no-push", TORCH_INDEX_URL="there", CUDA="13.0", RELABEL_CA_FILE="/my/ca.pem")
    assert "--build-arg TORCH_INDEX_URL=there --build-arg CUDA=13.0 --secret id=ca\\,src=/my/ca.pem" in build
    assert f"--build-arg VERSION={relabel.__version__} --build-arg REVISION=" in build


def test_buildx_is_told_to_make_what_hosting_takes(tmp_path) -> None:
    """No attestations, which would make an index of the image; and the image is loaded, so that it can be pushed."""
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\n[ \"$1 $2\" = 'buildx version' ]\n")
    client.chmod(0o755)
    build, *_ = dry_run("--no-push", DOCKER=str(client))
    assert build.startswith(f"+ {client} buildx build --load --provenance=false --sbom=false ")


def test_no_push_is_the_build_alone() -> None:
    """Nothing of AWS is asked or told."""
    assert len(dry_run("--no-push")) == 1


def test_china_has_its_own_suffix() -> None:
    """Registries of the aws-cn partition end otherwise."""
    assert dry_run("--region", "cn-north-1")[-1].startswith("ACCOUNT.dkr.ecr.cn-north-1.amazonaws.com.cn/")


@pytest.mark.parametrize(
    "arguments",
    [["--variant", "tpu"], ["--tag"], ["--frob"], ["--platform", "linux/arm64", "--variant", "cuda"]],
)
def test_wrong_arguments_end_with_2(arguments) -> None:
    """And say which."""
    ended = subprocess.run([SCRIPT, *arguments], env=NO_CLOUD, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert arguments[0] in ended.stderr


SCRIPTS = [
    SCRIPT,
    *(ROOT / "docker").glob("*.sh"),
    *(ROOT / "local_test").glob("*.sh"),
    *(ROOT / "container").iterdir(),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_pass_shellcheck(script) -> None:
    """No quoting or portability mistakes."""
    checked = subprocess.run(
        [Path(sys.executable).parent / "shellcheck", "-x", script], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")
