"""Promises of `relabel aws status`, `cost` and `delete` against moto's server."""

from __future__ import annotations

import http.server
import io
import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.backends import get_backend
from moto.core import enable_iam_authentication
from moto.iam.access_control import IAMRequestBase
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.responses import SageMakerResponse

from relabel.aws import account as accounts
from relabel.aws import endpoints, inventory, scaling

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1"
PRICE = 0.115


def deployed(run, model, name: str = "reviews", *options: object) -> None:
    """Make an endpoint."""
    ended = run("deploy", model, "--name", name, "--image", IMAGE, "--no-check", *options)
    assert ended.code == 0, ended.err


def ago(hours: int) -> datetime:
    """Give a time as moto keeps it."""
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=hours)


def strangers(aws) -> None:
    """Make a model, a configuration and an endpoint that are not called relabel-…."""
    client = aws.client("sagemaker")
    client.create_model(ModelName="theirs", ExecutionRoleArn=aws.role, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "all", "ModelName": "theirs", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="theirs", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="theirs", EndpointConfigName="theirs")


def left(aws) -> list[str]:
    """List what is there of SageMaker's."""
    client = aws.client("sagemaker")
    return [
        *(each["EndpointName"] for each in client.list_endpoints()["Endpoints"]),
        *(each["EndpointConfigName"] for each in client.list_endpoint_configs()["EndpointConfigs"]),
        *(each["ModelName"] for each in client.list_models()["Models"]),
    ]


