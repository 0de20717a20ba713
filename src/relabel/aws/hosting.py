"""What an endpoint is made of, as requests: a model and a configuration, each named by what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from relabel.aws import drivers, names, objects
from relabel.aws.models import Named
from relabel.codecs.table import CSV, JSON, JSON_LINES, OTHER_NAMES, PLAIN
from relabel.errors import UserError

VARIANT = "all"
CAPTURED_JSON = [JSON, JSON_LINES, *(other for other, known in OTHER_NAMES.items() if known == JSON_LINES)]
CAPTURED_TEXT = [CSV, PLAIN]
"""Content types that data capture is to keep as text; all others, as x-npy or any with parameters, it keeps as base64."""
MEMORY = (1024, 2048, 3072, 4096, 5120, 6144)


@dataclass(frozen=True)
class Wanted:
    """An endpoint as it is to be.

    instance_type, count: machines; not of a serverless one.
    memory, concurrency:  of a serverless endpoint, 0 where it is none.
    answers:              `s3://…/` to which an asynchronous endpoint answers, "" where it is none.
    ami:                  InferenceAmiVersion, "" is the machine's own.
    capture, captured:    percent of the requests that are kept, and where; 0 is none.
    """

    name: str
    role: str
    instance_type: str = "ml.m5.large"
    count: int = 1
    memory: int = 0
    concurrency: int = 5
    answers: str = ""
    ami: str = ""
    capture: int = 0
    captured: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    kms_key: str = ""
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    isolation: bool = True

    @property
    def is_serverless(self) -> bool:
        """Whether it has no machines of its own."""
        return self.memory > 0

    @property
    def is_isolated(self) -> bool:
        """Whether its server reaches no network; AWS does not offer that of serverless endpoints."""
        return self.isolation and not self.is_serverless


def check(wanted: Wanted) -> list[str]:
    """Give what to be warned of. Raises UserError with all that does not fit together."""
    problems, warnings = [], []
    if wanted.is_serverless and wanted.answers:
        problems.append("--serverless and --asynchronous are two kinds of endpoints: give one of them")
    if wanted.is_serverless and wanted.memory not in MEMORY:
        problems.append(f"--memory-mb {wanted.memory}: give one of {', '.join(map(str, MEMORY))}")
    if wanted.is_serverless and (wanted.capture or wanted.subnets or wanted.kms_key or wanted.ami):
        problems.append("AWS offers no capture, network, key or driver of one's own with --serverless: leave them out")
    if bool(wanted.subnets) != bool(wanted.groups):
        problems.append("a network needs both: give --subnet and --security-group")
    for place in filter(None, (wanted.captured, wanted.answers)):
        try:
            objects.parse(place)
        except UserError as error:
            problems += error.problems
    if not wanted.is_serverless:
        try:
            warnings.append(drivers.warning(wanted.instance_type, wanted.ami))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(*problems)
    return [each for each in warnings if each]


def model_request(wanted: Wanted, model: Named) -> dict[str, Any]:
    """Give the parameters of CreateModel."""
    environment = {**({"RELABEL_WORKERS": "1"} if wanted.is_serverless else {}), **wanted.environment}
    said: dict[str, Any] = {
        "PrimaryContainer": {**model.container, **({"Environment": environment} if environment else {})},
        "ExecutionRoleArn": wanted.role,
        "EnableNetworkIsolation": wanted.is_isolated,
    }
    if wanted.subnets:
        said["VpcConfig"] = {"Subnets": list(wanted.subnets), "SecurityGroupIds": list(wanted.groups)}
    name = names.hashed(wanted.name, [said, model.content])
    return {"ModelName": name, **said, "Tags": names.tags(wanted.tags)}


def configuration_request(wanted: Wanted, model: str) -> dict[str, Any]:
    """Give the parameters of CreateEndpointConfig for a model of that name."""
    variant: dict[str, Any] = {"VariantName": VARIANT, "ModelName": model}
    if wanted.is_serverless:
        variant["ServerlessConfig"] = {"MemorySizeInMB": wanted.memory, "MaxConcurrency": wanted.concurrency}
    else:
        variant |= {"InstanceType": wanted.instance_type, "InitialInstanceCount": wanted.count}
    if wanted.ami:
        variant["InferenceAmiVersion"] = wanted.ami
    said: dict[str, Any] = {"ProductionVariants": [variant]}
    if wanted.answers:
        said["AsyncInferenceConfig"] = {
            "OutputConfig": {"S3OutputPath": wanted.answers, "S3FailurePath": f"{wanted.answers.rstrip('/')}/failures/"}
        }
    if wanted.capture:
        said["DataCaptureConfig"] = capture(wanted.capture, wanted.captured)
    if wanted.kms_key:
        said["KmsKeyId"] = wanted.kms_key
    return {
        "EndpointConfigName": names.hashed(wanted.name, said),
        **said,
        "Tags": names.tags(wanted.tags),
    }


def capture(percent: int, to: str) -> dict[str, Any]:
    """Give a DataCaptureConfig of requests and answers. It goes by exact content types, so every one that is spoken is listed."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": to.rstrip("/"),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": CAPTURED_JSON, "CsvContentTypes": CAPTURED_TEXT},
    }


def successor(description: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Give the parameters of a Create call from what the Describe call said."""
    return {key: description[key] for key in keys if description.get(key)}
