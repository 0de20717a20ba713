"""What there is of relabel's on an account: endpoints, jobs, configurations, models."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relabel.aws import names
from relabel.aws.account import Account
from relabel.aws.refusals import explained

NEWEST = 20
"""Jobs of a kind that are looked at where none is named; AWS keeps all that ever were."""
AT_ONCE = 100
"""Things that AWS lists in one answer, at most; it gives 10 where nobody asks."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing: AWS's word in operations, and the keys of its descriptions."""

    name: str
    listing: str
    items: str
    describe: str
    key: str
    status: str = ""


KINDS = {
    "endpoint": Kind("endpoint", "list_endpoints", "Endpoints", "describe_endpoint", "EndpointName", "EndpointStatus"),
    "training job": Kind(
        "training job",
        "list_training_jobs",
        "TrainingJobSummaries",
        "describe_training_job",
        "TrainingJobName",
        "TrainingJobStatus",
    ),
    "transform job": Kind(
        "transform job",
        "list_transform_jobs",
        "TransformJobSummaries",
        "describe_transform_job",
        "TransformJobName",
        "TransformJobStatus",
    ),
    "tuning job": Kind(
        "tuning job",
        "list_hyper_parameter_tuning_jobs",
        "HyperParameterTuningJobSummaries",
        "describe_hyper_parameter_tuning_job",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobStatus",
    ),
    "configuration": Kind(
        "configuration", "list_endpoint_configs", "EndpointConfigs", "describe_endpoint_config", "EndpointConfigName"
    ),
    "model": Kind("model", "list_models", "Models", "describe_model", "ModelName"),
}
RUNNING = {"InProgress", "Stopping", "Creating", "Updating", "InService", "RollingBack", "SystemUpdating"}
WORKING = ("InProgress", "Stopping")
"""Statuses of jobs among them, by which AWS lists them."""
SHOWN = ("endpoint", "training job", "transform job", "tuning job")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing. status: AWS's word, "" of what has none; reason: why it failed."""

    kind: str
    name: str
    status: str
    created: datetime
    reason: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it is at work, or ready for it."""
        return self.status in RUNNING


def items(account: Account, kinds: Iterable[str] = SHOWN, *, most: int | None = None) -> Iterator[Item]:
    """List what is called `relabel-…`, of each kind the newest first, and at most so many of its jobs."""
    client = account.client("sagemaker")
    for kind in kinds:
        limit = most if kind.endswith("job") else None
        for summary in itertools.islice(_summaries(client, KINDS[kind]), limit):
            yield _item(client, KINDS[kind], summary)


def running(account: Account, kinds: Iterable[str]) -> Iterator[Item]:
    """List what is called `relabel-…` and is at work. Of jobs AWS is asked for these alone: there may be thousands that were."""
    client = account.client("sagemaker")
    for kind in kinds:
        for status in WORKING if kind.endswith("job") else ("",):
            for summary in _summaries(client, KINDS[kind], status=status):
                item = _item(client, KINDS[kind], summary)
                if item.is_running:
                    yield item


def described(account: Account, name: str) -> list[Item]:
    """Find what has a name, whatever it is."""
    client = account.client("sagemaker")
    return [
        _item(client, KINDS[kind], each)
        for kind in SHOWN
        for each in _summaries(client, KINDS[kind], name)
        if each[KINDS[kind].key] == name
    ]


def _summaries(client: Any, kind: Kind, name: str = names.PREFIX, status: str = "") -> Iterator[dict[str, Any]]:
    """List things whose name contains a text, the newest first; AWS is asked for no more than is taken."""
    asked = {"NameContains": name, "SortBy": "CreationTime", "SortOrder": "Descending"}
    asked |= {"StatusEquals": status} if status else {}
    with explained():
        for page in client.get_paginator(kind.listing).paginate(**asked, PaginationConfig={"PageSize": AT_ONCE}):
            yield from (each for each in page[kind.items] if each[kind.key].startswith(names.PREFIX))


def _item(client: Any, kind: Kind, summary: dict[str, Any]) -> Item:
    status = str(summary.get(kind.status, ""))
    reason = summary.get("FailureReason", "")
    if status == "Failed" and not reason:
        with explained():
            reason = getattr(client, kind.describe)(**{kind.key: summary[kind.key]}).get("FailureReason", "")
    return Item(kind.name, str(summary[kind.key]), status, summary["CreationTime"], str(reason))