@pytest.fixture
def prices(monkeypatch) -> Iterator[None]:
    """AWS's price list, which moto does not imitate: one price for each machine."""

    class List(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert {each["Field"] for each in asked["Filters"]} == {"instanceName", "regionCode", "component"}
            dimension = {"unit": "Hrs", "pricePerUnit": {"USD": str(PRICE)}}
            product = {"terms": {"OnDemand": {"a": {"priceDimensions": {"b": dimension}}}}}
            body = json.dumps({"PriceList": [json.dumps(product)]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), List)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


def test_status_lists_what_is_ours(run, aws, model, other_model, endpoint) -> None:
    """Endpoints and jobs called relabel-… with state, age and reason; nothing of others'."""
    strangers(aws)
    assert "nothing of relabel's" in run("status").out
    deployed(run, model)
    deployed(run, other_model, "reviews", "--capture", 5, "--autoscale", "1:2")
    endpoint("relabel-reviews").creation_time = ago(3)
    ended = run("status")
    assert "relabel-reviews" in ended.out
    assert "InService" in ended.out
    assert "3 h" in ended.out
    assert "theirs" not in ended.out
    (told,) = json.loads(run("status", "reviews", "--json").out)
    assert told["before"].startswith("relabel-reviews-")
    assert told["captured"].endswith("/captured")
    assert told["scales"] == "1 to 2 machines"
    endpoint("relabel-reviews").endpoint_status = "Failed"
    endpoint("relabel-reviews").failure_reason = "no ping"
    assert "reason: no ping" in run("status").out
    assert "no endpoint and no job" in run("status", "none").err


def test_cost_by_the_hour(run, aws, model, endpoint, prices) -> None:  # noqa: ARG001  # the price list answers
    """Machines by hours and price; what is serverless costs nothing while it idles."""
    deployed(run, model, "reviews", "--instance-count", 2)
    deployed(run, model, "idle", "--serverless")
    endpoint("relabel-reviews").creation_time = ago(10)
    ended = run("cost")
    assert "2 x ml.m5.large" in ended.out
    assert "20.0 machine hours  0.230 USD an hour, 2.30 so far" in ended.out
    assert "serverless: costs only while it answers" in ended.out
    said = json.loads(run("cost", "--json").out)
    assert {each["name"]: each["hourly"] for each in said["running"]} == {
        "relabel-reviews": 2 * PRICE,
        "relabel-idle": None,
    }
    assert said["kept"]["data"] > 0


def test_cost_without_prices(run, aws, model, monkeypatch) -> None:  # noqa: ARG001
    """Where the price list cannot be read, hours are said, and why no price."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert "nothing runs" in run("cost").out
    deployed(run, model, "reviews", "--asynchronous", "--autoscale", "1:4")
    ended = run("cost")
    assert "machine hours  (asynchronous, scales between 1 and 4)" in ended.out
    assert "pricing:GetProducts" in ended.out
    assert "USD" not in ended.out


def test_delete_takes_all_that_belongs_to_a_name(run, aws, model, other_model) -> None:
    """Endpoint, both configurations, both models, scaling and alarm go; others' and another name's stay; again is no failure."""
    strangers(aws)
    deployed(run, model, "reviews", "--asynchronous", "--autoscale", "0:2")
    deployed(run, other_model, "reviews")
    deployed(run, model, "reviews-two")
    ended = run("delete", "reviews")
    assert ended.code == 0, ended.err
    assert ended.out.count("deleted") == 6
    assert f"what stays: s3://{aws.bucket}/" in ended.out
    assert all(name == "theirs" or name.startswith("relabel-reviews-two") for name in left(aws))
    assert len(left(aws)) == 6
    targets = aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    assert targets["ScalableTargets"] == []
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert "gone already" in run("delete", "reviews").out


def test_delete_all_lists_and_asks(run, aws, model) -> None:
    """Without a terminal nothing is deleted before --yes; what is not ours is never listed."""
    strangers(aws)
    deployed(run, model)
    ended = run("delete", "--all")
    assert ended.code == 2
    assert "endpoint      relabel-reviews" in ended.err
    assert "theirs" not in ended.err
    assert "give --yes" in ended.err
    assert endpoints.deployed(aws, "relabel-reviews") is not None
    assert run("delete", "--all", "--yes").code == 0
    assert left(aws) == ["theirs"] * 3
    assert "a NAME, or --all" in run("delete").err


def test_delete_all_does_as_it_is_answered(run, aws, model, monkeypatch) -> None:
    """No, an end of the input, and then yes."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    deployed(run, model)
    for answer in ("n\n", ""):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert run("delete", "--all").code == 130
    assert len(left(aws)) == 3
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert run("delete", "--all").code == 0
    assert left(aws) == []


def test_a_missing_permission_in_the_middle(run, aws, model, monkeypatch) -> None:
    """What was deleted and what is still there is said, each with the action to allow."""
    deployed(run, model)
    iam = aws.client("iam")
    iam.create_user(UserName="ann")
    allowed = [
        *("sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs", "sagemaker:ListModels"),
        *("sagemaker:DescribeEndpoint", "sagemaker:DeleteEndpoint", "sagemaker:DeleteModel"),
        "application-autoscaling:DeregisterScalableTarget",
    ]
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": allowed, "Resource": "*"}}
    iam.put_user_policy(UserName="ann", PolicyName="some", PolicyDocument=json.dumps(policy))
    keys = iam.create_access_key(UserName="ann")["AccessKey"]
    # Its reckoning of a signature fails on a request without a body.
    monkeypatch.setattr(IAMRequestBase, "check_signature", lambda _request: None)
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
        patch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
        with enable_iam_authentication():
            ended = run("delete", "reviews")
    assert ended.code == 2
    assert "deleted        endpoint relabel-reviews" in ended.out
    assert "deleted        model relabel-reviews-" in ended.out
    assert "is still there: no permission for DeleteEndpointConfig: allow sagemaker:DeleteEndpointConfig" in ended.err
    assert run("delete", "reviews").code == 0
    assert endpoints.deployed(accounts.find(), "relabel-reviews") is None
    assert left(aws) == []


def test_an_endpoint_that_stays_keeps_what_it_runs(run, aws, model, other_model, monkeypatch) -> None:
    """One that AWS does not let be deleted costs on: without configuration and model it could be neither changed nor understood."""
    deployed(run, model)
    deployed(run, other_model, "gone")

    def refused(response: Any) -> Any:
        if response._get_param("EndpointName") == "relabel-reviews":
            raise AWSValidationException("not now")
        return delete(response)

    delete = SageMakerResponse.delete_endpoint
    monkeypatch.setattr(SageMakerResponse, "delete_endpoint", refused)
    ended = run("delete", "--all", "--yes")
    assert (ended.code, "endpoint relabel-reviews is still there" in ended.err) == (2, True)
    assert len(left(aws)) == 3
    assert all(name.startswith("relabel-reviews") for name in left(aws))


def test_scaling_that_was_half_removed_is_found_again(run, aws, model, monkeypatch) -> None:
    """The alarm goes before the target by which the rest is found."""
    deployed(run, model, "reviews", "--asynchronous", "--autoscale", "0:2")
    client = aws.client("application-autoscaling")

    def stopped(**_named: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client, "deregister_scalable_target", stopped)
        with pytest.raises(KeyboardInterrupt):
            scaling.remove(aws, "relabel-reviews")
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert scaling.remove(aws, "relabel-reviews")
    assert not scaling.remove(aws, "relabel-reviews")


def test_what_ended_long_ago_is_not_asked_about(aws, monkeypatch) -> None:
    """Thousands of jobs may have been: cost asks for those at work alone, status for no more pages than it shows."""
    client = aws.client("sagemaker")
    for number in range(103):
        client.create_training_job(
            TrainingJobName=f"relabel-{number}",
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            RoleArn=aws.role,
            OutputDataConfig={"S3OutputPath": "s3://a/b"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )
    jobs = get_backend("sagemaker")[aws.number][aws.region].training_jobs
    for job in jobs.values():
        job.training_job_status = "Failed"
    jobs["relabel-7"].training_job_status = "InProgress"
    asked: list[str] = []
    listing, describing = SageMakerResponse.list_training_jobs, SageMakerResponse.describe_training_job
    monkeypatch.setattr(SageMakerResponse, "list_training_jobs", lambda each: (asked.append("list"), listing(each))[1])
    monkeypatch.setattr(
        SageMakerResponse, "describe_training_job", lambda each: (asked.append("describe"), describing(each))[1]
    )
    assert [each.name for each in inventory.running(aws, ["training job"])] == ["relabel-7"]
    assert asked.count("describe") == 0
    asked.clear()
    assert len(list(inventory.items(aws, ["training job"], most=20))) == 20
    assert asked.count("list") == 1
