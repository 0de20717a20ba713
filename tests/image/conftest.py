"""The image, built once, and folders to mount as the platform does."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import threading
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
HARDSHIPS = {
    "nothing but /tmp can be written": ("--read-only", "--tmpfs", "/tmp"),  # noqa: S108
    "a user that nobody knows": ("--user", "12345"),
    "no shared memory": ("--ipc", "none"),
    "hardly any shared memory": ("--shm-size", "4k"),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended; `log` is both its streams."""

    code: int
    log: str


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker client with an engine behind it.

    tag:     the image under test, "" before it is built.
    options: of every `docker run`; later ones win over those that `run`, `started` and `serving` give.
    """

    client: str
    tag: str = ""
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: {**os.environ, "DOCKER_BUILDKIT": "1"}, repr=False)

    def given(self, *options: str) -> Engine:
        """The same with more options.

        >>> image.given("--read-only").run(root, "train")
        """
        return dataclasses.replace(self, options=(*self.options, *options))

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
        alone = ("--rm", "--network", "none", "--user", USER, "--volume", f"{root}:/opt/ml")
        return self.call("run", *alone, *self.options, self.tag, *command, timeout=timeout)

    @contextmanager
    def started(self, root: Path, *command: str) -> Iterator[str]:
        """The same in the background; yield the container's name."""
        with self._background("--network", "none", "--volume", f"{root}:/opt/ml", command=command) as name:
            yield name

    @contextmanager
    def serving(self, root: Path, *command: str) -> Iterator[tuple[str, str]]:
        """Run the image in the background on a folder's model; yield the container's name and `127.0.0.1:port`."""
        model = ("--volume", f"{root / 'model'}:/opt/ml/model:ro")
        with self._background("--publish", "127.0.0.1::8080", *model, command=command) as name:
            yield name, self.call("port", name, "8080").log.strip()

    @contextmanager
    def _background(self, *options: str, command: tuple[str, ...]) -> Iterator[str]:
        begun = self.call("run", "--detach", "--user", USER, *options, *self.options, self.tag, *command)
        assert begun.code == 0, begun.log
        name = begun.log.split()[-1]
        try:
            yield name
        finally:
            self.call("rm", "--force", "--volumes", name)

    def until(self, name: str, pattern: str, timeout: float = 60) -> str:
        """Follow a container's log up to the first line with the pattern; the lines so far."""
        lines = []
        with subprocess.Popen(
            [self.client, "logs", "--follow", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as log:
            assert log.stdout is not None
            impatience = threading.Timer(timeout, log.kill)
            impatience.start()
            try:
                for line in log.stdout:
                    lines.append(line)
                    if re.search(pattern, line):
                        return "".join(lines)
            finally:
                impatience.cancel()
                log.kill()
        raise AssertionError(f"no line {pattern!r} in {timeout} s:\n{''.join(lines)}")

    def stop(self, name: str, patience: int) -> int:
        """Ask a container to end, and kill it after so many seconds, as the platform does; its exit code."""
        assert self.call("stop", "--time", str(patience), name, timeout=patience + 60).code == 0
        return self.wait(name)

    def wait(self, name: str, timeout: float = 120) -> int:
        """Wait for a container to end; its exit code."""
        return int(self.call("wait", name, timeout=timeout).log)

    def identity(self) -> str:
        """Give the image's id, "" where there is none."""
        found = self.call("image", "inspect", "--format", "{{.Id}}", self.tag)
        return found.log.strip() if found.code == 0 else ""

    def inside(self, name: str, *command: str) -> Ended:
        """Run a command in a running container."""
        return self.call("exec", name, *command)

    def clean(self, folder: Path) -> Ended:
        """Make everything in a folder removable, as the SDK does: through the image, as the image's own user."""
        return self.call("run", "--rm", "--volume", f"{folder}:/delete", self.tag, "chmod", "-R", "777", "/delete")


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
    """The cpu target; IMAGE_UNDER_TEST names an image that is there already, to be tested in its place."""
    return _built(engine, "cpu", os.environ.get("IMAGE_UNDER_TEST", ""))


@pytest.fixture(scope="session")
def text_image(engine) -> Engine:
    """The text target; TEXT_IMAGE_UNDER_TEST names one that is there already."""
    return _built(engine, "text", os.environ.get("TEXT_IMAGE_UNDER_TEST", ""))


def _built(engine: Engine, target: str, there: str) -> Engine:
    """Build a target from the checkout; BASE_IMAGE and PIP_FIND_LINKS_URL say where no registry can be reached."""
    if there:
        return dataclasses.replace(engine, tag=there)
    arguments = []
    if base := os.environ.get("BASE_IMAGE"):
        arguments += ["--build-arg", f"BASE_IMAGE={base}"]
    if wheels := os.environ.get("PIP_FIND_LINKS_URL"):
        arguments += ["--build-arg", f"PIP_FIND_LINKS={wheels}", "--network", "host"]
    built = dataclasses.replace(engine, tag="relabel:under-test" if target == "cpu" else f"relabel:{target}-under-test")
    earlier = built.identity()
    ended = built.call(
        *("build", "--file", str(ROOT / "docker" / "Dockerfile"), "--target", target, "--tag", built.tag),
        *arguments,
        str(ROOT),
        timeout=1800,
    )
    assert ended.code == 0, ended.log[-4000:]
    if earlier and earlier != built.identity():
        built.call("rmi", earlier)  # a build a day fills a disk; one that has another name too, or is in use, stays
    return built


@pytest.fixture(params=HARDSHIPS.values(), ids=HARDSHIPS.keys())
def hardship(request) -> tuple[str, ...]:
    """Options of `docker run` for one of the ways in which a container is kept short."""
    return request.param


@pytest.fixture
def job(tmp_path) -> Callable[..., Path]:
    """Make the folder of a training job with 600 rows of width 16; nothing said is the job that `trained` did."""
    return lambda hyperparameters=QUICK, name="ml": _lay_out(tmp_path / name, hyperparameters)


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
