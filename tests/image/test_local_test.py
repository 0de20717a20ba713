"""Promises of local_test/: the image tried on one machine, with the scripts as people run them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relabel.codecs import table

pytestmark = pytest.mark.image

SCRIPTS = Path(__file__).parents[2] / "local_test"
ENDINGS = {table.JSON: ".json", table.JSON_LINES: ".jsonl", table.CSV: ".csv", table.NPY: ".npy"}
"""Media type -> ending of its payload; every type that is spoken stands here and has a payload."""


def free_port() -> str:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


class Copy:
    """A copy of the folder, and whoever runs its scripts."""

    def __init__(self, folder: Path, client: str) -> None:
        self.folder = folder
        shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("model", "output", "checkpoints"))
        self.environment = {**os.environ, "DOCKER": client, "PORT": free_port()}

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end, from another folder."""
        command = [self.folder / script, *arguments]
        environment = {**self.environment, **variables}
        return subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, timeout=300, check=False
        )

    @contextmanager
    def serving(self, image: str) -> Iterator[None]:
        """Serve in the background until the block ends, then send what Ctrl-C sends to the container."""
        server = subprocess.Popen(
            [self.folder / "serve_local.sh", image], env=self.environment, stdout=subprocess.DEVNULL
        )
        try:
            self._wait(server)
            yield
        finally:
            client, name = self.environment["DOCKER"], f"relabel-local-{self.environment['PORT']}"
            subprocess.run([client, "kill", "--signal", "INT", name], capture_output=True, check=False)
            assert server.wait(30) == 0

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.environment['PORT']}/ping", timeout=2).close()
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"no answer; the script has ended with {server.poll()}")


@pytest.fixture
def copy(engine, tmp_path) -> Copy:
    """The folder as it is in the repository."""
    return Copy(tmp_path / "local_test", engine.client)


def told(ending: str, answer: str) -> list[int]:
    """Read the labels of an answer."""
    if ending == ".csv":
        return [int(line.partition(",")[0]) for line in answer.splitlines()]
    rows = map(json.loads, answer.splitlines()) if ending == ".jsonl" else json.loads(answer)["predictions"]
    return [row["label"] for row in rows]


def test_train_serve_and_predict(copy, image) -> None:
    """Three scripts, from the data to the answer for a payload of each kind that is spoken."""
    trained = copy.run("train_local.sh", image.tag)
    assert trained.returncode == 0, trained.stdout + trained.stderr
    assert (copy.folder / "test_dir" / "model" / "model.json").exists()
    assert (copy.folder / "test_dir" / "output" / "data" / "label_issues.csv").exists()
    payloads = sorted((copy.folder / "payloads").iterdir())
    assert ENDINGS.keys() == table.CODECS.keys() - {table.PLAIN}, "plain text is for models of texts"
    assert {path.suffix for path in payloads} == set(ENDINGS.values())
    labels: dict[str, list[int]] = {}
    with copy.serving(image.tag):
        for path in payloads:
            answered = copy.run("predict.sh", str(path))
            assert answered.returncode == 0, answered.stderr
            labels[path.suffix] = told(path.suffix, answered.stdout)
        refused = copy.run("predict.sh", str(payloads[0]), "text/html")
        assert (refused.returncode, "refused" in refused.stderr) == (1, True)
    assert len(labels[".json"]) == 3
    assert all(each == labels[".json"] for each in labels.values())


def test_mistakes_are_said_with_what_to_do(copy, image) -> None:
    """No image, no such image, no engine, no model, no endpoint, no such file."""
    mistakes = [
        (("train_local.sh",), {}, "give the image"),
        (("train_local.sh", "no-such-image:0"), {}, "build it"),
        (("serve_local.sh", image.tag), {"DOCKER": "/no/such/docker"}, "no Docker engine"),
        (("serve_local.sh", image.tag), {}, "run train_local.sh first"),
        (("predict.sh", str(copy.folder / "payloads" / "embeddings.json")), {}, "run serve_local.sh"),
        (("predict.sh", "nothing.json"), {}, "no file nothing.json"),
    ]
    for command, variables, said in mistakes:
        ended = copy.run(*command, **variables)
        assert (ended.returncode, said in ended.stderr) == (1, True), ended.stderr
