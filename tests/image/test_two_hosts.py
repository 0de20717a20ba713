"""Promises of two containers in a network of their own, as a job with two instances has them: one trains, the other leaves with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.image

HOSTS = ("algo-1", "algo-2")
QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003}
LONG = {**QUICK, "max_epochs": 10_000}
USER = f"{os.getuid()}:{os.getgid()}"


class Pair:
    """Two hosts of one job, each a running container with folders of its own; both have the channel."""

    def __init__(self, image, network: str, roots: Mapping[str, Path]) -> None:
        self.image = image
        self.roots = roots
        self.names = {host: f"{network}-{host}" for host in HOSTS}
        for host in HOSTS:
            named = ("--name", self.names[host], "--network", network, "--network-alias", host, "--hostname", host)
            begun = image.call(
                *("run", "--detach", *named, "--user", USER, "--volume", f"{roots[host]}:/opt/ml", image.tag, "train")
            )
            assert begun.code == 0, begun.log

    def ends(self, host: str, timeout: float = 60) -> int:
        """Wait for a host's exit code."""
        return self.image.wait(self.names[host], timeout)

    def failure(self, host: str) -> str:
        """Read a host's failure file."""
        return (self.roots[host] / "output" / "failure").read_text()

    def left(self, host: str) -> set[str]:
        """List the files that a host has written."""
        root = self.roots[host]
        return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file() and "input" not in p.parts}


def laid_out(job, hyperparameters: Mapping[str, object]) -> dict[str, Path]:
    """Make the folders of both hosts."""
    roots = {host: job(hyperparameters, host) for host in HOSTS}
    for host, root in roots.items():
        said = {"current_host": host, "hosts": [*HOSTS], "network_interface_name": "eth0"}
        (root / "input" / "config" / "resourceconfig.json").write_text(json.dumps(said))
    return roots


@pytest.fixture
def pair(image, job) -> Iterator[Callable[[Mapping[str, object]], Pair]]:
    """Start a job on two hosts; they and their network are gone at the end."""
    network = f"relabel-{uuid.uuid4().hex[:8]}"
    assert image.call("network", "create", "--internal", network).code == 0
    try:
        yield lambda hyperparameters: Pair(image, network, laid_out(job, hyperparameters))
    finally:
        image.call("rm", "--force", "--volumes", *(f"{network}-{host}" for host in HOSTS))
        image.call("network", "rm", network)


def test_one_host_trains_and_the_other_leaves_with_it(pair) -> None:
    """Both end with 0; the first leaves model and results, the second nothing."""
    both = pair(QUICK)
    assert [both.ends(host) for host in HOSTS] == [0, 0]
    assert {"model/model.safetensors", "model/model.json", "output/data/metrics.json"} <= both.left("algo-1")
    assert both.left("algo-2") == set()


def test_bad_hyperparameters_end_both(pair) -> None:
    """Each has the exit code and a failure file; the second says whose reason it is."""
    both = pair({**QUICK, "lr": -1})
    assert [both.ends(host) for host in HOSTS] == [2, 2]
    assert both.failure("algo-1").startswith("lr")
    assert both.failure("algo-2") == f"algo-1: {both.failure('algo-1')}"


def test_a_killed_leader_ends_the_other(pair) -> None:
    """Within a minute the follower ends as the platform's fault, and its failure file names the host to look at."""
    both = pair(LONG)
    both.image.until(both.names["algo-2"], "waits for algo-1")
    began = time.monotonic()
    assert both.image.call("kill", both.names["algo-1"]).code == 0
    assert both.ends("algo-2") == 3
    assert time.monotonic() - began < 60
    assert "algo-1 ended without a word" in both.failure("algo-2")


def test_stopping_both_is_no_failure(pair) -> None:
    """Each ends by itself, at its next safe point, with 143."""
    both = pair(LONG)
    both.image.until(both.names["algo-1"], " of width ")
    began = time.monotonic()
    assert both.image.call("stop", "--time", "120", *both.names.values(), timeout=120).code == 0
    assert time.monotonic() - began < 20
    assert [both.ends(host) for host in HOSTS] == [143, 143]
    assert "output/failure" not in both.left("algo-1")
    assert not any(name.startswith("model/") for host in HOSTS for name in both.left(host))


def test_the_first_to_leave_does_not_cut_the_writer(image, job, tmp_path) -> None:
    """docker-compose, as the SDK's local mode starts it, stops every container when one ends: all is written by then."""
    if not shutil.which("docker-compose"):
        pytest.skip("no docker-compose on PATH")
    roots = laid_out(job, QUICK)
    (tmp_path / "model").mkdir()
    services = {
        host: {
            "image": image.tag,
            "command": "train",
            "user": USER,
            "tty": True,
            "volumes": [f"{roots[host]}:/opt/ml", f"{tmp_path / 'model'}:/opt/ml/model"],
        }
        for host in HOSTS
    }
    file = tmp_path / "docker-compose.yaml"
    file.write_text(json.dumps({"version": "2.3", "services": services}))
    compose = ("docker-compose", "--file", str(file), "--project-name", f"relabel-{uuid.uuid4().hex[:8]}")
    try:
        up = subprocess.run(
            [*compose, "up", "--abort-on-container-exit"], capture_output=True, text=True, timeout=120, check=False
        )
        codes = [image.call("inspect", "--format", "{{.State.ExitCode}}", name).log.strip() for name in names(compose)]
    finally:
        subprocess.run([*compose, "down", "--volumes"], capture_output=True, timeout=60, check=False)
    assert up.returncode == 0, up.stdout + up.stderr
    assert codes == ["0", "0"], up.stdout
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "model.safetensors",
        "model.json",
        "training_rows.npy",
    }
    assert (roots["algo-1"] / "output" / "data" / "metrics.json").exists()


def names(compose: tuple[str, ...]) -> list[str]:
    """List the containers of a project, running or not."""
    listed = subprocess.run(
        [*compose, "ps", "--quiet", "--all"], capture_output=True, text=True, timeout=60, check=True
    )
    return listed.stdout.split()
