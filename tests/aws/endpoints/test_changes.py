"""Promises of an endpoint that is changed: what AWS is doing already, refuses, or takes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.backends import get_backend
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.responses import SageMakerResponse

from relabel.aws import endpoints, models
from relabel.errors import UserError

NAME = ("--name", "reviews", "--image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1", "--no-check")


def test_without_waiting_a_change_under_way_is_left_alone(
    run, aws, model, other_model, *, endpoint, monkeypatch
) -> None:
    """AWS names the configuration before until a change has ended: the same command says that nothing changed, another one to come back."""
    run("deploy", model, *NAME)
    first = endpoints.existing(aws, "relabel-reviews")
    run("deploy", other_model, *NAME)
    second = endpoints.existing(aws, "relabel-reviews")
    run("deploy", model, *NAME)
    describe = endpoints._described

    def underway(client: Any, name: str) -> Any:
        return {**describe(client, name), "PendingDeploymentSummary": {"EndpointConfigName": second.configuration}}

    endpoint("relabel-reviews").endpoint_status = "Updating"
    monkeypatch.setattr(endpoints, "_described", underway)
    again = run("deploy", other_model, *NAME, "--no-wait", "--json")
    assert json.loads(again.out)["what"] == "unchanged", again.err
    refused = run("deploy", model, *NAME, "--no-wait")
    assert (refused.code, "is Updating, and AWS changes nothing meanwhile" in refused.err) == (3, True)
    assert endpoints.existing(aws, "relabel-reviews").previous == second.configuration
    assert endpoints.existing(aws, "relabel-reviews").configuration == first.configuration


def test_an_update_that_takes_long_keeps_its_way_back(run, aws, model, other_model, *, endpoint, monkeypatch) -> None:
    """AWS goes on with it, so the configuration to go back to is the one that it leaves."""
    run("deploy", model, *NAME)
    run("deploy", other_model, *NAME)
    second = endpoints.existing(aws, "relabel-reviews")

    def slowly(_response: Any) -> Any:
        endpoint("relabel-reviews").endpoint_status = "Updating"
        return ActionResult({})

    monkeypatch.setattr(SageMakerResponse, "update_endpoint", slowly)
    monkeypatch.setattr(endpoints.waiting.until, "__kwdefaults__", {"every": 0.01, "patience": 0.05})
    assert "not done after" in run("deploy", model, *NAME).err
    assert endpoints.existing(aws, "relabel-reviews").previous == second.configuration


@pytest.mark.parametrize("refusal", ["The variant must be deregistered as a scalable target", "It is busy"])
def test_an_update_that_is_refused_leaves_the_way_back(run, aws, model, other_model, *, refusal, monkeypatch) -> None:
    """The configuration to go back to is the one before; what scales is said how to be taken out of it."""
    run("deploy", model, *NAME)
    first = endpoints.existing(aws, "relabel-reviews")
    run("deploy", other_model, *NAME)

    def refused(_response: Any) -> Any:
        raise AWSValidationException(refusal)

    monkeypatch.setattr(SageMakerResponse, "update_endpoint", refused)
    ended = run("deploy", model, *NAME, "--instance-type", "ml.c5.large")
    assert ended.code == 2
    assert ("deregister-scalable-target --region eu-west-1" in ended.err) == ("scalable" in refusal)
    assert endpoints.existing(aws, "relabel-reviews").previous == first.configuration


def test_an_update_that_aws_took_back_leaves_the_way_back(run, aws, model, other_model, *, monkeypatch) -> None:
    """An endpoint that went on with its configuration can go back to the one before that."""
    run("deploy", model, *NAME)
    first = endpoints.existing(aws, "relabel-reviews")
    run("deploy", other_model, *NAME)
    monkeypatch.setattr(SageMakerResponse, "update_endpoint", lambda _response: ActionResult({}))
    ended = run("deploy", model, *NAME, "--instance-type", "ml.c5.large")
    assert (ended.code, "and runs" in ended.err) == (3, True)
    assert endpoints.existing(aws, "relabel-reviews").previous == first.configuration


def test_promoting_names_the_archive_in_one_way(run, aws, model, other_model) -> None:
    """AWS describes a model with its files' address in two ways, and refuses to make one so."""
    run("deploy", model, *NAME)
    at = endpoints.existing(aws, "relabel-reviews")
    source = {"S3DataSource": {"S3Uri": at.model_uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}}
    container = get_backend("sagemaker")[aws.number][aws.region]._models[at.model].primary_container
    container["ModelDataSource"] = source
    uri, _ = models.uploaded(aws, other_model, "relabel-reviews")
    now = endpoints.promote(aws, "relabel-reviews", uri).endpoint
    made = aws.client("sagemaker").describe_model(ModelName=now.model)["PrimaryContainer"]
    assert (made["ModelDataUrl"], "ModelDataSource" in made) == (uri, False)


def test_a_failed_endpoint_of_others_is_not_deleted(run, aws, model, endpoint) -> None:
    """The loop may promote on an endpoint that somebody made by hand."""
    run("deploy", model, *NAME)
    at = endpoints.existing(aws, "relabel-reviews")
    uri, _ = models.uploaded(aws, model, "relabel-reviews")
    client = aws.client("sagemaker")
    client.create_endpoint(EndpointName="theirs", EndpointConfigName=at.configuration)
    endpoint("theirs").endpoint_status = "Failed"
    with pytest.raises(UserError, match="delete it yourself"):
        endpoints.promote(aws, "theirs", uri)
    assert client.describe_endpoint(EndpointName="theirs")["EndpointStatus"] == "Failed"
