"""MODEL as people name it: a folder, a model.tar.gz, an address in S3, a training job, a package of the registry."""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

import relabel
from relabel.aws import names, objects
from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing
from relabel.errors import UserError
from relabel.model import package
from relabel.model.artifact import DESCRIPTION

ARCHIVE = "model.tar.gz"
DIGITS = 12
LARGEST = 16_000_000
"""Bytes of a model.json that are read."""


@dataclass(frozen=True, slots=True)
class Named:
    """A model that SageMaker can take.

    uri:     of its model.tar.gz, "" of a package.
    content: what tells it from another at the same address: a hash, or S3's ETag.
    image:   that serves it, "" of a package, which names its own.
    package: ARN of a package of the registry, else "".
    """

    uri: str
    content: str
    image: str
    package: str = ""

    @property
    def container(self) -> dict[str, Any]:
        """The primary container of a model, but for its environment."""
        if self.package:
            return {"ModelPackageName": self.package}
        return {"Image": self.image, "ModelDataUrl": self.uri}


@dataclass(frozen=True, slots=True)
class Described:
    """What model.json says. width: numbers of a record, None where texts are taken."""

    classes: tuple[str, ...]
    width: int | None


def resolve(account: Account, text: str, *, name: str, image: str = "") -> Named:
    """Find what MODEL names; a folder or a file is uploaded to out/NAME/HASH/model.tar.gz of the account's bucket, once.

    image: that serves; "" is the training job's own, or the newest of the account's repository with this version's tag.

    Raises UserError where there is no such thing.
    """
    if text.startswith("arn:"):
        return _package(account, text)
    if text.startswith("s3://"):
        found = objects.described(account, text)
        if found is None:
            raise UserError(f"{text}: there is no such object: give the address of a {ARCHIVE}")
        return Named(text, found.etag, image or newest_image(account))
    if Path(text).exists():
        return Named(*uploaded(account, Path(text), name), image or newest_image(account))
    if text.startswith(names.PREFIX):
        return _job(account, text, image)
    raise UserError(
        f"{text}: no folder or file here: give a model folder, a {ARCHIVE}, s3://…, a training job (relabel-…), or the ARN of a package"
    )


def uploaded(account: Account, path: Path, name: str) -> tuple[str, str]:
    """Put a model into the bucket, packed; its address and its hash."""
    with packed(path) as archive:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        uri = f"s3://{account.bucket}/out/{name}/{digest[:DIGITS]}/{ARCHIVE}"
        objects.upload(account, archive, uri)
    return uri, digest


@contextmanager
def packed(path: Path) -> Iterator[Path]:
    """Give the model.tar.gz of a model folder for a while; one that is packed already passes, once it was looked at."""
    if path.is_file():
        with path.open("rb") as file:
            peek(file, str(path))
        yield path
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield package.pack(path, Path(scratch) / ARCHIVE).path


def peek(file: IO[bytes], shown: str) -> Described:
    """Read model.json out of an archive, and no further. Raises UserError where there is none."""
    try:
        with tarfile.open(fileobj=file, mode="r|gz") as archive:
            for member in archive:
                if member.name.removeprefix("./") == DESCRIPTION and (found := archive.extractfile(member)):
                    return _described(json.loads(found.read(LARGEST)))  # what is larger is cut, and then no JSON
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{shown}: no {ARCHIVE} of this program ({type(error).__name__})") from None
    raise UserError(
        f"{shown}: no {DESCRIPTION} in it: give the {ARCHIVE} of a training job, or pack one ('relabel pack')"
    )


def described(account: Account, named: Named) -> Described:
    """Read what a model takes and answers from its archive in S3."""
    uri = named.uri or _package_data(account, named.package)
    at = objects.parse(uri)
    with explained(), account.client("s3").get_object(Bucket=at.bucket, Key=at.key)["Body"] as body:
        return peek(body, uri)


def newest_image(account: Account) -> str:
    """Give the image that build_and_push.sh has pushed for this version, by its digest, so that a tag that moves changes nothing.

    Raises UserError where there is none.
    """
    tag = f"{relabel.__version__}-cpu"
    repository = account.repository
    with explained():
        try:
            found = account.client("ecr").batch_get_image(repositoryName="relabel", imageIds=[{"imageTag": tag}])
        except ClientError as error:
            if error.response["Error"]["Code"] != "RepositoryNotFoundException":
                raise
            found = {"images": []}
    if not found["images"]:
        raise UserError(f"no image {repository}:{tag}: push it with ./build_and_push.sh, or give --image")
    return f"{repository}@{found['images'][0]['imageId']['imageDigest']}"


def _described(said: dict[str, Any]) -> Described:
    width = None if said["input"] == "text" else int(said["sizes"]["inputs"])
    return Described(tuple(said["classes"]), width)


def _job(account: Account, job: str, image: str) -> Named:
    with explained():
        try:
            found = account.client("sagemaker").describe_training_job(TrainingJobName=job)
        except ClientError as error:
            if is_missing(error):
                raise UserError(
                    f"{job}: neither a folder or file here nor a training job of {account.region}"
                ) from None
            raise
    state = found["TrainingJobStatus"]
    if state not in {"Completed", "Stopped"}:
        raise UserError(f"{job} is {state}: only a job that is done has a model")
    uri = found["ModelArtifacts"]["S3ModelArtifacts"]
    stored = objects.described(account, uri)
    if stored is None:
        raise UserError(f"{job}: its model, {uri}, is not there any more")
    return Named(uri, stored.etag, image or found["AlgorithmSpecification"]["TrainingImage"])


def _package(account: Account, arn: str) -> Named:
    if ":model-package/" not in arn:
        raise UserError(
            f"{arn}: no ARN of a model package (arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION)"
        )
    uri = _package_data(account, arn)
    return Named("", arn + uri, "", arn)


def _package_data(account: Account, arn: str) -> str:
    with explained():
        found = account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return str(found["InferenceSpecification"]["Containers"][0].get("ModelDataUrl", ""))
