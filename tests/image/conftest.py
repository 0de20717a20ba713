"""The image, built once, and folders to mount as the platform does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from relabel.data import planted

ROOT = Path(__file__).parents[2]
WIDTH = 16
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
QUICK = {"seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003}
USER = f"{os.getuid()}:{os.getgid()}"
"""Containers write into the mounted folders as whoever runs the tests, who must be able to remove them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `log` is both its streams."""

    code: int
    log: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker client with an engine behind it.

    tag: the image under test, "" before it is built.
    """

    client: str
    tag: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: {**os.environ, "DOCKER_BUILDKIT": "1"}, repr=False)

    def call(self, *arguments: str, timeout: float = 60) -> Ended:
        """Run a command of the client to its end."""
        ended = subprocess.run(
            [self.client, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout)

    def run(self, root: Path, *command: str, timeout: float = 300) -> Ended:
        """Run the image to its end, without a network, on a folder mounted where the platform mounts it."""
        mounted = ("--rm", "--network", "none", "--user", USER, "--volume", f"{root}:/opt/ml")
        return self.call("run", *mounted, self.tag, *command, timeout=timeout)

    @contextmanager
    def serving(self, root: Path, *command: str) -> Iterator[tuple[str, str]]:
        """Run the image in the background on a folder's model; yield the container's name and `127.0.0.1:port`."""
        options = (
            "--detach",
            "--publish",
            "127.0.0.1::8080",
            "--user",
            USER,
            "--volume",
            f"{root / 'model'}:/opt/ml/model:ro",
        )
        started = self.call("run", *options, self.tag, *command)
        assert started.code == 0, started.log
        name = started.log.split()[-1]
        try:
            yield name, self.call("port", name, "8080").log.strip()
        finally:
            self.call("rm", "--force", name)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """A Docker client, or the reason why there is none."""
    client = os.environ.get("DOCKER", "docker")
    try:
        answers = subprocess.run([client, "info"], capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        answers = False
    if not answers:
        pytest.skip(f"no Docker engine answers `{client} info`: start one, or name the client in DOCKER")
    return Engine(client)


@pytest.fixture(scope="session")
def image(engine) -> Engine:
    """The cpu target, built from the checkout; BASE_IMAGE and PIP_FIND_LINKS_URL say where no registry can be reached."""
    arguments = []
    if base := os.environ.get("BASE_IMAGE"):
        arguments += ["--build-arg", f"BASE_IMAGE={base}"]
    if wheels := os.environ.get("PIP_FIND_LINKS_URL"):
        arguments += ["--build-arg", f"PIP_FIND_LINKS={wheels}", "--network", "host"]
    built = Engine(engine.client, "relabel:under-test")
    ended = built.call(
        *("build", "--file", str(ROOT / "docker" / "Dockerfile"), "--target", "cpu", "--tag", built.tag),
        *arguments,
        str(ROOT),
        timeout=1800,
    )
    assert ended.code == 0, ended.log[-4000:]
    return built


@pytest.fixture
def job(tmp_path) -> Callable[[Mapping[str, object]], Path]:
    """Make the folder of a training job with 600 rows of width 16."""
    return lambda hyperparameters: _lay_out(tmp_path / "ml", hyperparameters)


@pytest.fixture(scope="session")
def trained(image, tmp_path_factory) -> tuple[Path, Ended]:
    """A folder in which the image has trained, and how that ended."""
    root = _lay_out(tmp_path_factory.mktemp("trained") / "ml", QUICK)
    return root, image.run(root, "train")


def _lay_out(root: Path, hyperparameters: Mapping[str, object]) -> Path:
    for name, rows, seed in (("train", 600, 0), ("dev", 200, 1), ("test", 300, 2)):
        made = planted.reviews(rows, width=WIDTH, noise=NOISE, seed=seed)
        planted.write(root / "input" / "data" / "train", name, made)
    config = root / "input" / "config"
    config.mkdir()
    strings = {key: str(value) for key, value in hyperparameters.items()}
    (config / "hyperparameters.json").write_text(json.dumps(strings))
    return root
