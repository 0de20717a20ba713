"""Promises of `relabel aws deploy` against moto's server."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto.sagemaker.models import FakeEndpoint

from relabel.aws import asking, drivers, endpoints, hosting, models
from relabel.aws.hosting import Wanted

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/relabel:1"
PREDICTION = json.dumps({"predictions": [{"label": 0, "class": "negative", "probabilities": [0.5, 0.5]}]})
SERVICE = botocore.session.get_session().get_service_model("sagemaker")
NAME = ("--name", "reviews", "--image", IMAGE, "--no-check")


def problems(operation: str, parameters: dict[str, Any]) -> list[str]:
    """Hold parameters to the API's own model: types, what is required, lengths, enumerations and patterns."""
    shape = SERVICE.operation_model(operation).input_shape
    report = ParamValidator().validate(parameters, shape)
    return [*([report.generate_report()] if report.has_errors() else []), *misfits(shape, parameters)]


def misfits(shape: Any, value: Any) -> list[str]:
    """List the texts that do not fit their enumeration or pattern."""
    if shape.type_name == "structure":
        return [each for key, part in value.items() for each in misfits(shape.members[key], part)]
    if shape.type_name == "list":
        return [each for part in value for each in misfits(shape.member, part)]
    if shape.type_name == "string":
        pattern = shape.metadata.get("pattern")
        if shape.enum and value not in shape.enum:
            return [f"{shape.name}: {value}"]
        if pattern and not re.fullmatch(pattern.replace("\\p{L}\\p{Z}\\p{N}", r"\w "), value):
            return [f"{shape.name}: {value} is not {pattern}"]
    return []


def configuration(aws, name: str = "relabel-reviews") -> dict[str, Any]:
    """Describe what an endpoint runs."""
    client = aws.client("sagemaker")
    at = client.describe_endpoint(EndpointName=name)
    return dict(client.describe_endpoint_config(EndpointConfigName=at["EndpointConfigName"]))


def test_the_same_again_changes_nothing(run, aws, model) -> None:
    """A folder becomes an endpoint; the second time nothing is made, and it is said."""
    first = run("deploy", model, *NAME)
    assert (first.code, "relabel-reviews: in service" in first.out) == (0, True)
    again = run("deploy", model, *NAME, "--json")
    told = json.loads(again.out)
    assert told["what"] == "unchanged"
    assert told["model_uri"].startswith(f"s3://{aws.bucket}/out/relabel-reviews/")
    client = aws.client("sagemaker")
    assert len(client.list_models()["Models"]) == len(client.list_endpoint_configs()["EndpointConfigs"]) == 1
    (made,) = client.list_models()["Models"]
    tags = client.list_tags(ResourceArn=made["ModelArn"])["Tags"]
    assert "relabel" in {tag["Key"] for tag in tags}


def test_an_update_can_be_taken_back(run, aws, model, other_model) -> None:
    """Another model is another configuration; --rollback goes back, and again forth."""
    run("deploy", model, *NAME)
    first = endpoints.existing(aws, "relabel-reviews")
    assert json.loads(run("deploy", other_model, *NAME, "--json").out)["what"] == "updated"
    second = endpoints.existing(aws, "relabel-reviews")
    assert second.previous == first.configuration
    assert second.model_uri != first.model_uri
    assert run("deploy", "--name", "reviews", "--rollback").code == 0
    assert endpoints.existing(aws, "relabel-reviews").model_uri == first.model_uri
    run("deploy", "--name", "reviews", "--rollback")
    assert endpoints.existing(aws, "relabel-reviews").model_uri == second.model_uri


def test_nothing_to_go_back_to(run, model) -> None:
    """A first configuration has none before it; an endpoint that is none has nothing at all."""
    assert "no endpoint of that name" in run("deploy", "--name", "reviews", "--rollback").err
    run("deploy", model, *NAME)
    assert "no configuration to go back to" in run("deploy", "--name", "reviews", "--rollback").err


