"""The model registry: a model as a version of a group, with the figures that speak for it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from relabel.aws import names, objects, results, training
from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing
from relabel.codecs import table
from relabel.codecs.codec import Takes
from relabel.errors import UserError
from relabel.model import artifact, package
from relabel.model.artifact import Artifact

APPROVALS = {"pending": "PendingManualApproval", "approved": "Approved", "rejected": "Rejected"}
MARK = "model "
"""Before a model's hash in the description of a version, by which it is found again without asking for each one."""
TOKEN = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model to register.

    sha256:  hash of its tensors, as its description says it.
    uri:     s3://…/model.tar.gz.
    types:   media types that an endpoint with it takes.
    figures: what metrics.json says, and beside it champion.json.
    """

    image: str
    uri: str
    sha256: str
    types: Sequence[str]
    job: str = ""
    data: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    compared: Mapping[str, Any] = field(default_factory=dict)


def candidate(account: Account, folder: Path, bucket: str, image: str) -> Candidate:
    """Describe the model of a folder that `relabel train` or `relabel aws train` wrote; one that is not in S3 yet is packed and uploaded.

    The folder of the model itself will do. Raises UserError where there is no model, or no image to serve it is named.
    """
    model = folder if (folder / artifact.DESCRIPTION).is_file() else folder / "model"
    folder = model.resolve().parent if model.resolve().name == "model" else folder
    record, data = results.read(folder), folder / "output" / results.DATA
    loaded = artifact.load(model)
    image = image or str(record.get("image", ""))
    if not image:
        raise UserError(f"{folder} does not say with which image it is served: give --image")
    uri = str(record.get("model", ""))
    if not uri.startswith("s3://"):
        uri = _uploaded(account, model, f"s3://{bucket}/out/models/{loaded.short_hash}/{results.MODEL}")
    return Candidate(
        image=image,
        uri=uri,
        sha256=loaded.tensors_sha256,
        types=types(loaded),
        job=str(record.get("job", "")),
        data=str(loaded.provenance.get("data", "")),
        figures=results.figures_of(data),
        compared=results.comparison_of(data),
    )


def types(loaded: Artifact) -> tuple[str, ...]:
    """Give the media types that an endpoint with this model takes."""
    texts = loaded.input == "text"
    return table.spoken(Takes(None if texts else loaded.model.sizes.get("inputs"), texts=texts))


def ensure(
    account: Account, group: str, model: Candidate, *, bucket: str, approval: str, tags: Mapping[str, str]
) -> tuple[str, bool]:
    """Give the ARN of the version that is this model, and whether it was registered now. A group that is missing is made."""
    group = names.full(group)
    _ensure_group(account, group, tags)
    if there := _registered(account, group, model):
        return there, False
    asked = request(group, model, _figures_uploaded(account, model, bucket), approval)
    with explained():
        # The SDK's own call looks for a name in the answer, which a version of a group has not.
        made = account.client("sagemaker").create_model_package(**asked)
    return str(made["ModelPackageArn"]), True


def request(group: str, model: Candidate, figures_uri: str, approval: str) -> dict[str, Any]:
    """Make the request of CreateModelPackage. A version of a group takes no tags: the group has them."""
    quality = {"Statistics": {"ContentType": "application/json", "S3Uri": figures_uri}}
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": _description(model),
        "InferenceSpecification": {
            "Containers": [{"Image": model.image, "ModelDataUrl": model.uri}],
            "SupportedContentTypes": [*model.types],
            "SupportedResponseMIMETypes": [*table.CODECS],
        },
        "ModelApprovalStatus": APPROVALS[approval],
        "CustomerMetadataProperties": facts(model),
        "ClientToken": hashlib.sha256(f"{group} {model.sha256}".encode()).hexdigest()[:TOKEN],
        **({"ModelMetrics": {"ModelQuality": quality}} if model.figures else {}),
    }


def facts(model: Candidate) -> dict[str, str]:
    """Say in words what the version is: hash, data, job, test accuracy, gain with its interval, and the decision against the champion."""
    said = {"model_sha256": model.sha256, "data_digest": model.data, "job": model.job}
    if model.figures:
        gain = model.figures["comparison"]["gain"]["accuracy"]
        said |= {f"gain{end}": f"{gain[key]:+.6f}" for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))}
        said["test_accuracy"] = f"{model.figures['served']['test']['accuracy']:.6f}"
        said["test_rows"] = str(model.figures["served"]["test"]["rows"])
    if model.compared:
        said |= {"champion": str(model.compared["champion"]), "decision": str(model.compared["decision"])}
    return {key: text for key, text in said.items() if text}


def quality(model: Candidate) -> dict[str, Any]:
    """Lay the figures out as the registry shows them, and ours whole beside them."""
    test = model.figures["served"]["test"]
    kind = "binary" if len(model.figures["data"]["classes"]) == 2 else "multiclass"  # noqa: PLR2004
    shown = {
        name: {"value": test[name], "standard_deviation": "NaN"} for name in ("accuracy", "macro_f1", "log_loss", "ece")
    }
    gains = model.figures["comparison"]["gain"]
    return {
        f"{kind}_classification_metrics": shown,
        "relabel": {
            "gain": gains,
            "test": test,
            **({"champion": dict(model.compared)} if model.compared else {}),
        },
    }


def _description(model: Candidate) -> str:
    gain = model.figures["comparison"]["gain"]["accuracy"]["value"] if model.figures else None
    worth = "" if gain is None else f"; accuracy {model.figures['served']['test']['accuracy']:.4f}, gain {gain:+.4f}"
    return f"{MARK}{model.sha256}{worth}"


def _registered(account: Account, group: str, model: Candidate) -> str:
    """Find the version of a model by its description, which a listing has."""
    pages = account.client("sagemaker").get_paginator("list_model_packages")
    with explained():
        for page in pages.paginate(ModelPackageGroupName=group):
            for each in page["ModelPackageSummaryList"]:
                if each.get("ModelPackageDescription", "").startswith(f"{MARK}{model.sha256}"):
                    return str(each["ModelPackageArn"])
    return ""


def _ensure_group(account: Account, group: str, tags: Mapping[str, str]) -> None:
    kind, where = training.resources().ModelPackageGroup, {"session": account.session, "region": account.region}
    with explained():
        try:
            kind.get(group, **where)
        except ClientError as error:
            if not is_missing(error):
                raise
            kind.create(
                model_package_group_name=group,
                model_package_group_description="Models that relabel trained",
                tags=training.tags(tags),
                **where,
            )


def _figures_uploaded(account: Account, model: Candidate, bucket: str) -> str:
    if not model.figures:
        return ""
    uri = f"s3://{bucket}/out/models/{model.sha256[:12]}/model_quality.json"
    objects.write(account, uri, json.dumps(quality(model)).encode(), content_type="application/json")
    return uri


def _uploaded(account: Account, model: Path, uri: str) -> str:
    with tempfile.TemporaryDirectory() as work:
        package.pack(model, Path(work) / results.MODEL)
        objects.upload(account, Path(work) / results.MODEL, uri)
    return uri
