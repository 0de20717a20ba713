"""Endpoints: made, changed, gone back on. The same wish twice changes nothing, and one that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from relabel.aws import hosting, models, names, scaling, waiting
from relabel.aws.account import Account
from relabel.aws.hosting import Wanted
from relabel.aws.models import Named
from relabel.aws.refusals import explained, is_missing
from relabel.errors import PlatformError, RelabelError, UserError

LOGS = "/aws/sagemaker/Endpoints/"
MODEL_KEYS = ("PrimaryContainer", "ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig")
CONFIGURATION_KEYS = ("ProductionVariants", "DataCaptureConfig", "KmsKeyId", "AsyncInferenceConfig")
SETTLED = {"InService", "Failed", "OutOfService", "UpdateRollbackFailed"}

Say = Callable[[str, float], None]
"""Is told of a state and the seconds that it is waited for."""


def quiet(_state: str, _seconds: float) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """An endpoint as AWS describes it.

    status:        AWS's word: `InService`, `Updating`, `Failed`, …
    configuration: that it runs; `previous` the one before, "" where there is none.
    kind:          `real-time`, `serverless` or `asynchronous`.
    model:         name of its model, whose archive is `model_uri` ("" of a package) and whose server `image`.
    captured:      `s3://…` of its captured traffic, "" where nothing is captured.
    reason:        why it failed.
    """

    name: str
    arn: str
    status: str
    configuration: str
    previous: str
    kind: str
    model: str
    model_uri: str
    image: str
    captured: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did: `made`, `updated`, `unchanged` or `rolled back`, and how the endpoint is now."""

    what: str
    endpoint: Deployed


def deployed(account: Account, name: str) -> Deployed | None:
    """Describe an endpoint, None where there is none of that name."""
    client = account.client("sagemaker")
    found = _described(client, name)
    if found is None:
        return None
    configuration = _configuration(client, found["EndpointConfigName"])
    variant = configuration.get("ProductionVariants", [{}])[0]
    model = variant.get("ModelName", "")
    container = _model(client, model).get("PrimaryContainer", {}) if model else {}
    kinds = {"ServerlessConfig": variant, "AsyncInferenceConfig": configuration}
    said = [key for key, place in kinds.items() if place.get(key)]
    capture = configuration.get("DataCaptureConfig") or {}
    return Deployed(
        name=name,
        arn=found["EndpointArn"],
        status=found["EndpointStatus"],
        configuration=found["EndpointConfigName"],
        previous=_previous(client, found["EndpointArn"]),
        kind={"ServerlessConfig": "serverless", "AsyncInferenceConfig": "asynchronous"}[said[0]]
        if said
        else "real-time",
        model=model,
        model_uri=container.get("ModelDataUrl", ""),
        image=container.get("Image", ""),
        captured=capture.get("DestinationS3Uri", "") if capture.get("EnableCapture") else "",
        reason=found.get("FailureReason", ""),
    )


def apply(account: Account, wanted: Wanted, model: Named, *, wait: bool = True, say: Say = quiet) -> Change:
    """Make an endpoint what it is to be: made, updated, or left as it is.

    Raises UserError or PlatformError where AWS refuses or the endpoint fails, with its reason and its log's last lines.
    """
    client = account.client("sagemaker")
    model_request = hosting.model_request(wanted, model)
    request = hosting.configuration_request(wanted, model_request["ModelName"])
    _make(lambda: client.create_model(**model_request))
    _make(lambda: client.create_endpoint_config(**request))
    return _put(account, wanted.name, request["EndpointConfigName"], wanted.tags, wait=wait, say=say)


