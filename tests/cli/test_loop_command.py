"""Promises of `relabel loop` around an endpoint on SageMaker, against an imitation of AWS on this machine."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from click.testing import CliRunner
from moto.core.responses import ActionResult
from moto.sagemaker.responses import SageMakerResponse
from moto.server import ThreadedMotoServer

from relabel.cli import loop_inputs
from relabel.cli.main import commands
from relabel.codecs import table
from relabel.data import planted, reading
from relabel.errors import AlgorithmError, PlatformError, UserError
from relabel.model import artifact, package
from relabel.model.artifact import Artifact, Model
from relabel.monitoring import capture_files
from relabel.monitoring.capture_files import Message, Request
from relabel.settings import TrainSettings

REGION, ACCOUNT = "eu-west-1", "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/relabel-execution"
BUCKET = f"relabel-{ACCOUNT}-{REGION}"
WIDTH = 4


def model(folder: Path, bias: float) -> Path:
    """Write a model that differs from others by its bias."""
    tensors = {"mean": np.zeros(WIDTH, np.float32), "scale": np.ones(WIDTH, np.float32)}
    tensors |= {"weight.0": np.eye(WIDTH, 2, dtype=np.float32), "bias.0": np.full(2, bias, np.float32)}
    sizes = {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 2}
    artifact.save(folder, Artifact(Model("dense", sizes, tensors), ("0", "1"), "given"))
    return folder


@pytest.fixture
def endpoint(tmp_path, monkeypatch) -> Iterator[str]:
    """An endpoint that captures its traffic, and has captured some."""

    def update_endpoint(response: Any) -> ActionResult:
        """Let the endpoint run the other configuration at once; moto does not know how."""
        found = response.sagemaker_backend.endpoints[response._get_param("EndpointName")]
        found.endpoint_config_name = response._get_param("EndpointConfigName")
        return ActionResult({"EndpointArn": found.arn})

    monkeypatch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    said = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in {**said, "RELABEL_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    package.pack(model(tmp_path / "model", 0.0), tmp_path / "model.tar.gz")
    store, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    store.upload_file(str(tmp_path / "model.tar.gz"), BUCKET, "out/first/model.tar.gz")
    container = {"Image": "relabel:1", "ModelDataUrl": f"s3://{BUCKET}/out/first/model.tar.gz"}
    sagemaker.create_model(ModelName="relabel-first", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "all",
        "ModelName": "relabel-first",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/out/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }
    sagemaker.create_endpoint_config(
        EndpointConfigName="relabel-first", ProductionVariants=[variant], DataCaptureConfig=capture
    )
    sagemaker.create_endpoint(EndpointName="relabel-reviews", EndpointConfigName="relabel-first")
    store.put_object(
        Bucket=BUCKET, Key=f"out/captured/relabel-reviews/all/{capture_files.path_of(NOON, 'a')}", Body=captured()
    )
    yield "relabel-reviews"
    server.stop()


NOON = np.datetime64("2026-03-01T12:00:00", "s")


def captured() -> bytes:
    """Write down thirty requests."""
    rows = planted.reviews(30, width=WIDTH, noise=np.eye(2), seed=9).embeddings
    bodies = [json.dumps({"instances": [row.tolist()]}).encode() for row in rows]
    lines = [
        capture_files.written(Request(f"r{n}", NOON, Message(table.JSON, body), None)) for n, body in enumerate(bodies)
    ]
    return "".join(lines).encode()


def run(*words: str) -> str:
    """Run a command of the loop."""
    done = CliRunner().invoke(commands, ["loop", *words])
    assert done.exit_code == 0, f"{words}\n{done.output}\n{done.exception!r}"
    return done.output


def served(endpoint: str) -> str:
    """Tell which archive an endpoint serves."""
    client = boto3.client("sagemaker")
    configuration = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    (variant,) = client.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
    found: str = client.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["ModelDataUrl"]
    return found


def test_a_loop_around_an_endpoint_reads_its_traffic_and_changes_its_model(endpoint, tmp_path) -> None:
    """The model that serves comes from the endpoint, traffic from where it is captured; what is promoted or rolled back, the endpoint serves."""
    for name, rows in (("train", 60), ("dev", 20), ("test", 21)):
        planted.write(tmp_path / "data", name, planted.reviews(rows, width=WIDTH, noise=np.eye(2), seed=rows))
    folder = str(tmp_path / "loop")
    run("start", folder, "--data", str(tmp_path / "data"), "--endpoint", endpoint, "--region", REGION)
    texts = tmp_path / "texts.csv"
    texts.write_text("id,review\n" + "".join(f"r{n},text {n}\n" for n in range(30)))
    assert "30 new rows" in run("collect", folder, "--texts", str(texts))
    assert "10 rows to label" in run("select", folder, "--count", "10")
    run("export", folder, "--output", str(tmp_path / "queue.csv"))
    assert "text 1" in (tmp_path / "queue.csv").read_text()
    loop = loop_inputs.opened(tmp_path / "loop")
    first = loop.champion()
    place = loop_inputs.place(loop)
    second = model(tmp_path / "models" / "second", 1.0)
    for put, name in ((second, "second"), (second, "second"), (first, first.name)):
        place.put(put)
        assert served(endpoint) == f"s3://{BUCKET}/out/relabel-loop/{name}/model.tar.gz"


def test_the_next_round_reads_what_came_since_the_last(endpoint, tmp_path) -> None:
    """A capture holds all that ever came; a draw of it would have next to nothing new."""
    planted.write(tmp_path / "data", "train", planted.reviews(99, width=WIDTH, noise=np.eye(2), seed=1))
    folder = tmp_path / "loop"
    run("start", str(folder), "--data", str(tmp_path / "data"), "--endpoint", endpoint, "--region", REGION)
    run("collect", str(folder))
    loop = loop_inputs.opened(folder)
    assert len(loop_inputs.traffic(loop, "")) == 30
    loop.journal.write("decide", 1, {}, [])  # the next round begins, months after the traffic
    assert len(loop_inputs.traffic(loop, "")) == 0
    assert len(loop_inputs.traffic(loop, f"s3://{BUCKET}/out/captured/{endpoint}/")) == 30


def test_columns_of_the_first_data_are_read_once(tmp_path, monkeypatch) -> None:
    """The loop's own files have names of their own, so that no job is told the others."""
    planted.write(tmp_path / "data", "train", planted.reviews(60, width=WIDTH, noise=np.eye(2), seed=0))
    path = tmp_path / "data" / "train.csv"
    head, _, rest = path.read_text().partition("\n")
    path.write_text(f"{head.replace('review', 'body').replace('label', 'stars')}\n{rest}")
    monkeypatch.setenv("RELABEL_CACHE", str(tmp_path / "cache"))
    words = ("--data", str(tmp_path / "data"), "--model", str(model(tmp_path / "model", 0.0)), "--seeds", "2")
    run("start", str(tmp_path / "loop"), *words, "--text-column", "body", "--label-column", "stars")
    loop = loop_inputs.opened(tmp_path / "loop")
    assert loop.about["settings"] == {"seeds": "2"}
    again = reading.read({"train": loop.base}, TrainSettings())
    assert again.texts is not None
    assert len(again) == 60


