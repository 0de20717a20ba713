"""The loop without people as a SageMaker Pipeline: its definition, version 2020-12-01, as plain values.

    Train  ->  Compare  ->  Better?  -> Register, waiting for approval
                                     -> Kept

`Train` is a training job with the champion in the channel `model`; `Compare` takes what it found out of its results and writes it where the platform
reads it (`evidence.json`); `Better` asks that for `promote`.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relabel import files
from relabel.codecs.table import CSV, JSON, JSON_LINES, NPY
from relabel.container import metrics
from relabel.container.paths import DEFAULT_ROOT
from relabel.errors import UserError
from relabel.loop.training import EVIDENCE

VERSION = "2020-12-01"
WRITTEN = "evidence.json"
HERE = f"{DEFAULT_ROOT}/processing"
COMMAND = ("relabel", "loop", "evidence", f"{HERE}/results/output.tar.gz", f"{HERE}/evidence")
"""What the image runs in the step `Compare`."""

LARGEST = 1 << 20
"""Bytes of evidence; more is none of ours."""

AGAIN = [
    {
        "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        "IntervalSeconds": 30,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
]
CONTENT = (CSV, JSON, JSON_LINES, NPY)

Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What executions start from; each of these may be set anew in an execution, as a parameter.

    data, champion: `s3://…` of labelled rows and of a model.tar.gz; "" where every execution must say it.
    output:         `s3://…` below which jobs write, without a stroke at its end.
    settings:       of the training job, by name.
    """

    data: str = ""
    champion: str = ""
    image: str = ""
    role: str = ""
    output: str = ""
    training_instance: str = "ml.m5.xlarge"
    processing_instance: str = "ml.t3.medium"
    group: str = "relabel"
    approval: str = "PendingManualApproval"
    settings: Mapping[str, str] = field(default_factory=dict)


def definition(wanted: Pipeline) -> Values:
    """Give the definition."""
    return {
        "Version": VERSION,
        "Metadata": {},
        "Parameters": _parameters(wanted),
        "Steps": [_train(wanted), _compare(), _better()],
    }


def evidence(archive: Path, folder: Path) -> Values:
    """Take what a job found of champion and challenger out of its results, and write it for the platform, flat.

    Raises UserError where the archive has none, or is none.
    """
    try:
        with tarfile.open(archive) as results:
            found = [member for member in results if Path(member.name).name == EVIDENCE and member.isfile()]
            said = results.extractfile(found[0]) if found and found[0].size <= LARGEST else None
            told = json.load(said or io.BytesIO(b"null"))
    except (tarfile.TarError, OSError, ValueError, EOFError, zlib.error) as error:
        raise UserError(
            f"{archive}: no archive of results ({type(error).__name__}): give output.tar.gz of a training job"
        ) from None
    if told is None:
        raise UserError(f"{archive}: no {EVIDENCE}: train with the champion in the channel `model`")
    scores = {side: told["scores"].get(side, {}).get("accuracy") for side in ("champion", "challenger")}
    flat = {
        "promote": int(told["decision"] == "promote"),
        "reason": told["reason"],
        "rows": told["rows"],
        "accuracy": scores,
    }
    files.write_json(folder / WRITTEN, flat)
    return flat


def _parameters(wanted: Pipeline) -> list[Values]:
    named = {
        "Data": wanted.data,
        "Champion": wanted.champion,
        "Image": wanted.image,
        "Role": wanted.role,
        "Output": wanted.output,
        "TrainingInstance": wanted.training_instance,
        "ProcessingInstance": wanted.processing_instance,
        "PackageGroup": wanted.group,
    }
    plain = [_parameter(name, value) for name, value in {**named, **wanted.settings}.items()]
    choices = ["Approved", "Rejected", "PendingManualApproval"]
    return [*plain, {**_parameter("Approval", wanted.approval), "EnumValues": choices}]


def _parameter(name: str, value: str) -> Values:
    """Make a parameter; without a default an execution must give it."""
    return {"Name": name, "Type": "String", **({"DefaultValue": value} if value else {})}