def promote(account: Account, name: str, model_uri: str, *, wait: bool = True, say: Say = quiet) -> Change:
    """Serve another model.tar.gz by the same image in the same configuration; the present one is kept for `rollback`.

    Raises UserError where there is no such endpoint, or no such object.
    """
    client = account.client("sagemaker")
    at = existing(account, name)
    named = models.resolve(account, model_uri, name=name, image=at.image)
    old = hosting.successor(_model(client, at.model), MODEL_KEYS)
    container = {**old["PrimaryContainer"], "ModelDataUrl": named.uri}
    for other in ("ModelPackageName", "ModelDataSource"):  # AWS takes one way to name a model's files
        container.pop(other, None)
    said = {**old, "PrimaryContainer": {"Image": named.image, **container}}
    model = names.hashed(name, [said, named.content])
    configuration = hosting.successor(_configuration(client, at.configuration), CONFIGURATION_KEYS)
    variants = [{**each, "ModelName": model} for each in configuration["ProductionVariants"]]
    said_now = {**configuration, "ProductionVariants": variants}
    wanted = names.hashed(name, said_now)
    tags = names.tags({})
    _make(lambda: client.create_model(ModelName=model, **said, Tags=tags))
    _make(lambda: client.create_endpoint_config(EndpointConfigName=wanted, **said_now, Tags=tags))
    return _put(account, name, wanted, {}, wait=wait, say=say)


def rollback(account: Account, name: str, *, wait: bool = True, say: Say = quiet) -> Change:
    """Go back to the configuration before the present one, which then is the one to go back to.

    Raises UserError where there is none.
    """
    at = existing(account, name)
    if at.previous in {"", at.configuration}:
        raise UserError(f"{name} has no configuration to go back to: it runs its first one, {at.configuration}")
    if not _configuration(account.client("sagemaker"), at.previous):
        raise UserError(f"{name}: the configuration before, {at.previous}, is not there any more")
    done = _put(account, name, at.previous, {}, wait=wait, say=say)
    return Change("rolled back", done.endpoint)


def settle(account: Account, name: str, *, say: Say = quiet) -> dict[str, Any]:
    """Wait until an endpoint changes no more; its description, {} where there is none."""
    client = account.client("sagemaker")
    return waiting.until(
        lambda: _described(client, name) or {},
        lambda seen: not seen or seen["EndpointStatus"] in SETTLED,
        lambda seen, seconds: say(seen["EndpointStatus"], seconds),
    )


def _put(account: Account, name: str, configuration: str, tags: Mapping[str, str], *, wait: bool, say: Say) -> Change:
    """Let an endpoint run a configuration that is there."""
    client = account.client("sagemaker")
    found = settle(account, name, say=say) if wait else _described(client, name) or {}
    if found and found["EndpointStatus"] not in SETTLED:
        _check_underway(found, configuration)
        return Change("unchanged", existing(account, name))
    if found.get("EndpointStatus") == "Failed":
        found = _cleared(account, name, say)
    if found and found["EndpointConfigName"] == configuration:
        if wait:
            _check(account, found, name, configuration)
        return Change("unchanged", existing(account, name))
    if found:
        _update(account, found, configuration, wait=wait, say=say)
    else:
        with explained():
            client.create_endpoint(EndpointName=name, EndpointConfigName=configuration, Tags=names.tags(tags))
        if wait:
            _check(account, settle(account, name, say=say), name, configuration)
    return Change("updated" if found else "made", existing(account, name))


def _update(account: Account, found: dict[str, Any], configuration: str, *, wait: bool, say: Say) -> None:
    """Let an endpoint run another configuration, and note the one that it runs now; the note is as before where it goes on with that."""
    client, name = account.client("sagemaker"), found["EndpointName"]
    before = _previous(client, found["EndpointArn"])
    # Before the change, so that a command that is stopped between the two loses nothing.
    _note(client, found, found["EndpointConfigName"])
    try:
        with explained():
            client.update_endpoint(EndpointName=name, EndpointConfigName=configuration)
        if wait:
            _check(account, settle(account, name, say=say), name, configuration)
    except RelabelError as error:
        now = _described(client, name) or found
        if now["EndpointStatus"] in SETTLED and now["EndpointConfigName"] == found["EndpointConfigName"]:
            _note(client, found, before)
        if "scalable target" in str(error):
            raise UserError(f"{error} {scaling.by_hand(account.region, name)}") from None
        raise


