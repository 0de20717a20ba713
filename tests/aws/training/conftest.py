"""Training jobs that run until a test ends them, in an account of moto's."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.sagemaker.models import FakeTrainingJob, SageMakerModelBackend, sagemaker_backends

from relabel.aws import account, training
from relabel.aws.account import Account
from relabel.data import planted
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model

REGION, NUMBER = "eu-west-1", "123456789012"
BUCKET = f"relabel-{NUMBER}-{REGION}"
LOGS = "/aws/sagemaker/TrainingJobs"
FIGURES = {
    "data": {"classes": ["bad", "good"]},
    "treatment": {"verdict": "68 of 600 training rows (11.3%) are flagged."},
    "comparison": {
        "before": {"accuracy": 0.735},
        "after": {"accuracy": 0.7525},
        "gain": {"accuracy": {"value": 0.0175, "low": -0.002, "high": 0.021}},
    },
    "served": {"test": {"accuracy": 0.76, "macro_f1": 0.75, "log_loss": 0.5, "ece": 0.02, "rows": 300}},
}


@dataclass(frozen=True)
class Cloud:
    """What a test does in the platform's place."""

    plans: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)

    def end_soon(self, name: str, **how: Any) -> None:
        """End a training job once it was looked at twice."""
        self.plans[name] = (2, how)

    def looked(self, name: str) -> None:
        """Count a look at a job."""
        left, how = self.plans.get(name, (-1, {}))
        if left == 0:
            self.end(name, **how)
        self.plans[name] = (left - 1, how)

    def client(self, service: str) -> Any:
        """Look at AWS from outside."""
        return boto3.client(service)

    @property
    def account(self) -> Account:
        """The account as relabel finds it."""
        return account.find()

    def jobs(self) -> dict[str, Any]:
        """Training jobs by name, as the imitation keeps them."""
        return sagemaker_backends[NUMBER][REGION].training_jobs

    def end(self, name: str, status: str = "Completed", reason: str | None = None, stage: str | None = None) -> None:
        """End a training job."""
        job = self.jobs()[name]
        job.training_job_status, job.secondary_status = status, stage or status
        job.failure_reason = reason
        job.training_start_time = datetime.now(UTC) - timedelta(seconds=100)
        job.training_end_time = datetime.now(UTC)
        job.training_time_in_seconds, job.billable_time_in_seconds = 100, 40

    def leave(self, name: str, archives: dict[str, bytes]) -> None:
        """Put what a training job leaves where it leaves it."""
        for archive, content in archives.items():
            self.client("s3").put_object(Bucket=BUCKET, Key=f"out/{name}/output/{archive}", Body=content)

    def log(self, name: str, *lines: str) -> None:
        """Write lines to a job's log."""
        logs, stream = self.client("logs"), {"logGroupName": LOGS, "logStreamName": f"{name}/algo-1-1"}
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=LOGS)
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(**stream)
        now = int(datetime.now(UTC).timestamp() * 1000)
        logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": line} for line in lines])


@pytest.fixture(scope="session")
def found(imitation) -> Account:
    """One account for all tests: the SDK makes four clients of each session, which takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", imitation)
        made = Account(boto3.session.Session("anybody", "anybody", region_name=REGION), REGION)
        made.client("s3")
        training.found(made, "relabel-none")
    return made


@pytest.fixture
def cloud(nothing, found, monkeypatch, tmp_path, push_image) -> Cloud:  # noqa: ARG001  # where it is
    """An account with a bucket, the image, and nothing else, in which a training job runs until it is ended; the working folder is an empty one."""
    monkeypatch.setattr(FakeTrainingJob, "__init__", _running(FakeTrainingJob.__init__))
    monkeypatch.setattr(account, "find", lambda _region="", _profile="": found)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    made = Cloud()
    describe = SageMakerModelBackend.describe_training_job

    def described(backend: Any, training_job_name: str) -> dict[str, Any]:
        made.looked(training_job_name)
        found: dict[str, Any] = describe(backend, training_job_name)
        return found

    monkeypatch.setattr(SageMakerModelBackend, "describe_training_job", described)
    made.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    push_image(made.client("ecr"))
    return made


def _running(make: Callable[..., None]) -> Callable[..., None]:
    """Make the imitation's jobs run, where its own are done at once."""

    def made(job: Any, **values: Any) -> None:
        make(job, **values)
        job.training_job_status, job.secondary_status = "InProgress", "Training"
        job.training_end_time = None

    return made


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder of splits."""
    for name, rows in (("train", 40), ("dev", 20), ("test", 20)):
        planted.write(tmp_path / "my-data", name, planted.reviews(rows, width=4, noise=np.eye(2), seed=rows))
    return tmp_path / "my-data"


@pytest.fixture
def archives(tmp_path) -> dict[str, bytes]:
    """What a training job leaves: a model of vectors of 4, and the figures."""
    sizes = {"inputs": 4, "width": 1, "depth": 0, "classes": 2}
    tensors = {"mean": np.zeros(4), "scale": np.ones(4), "weight.0": np.ones((4, 2)), "bias.0": np.zeros(2)}
    model = Model("dense", sizes, {name: value.astype(np.float32) for name, value in tensors.items()})
    made = Artifact(model, ("bad", "good"), "treated", provenance={"data": "d" * 32})
    artifact.save(tmp_path / "made", made)
    files = {f"data/{name}": content for name, content in results().items()}
    return {
        "model.tar.gz": packed({path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}),
        "output.tar.gz": packed(files),
    }


def results() -> dict[str, bytes]:
    """Files of results."""
    return {"metrics.json": json.dumps(FIGURES).encode(), "report.html": b"<html></html>"}


def packed(files: dict[str, bytes]) -> bytes:
    """Make a gzipped archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
