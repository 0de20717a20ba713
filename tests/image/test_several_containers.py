"""Promises of containers in a network of their own, as a job on several instances has them: they do the job together and leave together."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.image

HOSTS = ("algo-1", "algo-2")
FOUR = ("algo-1", "algo-2", "algo-3", "algo-4")
QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003, "threads": 1}
"""One thread each: containers that share the cores of one machine would only wait for each other's threads."""
LONG = {**QUICK, "max_epochs": 10_000, "checkpoint_seconds": 1}
SAVING = {**QUICK, "max_epochs": 800, "checkpoint_seconds": 0.1, "report": "off", "policy": "drop"}
"""Fits that last much longer than it takes until they are first saved, however fast the machine."""
SILENCE = 30.0
"""Seconds after which a link on which nothing arrives counts as cut."""
USER = f"{os.getuid()}:{os.getgid()}"


class Company:
    """Hosts of one job, each a running container with folders of its own; all have the channel."""

    def __init__(self, image, network: str, roots: Mapping[str, Path]) -> None:
        self.image, self.network, self.roots = image, network, roots
        self.names = {host: f"{network}-{host}" for host in roots}
        for host, root in roots.items():
            named = ("--name", self.names[host], "--network", network, "--network-alias", host, "--hostname", host)
            begun = image.call(
                *("run", "--detach", *named, "--user", USER, "--volume", f"{root}:/opt/ml", image.tag, "train")
            )
            assert begun.code == 0, begun.log

    def call(self, *command: str) -> None:
        """Run a command of the client that must succeed."""
        done = self.image.call(*command)
        assert done.code == 0, done.log

    def until(self, host: str, text: str) -> None:
        """Wait for a line of a host's log."""
        self.image.until(self.names[host], text, 300)

    def ends(self, host: str, timeout: float = 600) -> int:
        """Wait for a host's exit code."""
        return self.image.wait(self.names[host], timeout)

    def failure(self, host: str) -> str:
        """Read a host's failure file."""
        return (self.roots[host] / "output" / "failure").read_text()

    def left(self, host: str) -> dict[str, bytes]:
        """Read the files that a host has written, but for what it keeps to go on from, and for the record of times."""
        root = self.roots[host]
        files = [p for p in root.rglob("*") if p.is_file() and p.name != "run.json"]
        return {str(p.relative_to(root)): p.read_bytes() for p in files if not {"input", "checkpoints"} & {*p.parts}}

    def gone(self) -> None:
        """Remove the containers."""
        self.image.call("rm", "--force", "--volumes", *self.names.values())


def laid_out(job, hyperparameters: Mapping[str, object], hosts: tuple[str, ...]) -> dict[str, Path]:
    """Make the folders of hosts."""
    roots = {host: job(hyperparameters, host) for host in hosts}
    for host, root in roots.items():
        said = {"current_host": host, "hosts": [*hosts], "network_interface_name": "eth0"}
        (root / "input" / "config" / "resourceconfig.json").write_text(json.dumps(said))
    return roots


@pytest.fixture
def company(image, job) -> Iterator[Callable[..., Company]]:
    """Start a job on several hosts; they and their network are gone at the end."""
    network = f"relabel-{uuid.uuid4().hex[:8]}"
    assert image.call("network", "create", "--internal", network).code == 0
    started: list[Company] = []

    def begun(hyperparameters: Mapping[str, object], hosts: tuple[str, ...] = HOSTS) -> Company:
        started.append(Company(image, network, laid_out(job, hyperparameters, hosts)))
        return started[-1]

    try:
        yield begun
    finally:
        for each in started:
            each.gone()
        image.call("network", "rm", network)


def unbroken(image, job, hyperparameters: Mapping[str, object]) -> dict[str, bytes]:
    """Do the job in one container."""
    root = job(hyperparameters, "alone")
    assert image.run(root, "train", timeout=600).code == 0
    return Company.left(SimpleNamespace(roots={"alone": root}), "alone")


def test_four_containers_give_what_one_gives(company, image, job) -> None:
    """Model and results are equal byte for byte; the first has them, the others leave nothing."""
    four = company(QUICK, FOUR)
    assert [four.ends(host) for host in FOUR] == [0, 0, 0, 0]
    assert four.left("algo-1") == unbroken(image, job, QUICK)
    assert [four.left(host) for host in FOUR[1:]] == [{}, {}, {}]