def _note(client: Any, found: Mapping[str, Any], configuration: str) -> None:
    """Keep the configuration to go back to in the endpoint's tag; AWS replaces what the tag said."""
    with explained():
        client.add_tags(ResourceArn=found["EndpointArn"], Tags=[{"Key": names.PREVIOUS, "Value": configuration}])


def _check_underway(found: Mapping[str, Any], configuration: str) -> None:
    """Raise PlatformError unless an endpoint that is being changed will run a configuration. AWS names the one before until it has ended."""
    coming = found.get("PendingDeploymentSummary", found)["EndpointConfigName"]
    if found["EndpointStatus"] == "Deleting" or coming != configuration:
        raise PlatformError(
            f"{found['EndpointName']} is {found['EndpointStatus']}, and AWS changes nothing meanwhile: "
            "run the command again later, or with --wait"
        )


def _cleared(account: Account, name: str, say: Say) -> dict[str, Any]:
    """Delete an endpoint that failed, for AWS lets nothing else be done with it. Raises UserError for one that is not ours."""
    if not name.startswith(names.PREFIX):
        raise UserError(f"{name} has failed, and is not called {names.PREFIX}…: delete it yourself, and make it again")
    with explained():
        account.client("sagemaker").delete_endpoint(EndpointName=name)
    return settle(account, name, say=say)


def _check(account: Account, found: dict[str, Any], name: str, configuration: str) -> None:
    """Raise unless the endpoint runs the configuration."""
    if found.get("EndpointStatus") == "InService" and found["EndpointConfigName"] == configuration:
        return
    state = found.get("EndpointStatus", "gone")
    went_back = f", and runs {found['EndpointConfigName']} still" if state == "InService" else ""
    lines = waiting.last_lines(account.client, LOGS + name)
    log = "".join(f"\n  {line}" for line in lines) or " nothing that can be read"
    raise PlatformError(
        f"{name} is {state}{went_back}: {found.get('FailureReason', 'AWS gives no reason')}\nthe end of its log ({LOGS}{name}):{log}"
    )


def existing(account: Account, name: str) -> Deployed:
    """Describe an endpoint. Raises UserError where there is none."""
    found = deployed(account, name)
    if found is None:
        raise UserError(f"{name}: no endpoint of that name in {account.region}: 'relabel aws status' lists them")
    return found


def _described(client: Any, name: str) -> dict[str, Any] | None:
    return _found(lambda: client.describe_endpoint(EndpointName=name))


def _configuration(client: Any, name: str) -> dict[str, Any]:
    return _found(lambda: client.describe_endpoint_config(EndpointConfigName=name)) or {}


def _model(client: Any, name: str) -> dict[str, Any]:
    return _found(lambda: client.describe_model(ModelName=name)) or {}


def _previous(client: Any, arn: str) -> str:
    with explained():
        pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
        tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return str(tags.get(names.PREVIOUS, ""))


def _found(ask: Callable[[], Any]) -> dict[str, Any] | None:
    with explained():
        try:
            return dict(ask())
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def _make(create: Callable[[], Any]) -> None:
    """Make a thing that is named by what it is: one that is there already is the same."""
    with explained():
        try:
            create()
        except ClientError as error:
            if "already exist" not in str(error).lower():
                raise


def package_of(account: Account, model: str) -> str:
    """Give the ARN of the package that a model is, "" where it is none."""
    container = _model(account.client("sagemaker"), model).get("PrimaryContainer", {})
    return str(container.get("ModelPackageName", ""))


def settle_gone(account: Account, name: str, *, say: Say = quiet) -> None:
    """Wait until a deleted endpoint is not there any more: it costs until then, and its configuration is in use."""
    client = account.client("sagemaker")
    waiting.until(
        lambda: _described(client, name) or {},
        lambda seen: not seen or seen["EndpointStatus"] != "Deleting",
        lambda seen, seconds: say(seen["EndpointStatus"], seconds),
    )
