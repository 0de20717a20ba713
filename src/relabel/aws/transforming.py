"""Batch transform of a set: records up, one job, answers down. The same again finds the job that there is.

Answers are put beside their records by their order, and not by the platform's own join: the records are here already, local mode knows no
join, and labels then go nowhere.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from botocore.exceptions import ClientError
from numpy.typing import NDArray

from relabel.aws import hosting, names, objects, records, validation, waiting
from relabel.aws.account import Account
from relabel.aws.endpoints import Say, quiet
from relabel.aws.hosting import Wanted
from relabel.aws.models import Described, Named
from relabel.aws.records import Columns
from relabel.aws.refusals import explained, is_missing
from relabel.codecs.table import JSON_LINES
from relabel.errors import PlatformError, UserError

LOGS = "/aws/sagemaker/TransformJobs"
ENVIRONMENT = {"RELABEL_BAD_RECORDS": "report"}
"""One record that cannot be read does not fail a job: it is said in its place."""
MEGABYTES, AT_ONCE = 6, 4
MOST_TRIES = 100


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set, ready to be sent.

    folder: of the requests, one file of JSON Lines for each of the set.
    labels: name of a file of the set -> its labels as they are written.
    """

    folder: Path
    labels: Mapping[str, tuple[str, ...]]
    digest: str


@dataclass(frozen=True, slots=True)
class Machines:
    """What a job runs on."""

    instance_type: str = "ml.m5.large"
    count: int = 1


def prepare(place: Path, folder: Path, takes: Described, columns: Columns) -> Prepared:
    """Write the records of a set as JSON Lines into a folder. A file without records is left out: the platform answers nothing to it.

    Raises UserError where they do not fit the model, or there are none.
    """
    digest = hashlib.sha256()
    labels = {}
    for name, path in records.files_of(place).items():
        target = folder / requested(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        given = []
        digest.update(name.encode() + b"\0")  # no record has this byte
        with target.open("w", encoding="utf-8") as file:
            for each in records.read(path, takes, columns):
                file.write(each.line + "\n")
                digest.update(each.line.encode() + b"\n")
                given.append(each.label)
        if given:
            labels[name] = tuple(given)
        else:
            target.unlink()
    if not labels:
        raise UserError(f"{place}: no records in it")
    return Prepared(folder, labels, digest.hexdigest())


def requested(name: str) -> str:
    """Name the file of requests of a file of the set: an `a.csv` and an `a.jsonl` may lie side by side."""
    return f"{name}.jsonl"


def run(
    account: Account, model: str, prepared: Prepared, *, output: str, machines: Machines, say: Say = quiet
) -> tuple[str, str]:
    """Transform a prepared set by a model of SageMaker's; the job's name, and where its answers lie: a folder of its own below `output`.

    A job that did the same is not run again, one that runs is waited for. Raises PlatformError with the reason of one that fails.
    """
    client = account.client("sagemaker")
    source = f"s3://{account.bucket}/data/transform/{prepared.digest[:16]}/"
    objects.upload(account, prepared.folder, source)
    base = names.hashed(f"{names.PREFIX}transform", [model, source, output, machines.instance_type, machines.count])
    name, found = _found(client, base)
    target = f"{output.rstrip('/') or f's3://{account.bucket}/out'}/{name}/"
    if found is None:
        with explained():
            client.create_transform_job(**request(name, model, source, target, machines))
    ended = waiting.until(
        lambda: _described(client, name) or {},
        lambda seen: seen.get("TransformJobStatus") in {"Completed", "Failed", "Stopped"},
        lambda seen, seconds: say(str(seen.get("TransformJobStatus", "Starting")), seconds),
    )
    if ended["TransformJobStatus"] != "Completed":
        lines = waiting.last_lines(account.client, LOGS, f"{name}/")
        log = "".join(f"\n  {line}" for line in lines) or " nothing that can be read"
        raise PlatformError(
            f"{name} is {ended['TransformJobStatus']}: {ended.get('FailureReason', 'AWS gives no reason')}\nthe end of its log ({LOGS}):{log}"
        )
    return name, target


def request(name: str, model: str, source: str, target: str, machines: Machines) -> dict[str, Any]:
    """Give the parameters of CreateTransformJob."""
    return {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "MaxConcurrentTransforms": AT_ONCE,
        "MaxPayloadInMB": MEGABYTES,
        "Environment": ENVIRONMENT,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": JSON_LINES,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": target, "Accept": JSON_LINES, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": machines.instance_type, "InstanceCount": machines.count},
        "Tags": names.tags({}),
    }


def answers(account: Account, target: str, name: str, classes: int) -> NDArray[np.float64]:
    """Read the answers that a job left to a file of the set: probabilities (N, classes)."""
    place = f"{target.rstrip('/')}/{requested(name)}.out"
    return validation.answers(objects.read(account, place), classes, place)


def ensure_model(account: Account, named: Named, role: str) -> str:
    """Make the model that a job runs, or find it; its name."""
    request = hosting.model_request(Wanted(f"{names.PREFIX}model", role), named)
    with explained():
        try:
            account.client("sagemaker").create_model(**request)
        except ClientError as error:
            if "already exist" not in str(error).lower():
                raise
    return str(request["ModelName"])


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Give a folder for requests, for a while."""
    return tempfile.TemporaryDirectory(prefix="relabel-transform-")


def _found(client: Any, base: str) -> tuple[str, dict[str, Any] | None]:
    """Give the name to run under, and the job that runs or ran well under it; a job that failed leaves its name taken."""
    for n in range(MOST_TRIES):
        name = f"{base}-{n}" if n else base
        seen = _described(client, name)
        if seen is None or seen["TransformJobStatus"] in {"Completed", "InProgress"}:
            return name, seen
    raise PlatformError(f"{base}: {MOST_TRIES} jobs of it have failed: 'relabel aws status {base}' says why")


def _described(client: Any, name: str) -> dict[str, Any] | None:
    with explained():
        try:
            return dict(client.describe_transform_job(TransformJobName=name))
        except ClientError as error:
            if is_missing(error):
                return None
            raise