def test_a_host_that_stands_still_for_a_while_delays_the_job(company, image, job) -> None:
    """All wait for it, and nothing else changes."""
    both = company(SAVING)
    both.until("algo-2", "saved at step")
    both.call("pause", both.names["algo-2"])
    time.sleep(5)
    both.call("unpause", both.names["algo-2"])
    assert [both.ends(host) for host in HOSTS] == [0, 0]
    assert both.left("algo-1") == unbroken(image, job, SAVING)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("tc"), reason="a link is made slow by tc (iproute2), as root")
def test_a_slow_link_delays_the_job(company, image, job) -> None:
    """What a host is sent waits in a queue for up to two seconds, and nothing else changes."""
    both = company(SAVING)
    place = image.call("exec", both.names["algo-2"], "cat", "/sys/class/net/eth0/iflink").log.strip()
    (link,) = [
        path.parent.name for path in Path("/sys/class/net").glob("*/ifindex") if path.read_text().strip() == place
    ]
    tc("qdisc", "add", "dev", link, "root", "tbf", "rate", "400kbit", "burst", "4kb", "latency", "2s")
    while re.search(r"overlimits 0\b", tc("-s", "qdisc", "show", "dev", link)):  # the link is gone with the container
        time.sleep(0.01)
    assert [both.ends(host) for host in HOSTS] == [0, 0]
    assert both.left("algo-1") == unbroken(image, job, SAVING)


def tc(*command: str) -> str:
    """Ask the system to treat the packets of a link in some way."""
    return subprocess.run(["tc", *command], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("killed", ["algo-1", "algo-3"])
def test_a_killed_container_is_named_by_all_others(company, image, job, killed) -> None:
    """They end within a minute as the platform's fault; started again, they give what an unbroken job gives."""
    four = company(SAVING, FOUR)
    four.until(killed, "saved at step")
    began = time.monotonic()
    four.call("kill", four.names[killed])
    others = [host for host in FOUR if host != killed]
    assert [four.ends(host) for host in others] == [3, 3, 3]
    assert time.monotonic() - began < 60
    assert all(f"{killed} ended without a word" in four.failure(host) for host in others)
    four.gone()
    again = Company(image, four.network, four.roots)
    again.until("algo-2", "going on from step|kept from an earlier run")
    assert [again.ends(host) for host in FOUR] == [0, 0, 0, 0]
    assert again.left("algo-1") == unbroken(image, job, SAVING)


def test_a_cut_link_ends_all(company) -> None:
    """Nothing says so but the silence: within a minute both sides end, and each names the other."""
    both = company(LONG)
    for host in HOSTS:
        both.until(host, "saved at step")
    began = time.monotonic()
    both.call("network", "disconnect", "--force", both.network, both.names["algo-2"])
    assert [both.ends(host) for host in HOSTS] == [3, 3]
    assert time.monotonic() - began < SILENCE + 30
    assert "algo-2 ended without a word or can no longer be reached" in both.failure("algo-1")
    assert "algo-1 ended without a word or can no longer be reached" in both.failure("algo-2")


def test_stopping_both_is_no_failure(company) -> None:
    """Each ends by itself, at its next safe point, with 143."""
    both = company(LONG)
    both.until("algo-1", " of width ")
    began = time.monotonic()
    assert both.image.call("stop", "--time", "120", *both.names.values(), timeout=150).code == 0
    assert time.monotonic() - began < 60
    assert [both.ends(host) for host in HOSTS] == [143, 143]
    assert {**both.left("algo-1"), **both.left("algo-2")} == {}


def test_the_first_to_leave_does_not_cut_the_writer(image, job, tmp_path) -> None:
    """docker-compose, as the SDK's local mode starts it, stops every container when one ends: all is written by then."""
    if not shutil.which("docker-compose"):
        pytest.skip("no docker-compose on PATH")
    roots = laid_out(job, QUICK, HOSTS)
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
            [*compose, "up", "--abort-on-container-exit"], capture_output=True, text=True, timeout=600, check=False
        )
        codes = [image.call("inspect", "--format", "{{.State.ExitCode}}", name).log.strip() for name in names(compose)]
    finally:
        subprocess.run([*compose, "down", "--volumes"], capture_output=True, timeout=120, check=False)
    assert up.returncode == 0, up.stdout + up.stderr
    assert codes == ["0", "0"], up.stdout
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "model.safetensors",
        "model.json",
        "training_rows.npy",
        "reference.safetensors",
    }
    assert (roots["algo-1"] / "output" / "data" / "metrics.json").exists()


def names(compose: tuple[str, ...]) -> list[str]:
    """List the containers of a project, running or not."""
    listed = subprocess.run(
        [*compose, "ps", "--quiet", "--all"], capture_output=True, text=True, timeout=60, check=True
    )
    return listed.stdout.split()