def _train(wanted: Pipeline) -> Values:
    arguments = {
        "AlgorithmSpecification": {
            "TrainingImage": _get("Parameters.Image"),
            "TrainingInputMode": "File",
            "MetricDefinitions": metrics.definitions(),
        },
        "HyperParameters": {name: _get(f"Parameters.{name}") for name in wanted.settings},
        "InputDataConfig": [_channel("train", "Data"), _channel("model", "Champion")],
        "OutputDataConfig": {"S3OutputPath": _get("Parameters.Output")},
        "ResourceConfig": {
            "InstanceType": _get("Parameters.TrainingInstance"),
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "RoleArn": _get("Parameters.Role"),
        "StoppingCondition": {"MaxRuntimeInSeconds": 4 * 3600},
        "EnableNetworkIsolation": True,
    }
    return {"Name": "Train", "Type": "Training", "Arguments": arguments, "RetryPolicies": AGAIN}


def _compare() -> Values:
    results = _join(
        _get("Steps.Train.OutputDataConfig.S3OutputPath"),
        _get("Steps.Train.TrainingJobName"),
        "output",
        "output.tar.gz",
    )
    taken = {"S3Uri": results, "LocalPath": f"{HERE}/results", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    given = {"S3Uri": _evidence_folder(), "LocalPath": f"{HERE}/evidence", "S3UploadMode": "EndOfJob"}
    machine = {"InstanceType": _get("Parameters.ProcessingInstance"), "InstanceCount": 1, "VolumeSizeInGB": 10}
    arguments = {
        "AppSpecification": {"ImageUri": _get("Parameters.Image"), "ContainerEntrypoint": list(COMMAND)},
        "ProcessingInputs": [{"InputName": "results", "S3Input": taken}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evidence", "S3Output": given}]},
        "ProcessingResources": {"ClusterConfig": machine},
        "RoleArn": _get("Parameters.Role"),
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
        "NetworkConfig": {"EnableNetworkIsolation": True},
    }
    read = [{"PropertyFileName": "Evidence", "OutputName": "evidence", "FilePath": WRITTEN}]
    return {
        "Name": "Compare",
        "Type": "Processing",
        "Arguments": arguments,
        "PropertyFiles": read,
        "RetryPolicies": AGAIN,
    }


def _better() -> Values:
    says = {"Std:JsonGet": {"PropertyFile": _get("Steps.Compare.PropertyFiles.Evidence"), "Path": "promote"}}
    condition = {"Type": "Equals", "LeftValue": says, "RightValue": 1}
    arguments = {"Conditions": [condition], "IfSteps": [_register()], "ElseSteps": [_kept()]}
    return {"Name": "Better", "Type": "Condition", "Arguments": arguments}


def _register() -> Values:
    model = {"Image": _get("Parameters.Image"), "ModelDataUrl": _get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    found = {"ContentType": "application/json", "S3Uri": _join(_evidence_folder(), WRITTEN)}
    arguments = {
        "ModelPackageGroupName": _get("Parameters.PackageGroup"),
        "ModelApprovalStatus": _get("Parameters.Approval"),
        "ModelPackageDescription": "better than the champion on rows that neither learned from",
        "InferenceSpecification": {
            "Containers": [model],
            "SupportedContentTypes": list(CONTENT),
            "SupportedResponseMIMETypes": list(CONTENT),
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": found}},
    }
    return {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments, "RetryPolicies": AGAIN}


def _kept() -> Values:
    says = {"Std:JsonGet": {"PropertyFile": _get("Steps.Compare.PropertyFiles.Evidence"), "Path": "reason"}}
    return {"Name": "Kept", "Type": "Fail", "Arguments": {"ErrorMessage": _join("the champion stays", says, on=": ")}}


def _evidence_folder() -> Values:
    return _join(_get("Parameters.Output"), _get("Execution.PipelineExecutionId"), "evidence")


def _channel(name: str, parameter: str) -> Values:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": _get(f"Parameters.{parameter}"),
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _get(name: str) -> Values:
    return {"Get": name}


def _join(*values: Any, on: str = "/") -> Values:
    return {"Std:Join": {"On": on, "Values": [*values]}}
