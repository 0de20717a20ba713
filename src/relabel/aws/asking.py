"""Asking an endpoint: real time, serverless, or by way of files in S3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from relabel.aws import objects, waiting
from relabel.aws.account import Account
from relabel.aws.endpoints import Deployed
from relabel.aws.models import Described
from relabel.aws.refusals import explained
from relabel.codecs.table import ENDINGS, JSON
from relabel.errors import PlatformError, RelabelError, UserError

SERVERS_FAULT = 500
LARGEST_MB = {"real-time": 25, "serverless": 4, "asynchronous": 1024}
SUFFIXES = {kind: ending for ending, kind in ENDINGS.items()}
LOOK_EVERY = 1.0
CHECK = "relabel-check"
"""Inference id of the made record of a check, by which it can be told from traffic where that is captured."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said; nothing of it is ever printed but on the user's own wish."""

    body: bytes
    content_type: str


def ask(
    account: Account,
    at: Deployed,
    body: bytes,
    content_type: str,
    accept: str = "",
    *,
    patience: float = 900,
    inference: str = "",
) -> Answer:
    """Send one request and give the answer.

    inference: id of the request in captured traffic; "" has none of its own.

    Raises UserError with the container's own message where it refuses, PlatformError where it or AWS fails.
    """
    most = LARGEST_MB[at.kind]
    if len(body) > most * 1_000_000:
        raise UserError(
            f"{len(body) / 1e6:.1f} MB: a {at.kind} endpoint takes {most}: send fewer records at a time, or use transform"
        )
    said_of_it = {"ContentType": content_type, "Accept": accept, "InferenceId": inference}
    about = {name: value for name, value in said_of_it.items() if value}
    if at.kind == "asynchronous":
        return _by_files(account, at, body, about, patience)
    with explained():
        try:
            said = account.client("sagemaker-runtime").invoke_endpoint(EndpointName=at.name, Body=body, **about)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ModelError":
                raise refused(
                    int(error.response.get("OriginalStatusCode", 500)), error.response.get("OriginalMessage", "")
                ) from None
            raise
        return Answer(said["Body"].read(), said.get("ContentType", ""))


def refused(status: int, message: str) -> RelabelError:
    """Say what the container said, as the fault of whoever asked or of the server."""
    told = message
    try:
        told = json.loads(message)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        told = message[:500] or "no message"
    kind = UserError if status < SERVERS_FAULT else PlatformError
    return kind(f"the endpoint answers {status}: {told}")


def record(takes: Described) -> bytes:
    """Make a request of one record that a model takes, with nothing of anybody's in it."""
    instance: Any = "a made record" if takes.width is None else [0.0] * takes.width
    return json.dumps({"instances": [instance]}).encode()


def check(answer: Answer, takes: Described) -> None:
    """Raise PlatformError unless it is the prediction for one record."""
    try:
        (prediction,) = json.loads(answer.body)["predictions"]
        fits = len(prediction["probabilities"]) == len(takes.classes)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise PlatformError(
            f"the endpoint answers, but not with a prediction of {len(takes.classes)} classes: is it another image or model?"
        )


def try_out(account: Account, at: Deployed, takes: Described) -> None:
    """Send one made record; raise where the answer is no prediction."""
    check(ask(account, at, record(takes), JSON, JSON, inference=CHECK), takes)


def _by_files(account: Account, at: Deployed, body: bytes, about: Mapping[str, str], patience: float) -> Answer:
    """Leave the request in S3 and wait for its answer there; `about` are its parameters."""
    content_type = about["ContentType"]
    ending = SUFFIXES.get(content_type.partition(";")[0].strip(), "")
    digest = hashlib.sha256(content_type.encode() + b"\0" + body).hexdigest()[:32]
    request = f"s3://{account.bucket}/data/requests/{at.name}/{digest}{ending}"
    objects.write(account, request, body, content_type=content_type)
    with explained():
        said = account.client("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=at.name, InputLocation=request, **about
        )
    places = [said["OutputLocation"], *filter(None, [said.get("FailureLocation")])]
    found = waiting.until(
        lambda: [place for place in places if objects.described(account, place)],
        bool,
        lambda _found, _seconds: None,
        every=LOOK_EVERY,
        patience=patience,
    )
    content = objects.read(account, found[0])
    if found[0] != said["OutputLocation"]:
        raise UserError(f"the endpoint answers with a failure: {content.decode(errors='replace')[:1000]}")
    return Answer(content, about.get("Accept", content_type))
