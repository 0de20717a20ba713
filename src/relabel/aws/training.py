"""Training jobs: what is asked for, what it is called, and starting it once.

A job is called `relabel-` and a digest of what decides its result: data, settings, image, environment. The same question finds its job again,
whether it runs or is done; a job that failed or was stopped is tried again as NAME-2, NAME-3, with the checkpoints of NAME.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from relabel.aws import names
from relabel.aws.account import Account
from relabel.aws.channels import Channel
from relabel.aws.refusals import explained, is_missing
from relabel.container import metrics
from relabel.errors import UserError

if TYPE_CHECKING:
    from sagemaker.core.resources import TrainingJob

MOST_TRIES = 50
HOUR = 3600
DIGITS = 12
OVER = ("Failed", "Stopped")
"""Statuses of a job that left no model that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Where a job runs.

    max_hours:      after which the job is stopped.
    max_wait_hours: the same, waiting for a spot machine included.
    """

    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 1
    volume_gb: int = 30
    max_hours: float = 4.0
    spot: bool = False
    max_wait_hours: float | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    volume_kms_key: str = ""
    isolation: bool = True

    def __post_init__(self) -> None:
        """Raise UserError for what AWS would refuse later."""
        problems = []
        if bool(self.subnets) != bool(self.security_groups):
            problems.append("a network of your own needs both --subnet and --security-group")
        if self.max_wait_hours is not None and not self.spot:
            problems.append("--max-wait-hours is for --spot: leave it out, or add --spot")
        if self.max_wait_hours is not None and self.max_wait_hours < self.max_hours:
            problems.append(
                f"--max-wait-hours {self.max_wait_hours:g} is less than --max-hours {self.max_hours:g}: it includes them"
            )
        if problems:
            raise UserError(*problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """All of a training job but its name.

    settings: as strings, the hyperparameters.
    results:  `s3://…/`, below which a folder of the job's name gets the results.
    """

    image: str
    role: str
    results: str
    channels: Sequence[Channel]
    settings: Mapping[str, str]
    machines: Machines = field(default_factory=Machines)
    environment: Mapping[str, str] = field(default_factory=dict)
    kms_key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    checkpoints: bool = False

    @property
    def identity(self) -> str:
        """12 hexadecimal digits of what decides the result."""
        decisive = [
            self.image,
            sorted((channel.name, channel.digest) for channel in self.channels),
            sorted(self.settings.items()),
            sorted(self.environment.items()),
        ]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:DIGITS]


def resources() -> ModuleType:
    """Give the SDK's resources; importing them takes a second. It logs every call, which nobody asked for."""
    made = importlib.import_module("sagemaker.core.resources")
    for name in ("sagemaker", "sagemaker.config"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return made


def found(account: Account, name: str) -> TrainingJob | None:
    """Look for a training job; None where there is none."""
    with explained():
        try:
            job: TrainingJob = resources().TrainingJob.get(name, session=account.session, region=account.region)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
    return job


def ensure(account: Account, job: Job, name: str = "") -> tuple[TrainingJob, bool]:
    """Find the job that answers the question, or start it; and whether it was started now.

    Raises UserError where the name that is given is that of another question.
    """
    base = name or f"{names.PREFIX}{job.identity}"
    for each in _names(base):
        there = found(account, each)
        if there is None:
            return _started(account, job, each, base), True
        _check_same(there, job, each)
        if there.training_job_status not in OVER:
            return there, False
    raise UserError(f"{base} failed or was stopped {MOST_TRIES} times: look at its log, or give another --name")


def request(job: Job, name: str, base: str) -> dict[str, Any]:
    """Make the arguments of TrainingJob.create; `base` is the name under which checkpoints are kept."""
    return {
        "training_job_name": name,
        "algorithm_specification": {
            "training_image": job.image,
            "training_input_mode": "File",
            "metric_definitions": definitions(),
        },
        "hyper_parameters": dict(job.settings),
        "environment": dict(job.environment),
        "tags": tags(job.tags),
        **surroundings(job, base),
    }


def tags(own: Mapping[str, str]) -> list[dict[str, str]]:
    """Give tags as the SDK spells them, our own among them."""
    return [{name.lower(): text for name, text in tag.items()} for tag in names.tags(own)]


def definitions() -> list[dict[str, str]]:
    """Give the code's own list of metrics, as the SDK spells it."""
    return [{"name": each["Name"], "regex": each["Regex"]} for each in metrics.definitions()]


def surroundings(job: Job, base: str) -> dict[str, Any]:
    """Give what a training job and those of a tuning job have in common: role, channels, machines, keys, checkpoints."""
    machines = job.machines
    stopping = {"max_runtime_in_seconds": int(machines.max_hours * HOUR)}
    if machines.spot:
        stopping["max_wait_time_in_seconds"] = int((machines.max_wait_hours or 2 * machines.max_hours) * HOUR)
    asked: dict[str, Any] = {
        "role_arn": job.role,
        "input_data_config": [_channel(channel) for channel in job.channels],
        "output_data_config": {"s3_output_path": job.results, **({"kms_key_id": job.kms_key} if job.kms_key else {})},
        "resource_config": {
            "instance_type": machines.instance_type,
            "instance_count": machines.instance_count,
            "volume_size_in_gb": machines.volume_gb,
            **({"volume_kms_key_id": machines.volume_kms_key} if machines.volume_kms_key else {}),
        },
        "stopping_condition": stopping,
        "enable_network_isolation": machines.isolation,
        "enable_managed_spot_training": machines.spot,
    }
    if machines.subnets:
        asked["vpc_config"] = {"subnets": [*machines.subnets], "security_group_ids": [*machines.security_groups]}
    if machines.spot or job.checkpoints:
        asked["checkpoint_config"] = {"s3_uri": f"{job.results}{base}/checkpoints/"}
    return asked


def places(channels: Sequence[Any]) -> dict[str, str]:
    """Give the addresses of channels as the SDK describes them."""
    return {channel.channel_name: channel.data_source.s3_data_source.s3_uri for channel in channels}


def _channel(channel: Channel) -> dict[str, Any]:
    place = {
        "s3_data_type": "S3Prefix",
        "s3_uri": channel.uri,
        "s3_data_distribution_type": "FullyReplicated",
    }
    return {"channel_name": channel.name, "data_source": {"s3_data_source": place}}


def _started(account: Account, job: Job, name: str, base: str) -> TrainingJob:
    with explained():
        try:
            made: TrainingJob = resources().TrainingJob.create(
                **request(job, name, base), session=account.session, region=account.region
            )
        except ClientError as error:
            # Somebody else asked the same at the same time.
            if error.response.get("Error", {}).get("Code") == "ResourceInUse" and (there := found(account, name)):
                return there
            raise
    return made


def _names(base: str) -> Iterator[str]:
    yield base
    for n in range(2, MOST_TRIES + 1):
        yield f"{base}-{n}"


def _check_same(there: TrainingJob, job: Job, name: str) -> None:
    """Refuse to take another question's job for this one's; names that were made of the question cannot mix them up."""
    differs = {
        "image": there.algorithm_specification.training_image != job.image,
        "settings": dict(there.hyper_parameters or {}) != dict(job.settings),
        "environment": dict(there.environment or {}) != dict(job.environment),
        "data": places(there.input_data_config) != {channel.name: channel.uri for channel in job.channels},
    }
    if other := [what for what, is_other in differs.items() if is_other]:
        raise UserError(
            f"{name} is a training job with other {' and '.join(other)}: give another --name, or none, "
            "and it is named for what it does"
        )
