"""Promise of the README's section on containers: pasted into one shell, it goes from labels to an image in the registry."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from relabel.data import planted

pytestmark = pytest.mark.image

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "README.md").read_text().partition("## From labels to an endpoint")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```sh\n(.*?)^```", SECTION, flags=re.MULTILINE | re.DOTALL)
NOISE = np.array([[0.9, 0.1], [0.1, 0.9]])


def test_the_readme_goes_from_labels_to_an_image_in_the_registry(cloud, registry, image, mirror, tmp_path) -> None:
    """Build, examine, train, look at the results, serve, ask, stop, push: every command ends with 0 and says what it is there for."""
    for name, rows in (("train", 800), ("dev", 200), ("test", 300)):
        planted.write(tmp_path / "my-data", name, planted.reviews(rows, width=16, noise=NOISE, seed=rows))
    (tmp_path / "request.json").write_text(json.dumps({"instances": [[0.1] * 16]}))
    environment = surroundings(tmp_path, cloud, mirror)
    script = "\n".join(f"{block}\necho ---" for block in BLOCKS)
    try:
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
    finally:
        image.call("rm", "--force", "relabel-endpoint")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    _, trained, issues, served, pushed, _ = done.stdout.split("---\n")
    assert "problem" not in trained
    assert "accuracy on the given test labels" in trained
    assert issues.startswith("file,row,")
    assert len(issues.splitlines()) == 4
    (answer,) = re.findall(r"^\{.*\}", served, flags=re.MULTILINE)
    assert len(json.loads(answer)["predictions"]) == 1
    assert pushed.splitlines()[-1].startswith(f"{registry.address}/relabel@sha256:")


def surroundings(folder: Path, cloud, mirror: list[str]) -> dict[str, str]:
    """Give the reader the two commands of the project's folder, and what a build needs on this machine."""
    docker, programs = shlex.quote(cloud.environment["DOCKER"]), folder / "bin"
    base = cloud.environment.get("BASE_IMAGE")
    needed = shlex.join([*mirror, *(["--build-arg", f"BASE_IMAGE={base}"] if base else [])])
    programs.mkdir()
    for path, code in (
        (
            programs / "docker",
            f'case $1 in build) shift; cd {ROOT}; exec {docker} build {needed} "$@";; esac\nexec {docker} "$@"',
        ),
        (folder / "build_and_push.sh", f'exec {ROOT}/build_and_push.sh "$@" -- {shlex.join(mirror)}'),
    ):
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)
    return {**cloud.environment, "PATH": f"{programs}:{cloud.environment['PATH']}", "DOCKER_BUILDKIT": "1"}