def test_promote_keeps_everything_but_the_model(run, aws, model, other_model) -> None:
    """The loop's way: same image, capture and machines, another archive; the one before is kept."""
    run("deploy", model, *NAME, "--capture", 50, "--instance-count", 2, "--environment", "RELABEL_LOG_SHARE=0")
    before, old = endpoints.existing(aws, "relabel-reviews"), configuration(aws)
    uri, _ = models.uploaded(aws, other_model, "relabel-reviews")
    change = endpoints.promote(aws, "relabel-reviews", uri)
    now = configuration(aws)
    assert (change.what, change.endpoint.model_uri, change.endpoint.previous) == ("updated", uri, before.configuration)
    assert now["DataCaptureConfig"] == old["DataCaptureConfig"]
    assert now["ProductionVariants"][0] | {"ModelName": ""} == old["ProductionVariants"][0] | {"ModelName": ""}
    container = aws.client("sagemaker").describe_model(ModelName=change.endpoint.model)["PrimaryContainer"]
    assert container["Environment"] == {"RELABEL_LOG_SHARE": "0"}
    assert endpoints.promote(aws, "relabel-reviews", uri).what == "unchanged"
    assert endpoints.rollback(aws, "relabel-reviews").endpoint.model_uri == before.model_uri


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("relabel-a", "arn:aws:iam::123456789012:role/relabel-execution", tags={"team": "search"}),
        Wanted("relabel-a", "arn:aws:iam::123456789012:role/relabel-execution", memory=2048, concurrency=5),
        Wanted("relabel-a", "arn:aws:iam::123456789012:role/relabel-execution", answers="s3://bucket/out/"),
        Wanted(
            "relabel-a",
            "arn:aws:iam::123456789012:role/relabel-execution",
            instance_type="ml.g4dn.xlarge",
            ami="al2-ami-sagemaker-inference-gpu-3-1",
            capture=20,
            captured="s3://bucket/captured/",
            kms_key="alias/mine",
            subnets=("subnet-1",),
            groups=("sg-1",),
            environment={"A": "b"},
        ),
    ],
    ids=["real time", "serverless", "asynchronous", "everything"],
)
def test_requests_fit_the_api(wanted) -> None:
    """Every kind of endpoint is asked for in the API's own shapes, enumerations and patterns."""
    hosting.check(wanted)
    named = models.Named("s3://bucket/out/model.tar.gz", "etag", IMAGE)
    model_request = hosting.model_request(wanted, named)
    assert problems("CreateModel", model_request) == []
    request = hosting.configuration_request(wanted, model_request["ModelName"])
    assert problems("CreateEndpointConfig", request) == []


def test_serverless(run, aws, model) -> None:
    """Memory and concurrency in place of machines, one worker, and no isolation, which AWS does not offer there."""
    assert run("deploy", model, *NAME, "--serverless", "--memory-mb", 3072).code == 0
    (variant,) = configuration(aws)["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    at = endpoints.existing(aws, "relabel-reviews")
    container = aws.client("sagemaker").describe_model(ModelName=at.model)["PrimaryContainer"]
    assert (at.kind, container["Environment"]) == ("serverless", {"RELABEL_WORKERS": "1"})


def test_asynchronous_down_to_no_machine(run, aws, model) -> None:
    """Answers go to S3; scaling is by what waits, and a first request that waits starts a machine."""
    ended = run("deploy", model, *NAME, "--asynchronous", "--autoscale", "0:3", "--target", 5)
    assert ended.code == 0, ended.err
    assert endpoints.existing(aws, "relabel-reviews").kind == "asynchronous"
    scaling = aws.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 3)
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    tracked = next(each for each in policies if each["PolicyType"] == "TargetTrackingScaling")
    said = tracked["TargetTrackingScalingPolicyConfiguration"]
    assert said["CustomizedMetricSpecification"]["MetricName"] == "ApproximateBacklogSizePerInstance"
    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["MetricName"]) == ("relabel-reviews-waking", "HasBacklogWithoutCapacity")
    waking = next(each["PolicyARN"] for each in policies if each["PolicyType"] == "StepScaling")
    assert alarm["AlarmActions"] == [waking]


