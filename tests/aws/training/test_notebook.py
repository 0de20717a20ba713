"""Promises of docs/notebook.ipynb: it runs from its first cell to its last, and leaves nothing that costs.

The imitation of AWS starts no container, so what one would do is done here with the same code: a training job is `relabel train` on what lies in
the bucket, an endpoint and a transform job are our own handler with the model that the job left.
"""

from __future__ import annotations

import functools
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from moto.sagemaker.models import FakeTrainingJob, FakeTransformJob
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse

from relabel import settings
from relabel.aws import objects
from relabel.aws.account import Account
from relabel.container.memory import GIB
from relabel.serving import capacity, served
from relabel.serving.endpoint import Endpoint
from relabel.serving.handler import INVOCATIONS, handle
from relabel.serving.messages import Request
from relabel.settings import ServeSettings

NOTEBOOK = Path(__file__).parents[3] / "docs" / "notebook.ipynb"
LINES = "application/jsonlines"
HYPERPARAMETERS = {"data_issues": "off", "outlook": "off", "report": "off"}
"""What the job here leaves out, for time."""


@pytest.fixture
def platform(cloud, tmp_path, monkeypatch) -> Callable[[], Endpoint]:
    """Let jobs and endpoints of the imitation do their work; gives the endpoint of the model that was trained."""
    account, work = cloud.account, tmp_path / "platform"

    @functools.cache
    def endpoint() -> Endpoint:
        chosen = settings.parse(ServeSettings, {"bad_records": "report", "batch": "true"})
        return Endpoint(served.load(work / "out" / "model"), chosen, capacity.of(chosen, cores=1, memory=GIB))

    def trained(job: Any, **named: Any) -> None:
        make_training(job, **named)
        train(account, job, work)
        job.training_job_status, job.secondary_status = "Completed", "Completed"

    def transformed(job: Any, *arguments: Any, **named: Any) -> None:
        make_transform(job, *arguments, **named)
        transform(account, job, endpoint())

    def invoked(response: Any) -> tuple[int, dict[str, str], bytes]:
        said = response.headers
        kind, accept = said.get("Content-Type"), said.get("X-Amzn-SageMaker-Accept") or said.get("Accept") or ""
        body = response.body if isinstance(response.body, bytes) else response.body.encode()
        answer = handle(Request("POST", INVOCATIONS, kind, accept, body=body, number="1"), endpoint())
        return 200, {"Content-Type": "application/json"}, answer.body

    make_training, make_transform = FakeTrainingJob.__init__, FakeTransformJob.__init__
    monkeypatch.setattr(FakeTrainingJob, "__init__", trained)
    monkeypatch.setattr(FakeTransformJob, "__init__", transformed)
    monkeypatch.setattr(SageMakerRuntimeResponse, "invoke_endpoint", invoked)
    return endpoint


def train(account: Account, job: Any, work: Path) -> None:
    """Run a training job on what lies in the bucket, and leave what it leaves."""
    (channel,) = job.input_data_config
    objects.download(account, channel["DataSource"]["S3DataSource"]["S3Uri"], work / "data")
    options = [f"--{name.replace('_', '-')}={text}" for name, text in (job.hyper_parameters | HYPERPARAMETERS).items()]
    command = [sys.executable, "-m", "relabel", "train", "--data", str(work / "data"), "--output", str(work / "out")]
    subprocess.run([*command, *options], check=True, capture_output=True)
    for name, folder in (("model", work / "out" / "model"), ("output", work / "out" / "output")):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(folder, ".")
        uri = f"{job.output_data_config['S3OutputPath']}{job.training_job_name}/output/{name}.tar.gz"
        objects.write(account, uri, packed.getvalue())


def transform(account: Account, job: Any, endpoint: Endpoint) -> None:
    """Answer every file of requests of a transform job."""
    source = objects.parse(job.transform_input["DataSource"]["S3DataSource"]["S3Uri"])
    target = objects.parse(job.transform_output["S3OutputPath"])
    for each in objects.listing(account, str(source)):
        body = objects.read(account, str(each.at))
        answer = handle(Request("POST", INVOCATIONS, LINES, LINES, body=body, number="1"), endpoint)
        objects.write(account, str(target.below(each.at.key.removeprefix(source.key) + ".out")), answer.body + b"\n")
    job.transform_job_status = "Completed"


def test_the_notebook_goes_from_data_to_a_deleted_endpoint(platform, cloud, tmp_path, monkeypatch) -> None:
    """Every cell ends well; doubtful labels are mostly wrong ones, the endpoint answers, and nothing that costs is left."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "relabel").write_text(f'#!/bin/sh\nexec {sys.executable} -m relabel "$@"\n')
    (tmp_path / "bin" / "relabel").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("IMAGE", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("LOCAL", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    for said in ("labels are wrong", "relabel-demo: started", "training labels are doubtful", '"class"', "300 records"):
        assert said in shown
    assert platform().served.takes.texts
    sagemaker = cloud.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_the_notebook_is_kept_without_what_it_showed() -> None:
    """No outputs and no numbers of runs, so that a change of it is a change of what it says."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert len(notebook.cells) > len(code) > 0
