"""Files from S3, with boto3, which is loaded when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from relabel.errors import PlatformError, UserError
from relabel.model import unpacking
from relabel.model.sources import http

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bucket:
    """An object of a bucket, or with a `/` at its end all that lies below.

    client: boto3's.
    """

    name: str
    path: str
    client: Any = field(repr=False, compare=False)

    @property
    def shown(self) -> str:
        """Its address."""
        return f"s3://{self.name}/{self.path}"

    @property
    def key(self) -> str:
        """Its address."""
        return self.shown

    def names(self) -> list[str]:
        """List all below the prefix, up to the most that a model may have beside it."""

        def work() -> list[str]:
            found: list[str] = []
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.path):
                found += [each["Key"][len(self.path) :] for each in page.get("Contents", ())]
                if len(found) > unpacking.MOST:
                    raise UserError(f"{self.shown}: more than {unpacking.MOST:,} files: name the folder of the model")
            return found

        return self._tried(work)

    def save(self, name: str, to: Path, known: str = "") -> str | None:
        """See `Remote.save`."""

        def work() -> str | None:
            from botocore.exceptions import ClientError  # noqa: PLC0415  # boto3 is loaded when it is asked for

            unless = {"IfNoneMatch": known} if known else {}
            try:
                answer = self.client.get_object(Bucket=self.name, Key=self.path + name, **unless)
            except ClientError as error:
                if _status(error) == HTTPStatus.NOT_MODIFIED:
                    return None
                raise
            with answer["Body"] as body:
                unpacking.copied(body, to)
            return str(answer["ETag"])

        return self._tried(work)

    def _tried(self, work: Callable[[], T]) -> T:
        """Do it, again where another try may mend it: boto3's own tries end with an answer, and its body can be cut off still."""
        from botocore import exceptions as failures  # noqa: PLC0415

        passing = (failures.HTTPClientError, failures.ConnectionError, failures.IncompleteReadError, OSError)
        why = ""
        for pause in (*http.PAUSES, None):
            try:
                return work()
            except failures.ClientError as error:
                status = _status(error)
                if status < http.SERVERS_FAULT and status not in http.AGAIN:
                    raise http.refusal(self.shown, status) from None
                why = f"it answers {status}"
            except failures.ParamValidationError:
                raise UserError(f"{self.shown}: no name of a bucket and a key: give s3://BUCKET/KEY") from None
            except passing as error:
                why = type(error).__name__
            except failures.BotoCoreError as error:  # no credentials: nothing that another try would mend
                raise UserError(f"{self.shown}: {error}") from None
            if pause is not None:
                time.sleep(pause)
        raise PlatformError(
            f"{self.shown}: {why}, {len(http.PAUSES) + 1} times. Look whether S3 can be reached from here (AWS_REGION, AWS_ENDPOINT_URL)."
        )


def bucket(name: str, path: str) -> Bucket:
    """Give a place in a bucket, with credentials, region and endpoint from AWS's own environment.

    Raises UserError where these cannot be.
    """
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    once = Config(connect_timeout=http.PATIENCE, read_timeout=http.PATIENCE, retries={"total_max_attempts": 1})
    try:
        return Bucket(name, path, boto3.session.Session().client("s3", config=once))
    except (BotoCoreError, ValueError) as error:
        raise UserError(f"s3://{name}/{path}: AWS's settings on this machine do not fit: {error}") from None


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
