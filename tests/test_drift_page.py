"""Promises of the page on watching: its commands run as written, and end as it says."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from relabel.cli.drift import DRIFT
from relabel.cli.main import commands
from relabel.data import planted
from relabel.model import artifact, predictor, reference
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import capture_files, emf
from relabel.monitoring.capture_files import Message, Request

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "drift.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
WIDTH = 16


@pytest.fixture
def amazon() -> Iterator[str]:
    """An imitation of AWS on this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # Other tests of this process may have used it; the address is that of the line above.
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    yield url
    server.stop()


def model(folder: Path) -> None:
    """Make a model as a job leaves it, with a reference of rows that come like those of the first days."""
    weight = np.repeat(np.array([[-0.4, 0.4]], np.float32), WIDTH, axis=0)
    plain = {"mean": np.zeros(WIDTH, np.float32), "scale": np.ones(WIDTH, np.float32)}
    made = Model(
        "dense",
        {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 2},
        {**plain, "weight.0": weight, "bias.0": np.zeros(2, np.float32)},
    )
    learned, rows = (planted.reviews(600, width=WIDTH, noise=np.eye(2), seed=seed).embeddings for seed in (0, 1))
    held = reference.made(learned, rows, predictor.load(made)(rows))
    artifact.save(folder, Artifact(made, ("0", "1"), "given", reference=held))


def capture(folder: Path) -> None:
    """Let three days of traffic come, of which the last is strange, and labels for every other row."""
    labels = ["id,label"]
    for day in range(1, 4):
        made = planted.reviews(500, width=WIDTH, noise=np.eye(2), seed=10 + day)
        rows = made.embeddings + (2.0 if day == 3 else 0.0) * (np.arange(WIDTH) > 11)
        start = np.datetime64(f"2026-03-{day:02}T00:00:00", "s")
        requests = [
            Request(
                f"{day}-{n}",
                start + np.timedelta64(60 * n, "s"),
                Message("application/json", json.dumps(row.tolist()).encode()),
                None,
            )
            for n, row in enumerate(rows)
        ]
        path = folder / "captured" / capture_files.path_of(start, "part")
        path.parent.mkdir(parents=True)
        path.write_text("".join(map(capture_files.written, requests)))
        labels += [f"{day}-{n},{made.truth[n]}" for n in range(0, 500, 2)]
    (folder / "labels.csv").write_text("\n".join(labels) + "\n")


def test_the_whole_page_runs_as_written(tmp_path, amazon, monkeypatch) -> None:
    """Every command finds the strange last day; what it writes is what the page says."""
    model(tmp_path / "out" / "model")
    capture(tmp_path)
    keys = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": amazon,
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    upload(tmp_path / "captured", amazon)
    assert {language for language, _ in BLOCKS} == {"sh"}
    said = ""
    for line in (line for _, block in BLOCKS for line in block.splitlines()):
        command, _, to = line.partition(" >")
        program, *words = shlex.split(command)
        done = CliRunner().invoke(commands, words)
        assert (program, done.exit_code) == ("relabel", DRIFT), done.output
        if to:
            Path(to).write_text(done.stdout)
        else:
            said += done.stdout
    assert f"{DRIFT} | drift" in PAGE
    assert "window 3" in said
    assert all(f"`{name}`" in PAGE for name in emf.METRICS)
    metrics = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["Drift"] for line in metrics] == [0, 1]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert [window["drifted"] for window in figures["windows"]] == [False, False, True]
    assert {*figures["windows"][0]["p"]} == set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE))
    assert len(json.loads((tmp_path / "drift.json").read_text())["windows"]) == 3
    assert "Accuracy by late labels" in (tmp_path / "drift.html").read_text()


def upload(folder: Path, url: str) -> None:
    """Put the traffic where the page says that it lies."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106
    )
    client.create_bucket(Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for path in folder.rglob("*.jsonl"):
        client.upload_file(
            str(path), "my-bucket", f"captured/my-endpoint/AllTraffic/{path.relative_to(folder).as_posix()}"
        )