def test_autoscaling_by_requests(run, aws, model) -> None:
    """Between so many machines, by requests to each in a minute."""
    assert run("deploy", model, *NAME, "--autoscale", "1:4", "--target", 200).code == 0
    client = aws.client("application-autoscaling")
    (policy,) = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["ResourceId"] == "endpoint/relabel-reviews/variant/all"
    said = policy["TargetTrackingScalingPolicyConfiguration"]
    assert said["TargetValue"] == 200
    kind = said["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert kind == "SageMakerVariantInvocationsPerInstance"


def test_capture_lists_every_type_that_is_spoken(run, aws, model) -> None:
    """Capture goes by exact content types; all that the endpoint speaks as text are named."""
    run("deploy", model, *NAME, "--capture", 10)
    capture = configuration(aws)["DataCaptureConfig"]
    assert capture["DestinationS3Uri"] == f"s3://{aws.bucket}/out/relabel-reviews/captured"
    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (True, 10)
    types = capture["CaptureContentTypeHeader"]
    assert types["JsonContentTypes"][:2] == ["application/json", "application/jsonlines"]
    assert types["CsvContentTypes"] == ["text/csv", "text/plain"]
    assert endpoints.existing(aws, "relabel-reviews").captured == capture["DestinationS3Uri"]


def test_an_old_driver_is_warned_of(run, aws, model) -> None:
    """A GPU machine with its own old driver gets a warning and the version to give; with it there is none."""
    first = run("deploy", model, *NAME, "--instance-type", "ml.g4dn.xlarge")
    assert "driver 470" in first.err
    assert f"give --ami {drivers.RECOMMENDED}" in first.err
    second = run("deploy", model, *NAME, "--instance-type", "ml.g4dn.xlarge", "--ami", drivers.RECOMMENDED)
    assert "WARNING" not in second.err
    assert configuration(aws)["ProductionVariants"][0]["InferenceAmiVersion"] == drivers.RECOMMENDED


def test_what_does_not_fit_together_is_said_at_once(run, model) -> None:
    """All problems in one message, before anything is made."""
    ended = run(
        *("deploy", model, *NAME, "--serverless", "--memory-mb", 100, "--capture", 5, "--capture-to", "here"),
        *("--subnet", "subnet-1", "--asynchronous"),
    )
    assert ended.code == 2
    for part in ("two kinds", "--memory-mb 100", "--security-group", "no address in S3"):
        assert part in ended.err
    assert "no such version" in run("deploy", model, *NAME, "--ami", "newest", "--instance-type", "ml.g5.xlarge").err
    assert "0:… is for" in run("deploy", model, *NAME, "--autoscale", "0:2").err


def test_models_by_other_names(run, aws, model) -> None:
    """An address in S3 and a training job are taken as a folder is; what is none of them is said so."""
    uri, _ = models.uploaded(aws, model, "relabel-job")
    assert run("deploy", uri, *NAME).code == 0
    client = aws.client("sagemaker")
    client.create_training_job(
        TrainingJobName="relabel-job",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=aws.role,
        OutputDataConfig={"S3OutputPath": f"s3://{aws.bucket}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    made = client.describe_training_job(TrainingJobName="relabel-job")["ModelArtifacts"]["S3ModelArtifacts"]
    key = made.removeprefix(f"s3://{aws.bucket}/")
    aws.client("s3").put_object(Bucket=aws.bucket, Key=key, Body=b"model")
    assert run("deploy", "relabel-job", "--name", "of-job", "--no-check").code == 0
    assert endpoints.existing(aws, "relabel-of-job").image == IMAGE
    assert "no folder or file here" in run("deploy", "nothing", *NAME).err
    assert "nor a training job" in run("deploy", "relabel-nothing", *NAME).err
    assert "no such object" in run("deploy", f"s3://{aws.bucket}/none.tar.gz", *NAME).err
    assert "push it with ./build_and_push.sh" in run("deploy", model, "--name", "a").err


def test_a_package_of_the_registry(run, aws, model) -> None:
    """A model package names its image itself; the endpoint runs it, and is tried out with what its model takes."""
    uri, _ = models.uploaded(aws, model, "relabel-job")
    client = aws.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="relabel-models")
    arn = client.create_model_package(
        ModelPackageGroupName="relabel-models",
        InferenceSpecification={
            "Containers": [{"Image": IMAGE, "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    ended = run("deploy", arn, "--name", "reviews", "--no-check")
    assert ended.code == 0, ended.err
    at = endpoints.existing(aws, "relabel-reviews")
    container = client.describe_model(ModelName=at.model)["PrimaryContainer"]
    assert container == {"ModelPackageName": arn}


def test_it_is_asked_once_in_service(run, model, answering) -> None:
    """One made record must come back as a prediction, which is never shown."""
    answering(PREDICTION)
    ended = run("deploy", model, "--name", "reviews", "--image", IMAGE)
    assert "came back with a prediction" in ended.out
    assert "probabilities" not in ended.out + ended.err


def test_what_is_no_prediction_is_said_and_not_shown(run, model, answering) -> None:
    """Another image or model at the address is found out at once."""
    answering('{"predictions": "secret"}')
    ended = run("deploy", model, "--name", "reviews", "--image", IMAGE)
    assert ended.code == 3
    assert "not with a prediction of 2 classes" in ended.err
    assert "secret" not in ended.err


def test_a_failure_says_why(run, aws, model, monkeypatch) -> None:
    """FailureReason and the end of the log; the next try takes the failed one away first."""
    made = FakeEndpoint.__init__

    def failing(endpoint, *arguments, **named) -> None:
        made(endpoint, *arguments, **named)
        endpoint.endpoint_status, endpoint.failure_reason = "Failed", "The primary container did not pass the ping."

    logs = aws.client("logs")
    group = {"logGroupName": "/aws/sagemaker/Endpoints/relabel-reviews"}
    logs.create_log_group(**group)
    logs.create_log_stream(**group, logStreamName="all/i-1")
    event = {"timestamp": int(time.time() * 1000), "message": "ERROR no model.json"}
    logs.put_log_events(**group, logStreamName="all/i-1", logEvents=[event])
    with monkeypatch.context() as patch:
        patch.setattr(FakeEndpoint, "__init__", failing)
        ended = run("deploy", model, *NAME)
    assert ended.code == 3
    assert "did not pass the ping" in ended.err
    assert "\n  ERROR no model.json" in ended.err
    assert run("deploy", model, *NAME).code == 0


def test_ctrl_c_while_it_waits_and_going_on(run, model, endpoint, monkeypatch) -> None:
    """A command that is stopped says that AWS goes on; the same command then waits for the same endpoint, and makes no other."""
    made = FakeEndpoint.__init__

    def creating(endpoint, *arguments, **named) -> None:
        made(endpoint, *arguments, **named)
        endpoint.endpoint_status = "Creating"

    monkeypatch.setattr(FakeEndpoint, "__init__", creating)
    command = [sys.executable, "-m", "relabel", "aws", "deploy", str(model), *NAME]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert re.match(r"Creating, \d+ s", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        assert "AWS goes on with the endpoint" in process.stderr.read()
    assert process.returncode == 130
    endpoint("relabel-reviews").endpoint_status = "InService"
    assert "is so already" in run("deploy", model, *NAME).out


def test_a_made_record_is_what_the_model_takes(text_model, model) -> None:
    """A text for a model of texts, as many numbers for one of embeddings: what it takes stands in its archive."""
    for folder, instance in ((text_model, "a made record"), (model, [0.0, 0.0, 0.0])):
        with models.packed(folder) as archive, archive.open("rb") as file:
            takes = models.peek(file, str(archive))
        assert json.loads(asking.record(takes)) == {"instances": [instance]}


def test_what_is_no_model_is_refused_before_anything_is_made(run, aws, tmp_path) -> None:
    """An archive without model.json, and one that is none at all."""
    (tmp_path / "model.tar.gz").write_bytes(b"nothing")
    assert "no model.tar.gz of this program" in run("deploy", tmp_path / "model.tar.gz", *NAME).err
    assert run("deploy", tmp_path, *NAME).code == 2
    assert aws.client("sagemaker").list_models()["Models"] == []