def test_without_model_or_traffic_it_is_said_what_to_give(tmp_path, monkeypatch) -> None:
    """Nothing is asked of AWS."""
    planted.write(tmp_path / "data", "train", planted.reviews(60, width=WIDTH, noise=np.eye(2), seed=0))
    words = ["loop", "start", str(tmp_path / "loop"), "--data", str(tmp_path / "data")]
    assert "--endpoint" in str(CliRunner().invoke(commands, words).exception)
    monkeypatch.setenv("RELABEL_CACHE", str(tmp_path / "cache"))
    run(*words[1:], "--model", str(model(tmp_path / "model", 0.0)))
    assert "--traffic" in str(CliRunner().invoke(commands, ["loop", "collect", str(tmp_path / "loop")]).exception)


@pytest.mark.parametrize(("code", "kind"), [(1, AlgorithmError), (2, UserError), (3, PlatformError), (9, UserError)])
def test_a_job_that_fails_ends_the_command_as_itself(code, kind) -> None:
    """A scheduler learns by the exit code who can mend it."""
    with pytest.raises(kind, match=f"ended with {code}"):
        loop_inputs.end_as(code)


@pytest.mark.parametrize(("code", "shown"), [(-9, 137), (143, 143)])
def test_a_job_that_a_signal_ended_ends_the_command_so(code, shown) -> None:
    """Whether the job heard the signal or was killed by it."""
    with pytest.raises(SystemExit) as ended:
        loop_inputs.end_as(code)
    assert ended.value.code == shown
