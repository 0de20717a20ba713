"""Endpoints and transform jobs as moto imitates them, taught what it does not do; models and sets to try them on."""

from __future__ import annotations

import csv
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moto.backends import get_backend
from moto.core.responses import ActionResult
from moto.sagemaker.models import FakeTransformJob
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from relabel import settings
from relabel.aws import objects, waiting
from relabel.container.memory import GIB
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import INVOCATIONS, handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1"


@pytest.fixture
def run(aws, relabel) -> Callable[..., Any]:  # noqa: ARG001  # the account that commands find
    """Run `relabel aws …` in this process."""
    return lambda *arguments: relabel("aws", *arguments)


@pytest.fixture(autouse=True)
def updates(monkeypatch) -> None:
    """Teach moto UpdateEndpoint, which it does not know: the endpoint runs the other configuration at once."""

    def update_endpoint(response: Any) -> ActionResult:
        endpoint = response.sagemaker_backend.endpoints[response._get_param("EndpointName")]
        endpoint.endpoint_config_name = response._get_param("EndpointConfigName")
        return ActionResult({"EndpointArn": endpoint.arn})

    monkeypatch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
    monkeypatch.setattr(waiting, "EVERY", 0.05)


@pytest.fixture
def endpoint(aws) -> Callable[[str], Any]:
    """Look at an endpoint inside moto, to put it in a state."""
    return lambda name: get_backend("sagemaker")[aws.number][aws.region].endpoints[name]


@pytest.fixture
def model(tmp_path) -> Path:
    """The folder of a model of three numbers; the first one below 0 is `positive`."""
    return made(tmp_path / "model", 2.0)


@pytest.fixture
def other_model(tmp_path) -> Path:
    """Another model of the same kind."""
    return made(tmp_path / "other", 3.0)


def made(folder: Path, slope: float) -> Path:
    """Write a model of which the answers are known."""
    tensors = {
        "mean": np.zeros(3, np.float32),
        "scale": np.ones(3, np.float32),
        "weight.0": np.array([[slope, -slope], [0, 0], [0, 0]], np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    sizes = {"inputs": 3, "width": 1, "depth": 0, "classes": 2}
    artifact.save(folder, Artifact(Model("dense", sizes, tensors), ("negative", "positive"), "given"))
    return folder


@pytest.fixture
def answering(aws, imitation) -> Callable[..., None]:
    """Queue what endpoints answer, at once and by way of files, which moto then gives in turn."""

    def queue(*bodies: str, failed: bool = False) -> None:
        now = [{"Body": body, "ContentType": "application/json"} for body in bodies]
        later = [{"data": body, "is_failure": failed} for body in bodies]
        for kind, results in (("endpoint", now), ("async-endpoint", later)):
            said = {"account_id": aws.number, "region": aws.region, "results": results}
            asked = urllib.request.Request(  # noqa: S310  # loopback
                f"{imitation}/moto-api/static/sagemaker/{kind}-results",
                data=json.dumps(said).encode(),
                headers={"Content-Type": "application/json"},
            )
            urllib.request.urlopen(asked).close()  # noqa: S310

    return queue


@pytest.fixture
def failing(monkeypatch) -> Callable[[str, str, int], None]:
    """Let moto's InvokeEndpoint answer as AWS does where the container refuses."""

    def fail(code: str, message: str, status: int) -> None:
        def refuse(_response: Any) -> tuple[int, dict[str, str], str]:
            said = {"Message": "Received client error", "OriginalStatusCode": status, "OriginalMessage": message}
            return (
                424,
                {"x-amzn-errortype": code, "status": "424", "Content-Type": "application/json"},
                json.dumps(said),
            )

        monkeypatch.setattr(SageMakerRuntimeResponse, "invoke_endpoint", refuse)

    return fail


@pytest.fixture
def labelled(tmp_path) -> Path:
    """A set of two files: 40 rows of CSV with a header, 10 of JSON Lines; the first number tells the class of 45 of the 50."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 3))
    labels = np.where(vectors[:, 0] < 0, "positive", "negative")
    labels[:5] = np.where(labels[:5] == "positive", "negative", "positive")
    folder = tmp_path / "set"
    folder.mkdir()
    with (folder / "a.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "x", "y", "z"])
        writer.writerows([label, *row] for label, row in zip(labels[:40], vectors[:40].tolist(), strict=True))
    lines = [
        json.dumps({"features": row, "label": label})
        for label, row in zip(labels[40:].tolist(), vectors[40:].tolist(), strict=True)
    ]
    (folder / "b.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def platform(aws, model, monkeypatch) -> Callable[[], list[dict[str, Any]]]:
    """Do what moto's transform jobs do not: answer each file of requests, some lines at a time; gives the jobs that were run."""
    chosen = settings.parse(ServeSettings, {"bad_records": "report", "batch": "true"})
    endpoint = Endpoint(served.load(model), chosen, capacity.of(chosen, cores=1, memory=GIB))
    jobs: list[dict[str, Any]] = []
    made = FakeTransformJob.__init__

    def answer(lines: list[bytes]) -> bytes:
        asked = Request(
            "POST", INVOCATIONS, "application/jsonlines", "application/jsonlines", body=b"".join(lines), number="1"
        )
        return handle(asked, endpoint).body + b"\n"  # AssembleWith=Line

    def run(job: Any, *arguments: Any, **named: Any) -> None:
        made(job, *arguments, **named)
        jobs.append({"input": job.transform_input, "output": job.transform_output, "environment": job.environment})
        source = objects.parse(job.transform_input["DataSource"]["S3DataSource"]["S3Uri"])
        for each in objects.listing(aws, str(source)):
            lines = objects.read(aws, str(each.at)).splitlines(keepends=True)
            body = b"".join(answer(lines[start : start + 7]) for start in range(0, len(lines), 7))
            target = objects.parse(job.transform_output["S3OutputPath"])
            objects.write(aws, str(target.below(each.at.key.removeprefix(source.key) + ".out")), body)
        job.transform_job_status = "Completed"

    monkeypatch.setattr(FakeTransformJob, "__init__", run)
    return lambda: jobs
