"""Promises of the web stack, made by an imitation of AWS on this machine."""

from __future__ import annotations

import ast
import functools
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.decode import decode
from click.testing import CliRunner

from relabel.aws import account, stack
from relabel.aws.stack import Wish
from relabel.cli.aws.stack import command
from relabel.errors import UserError
from relabel.web import bundle, handler

REGION, NUMBER = "eu-west-1", "123456789012"
BUCKET = f"relabel-{NUMBER}-{REGION}"
PAGE = f"relabel-web-page-{NUMBER}-{REGION}"
ENDPOINT = "relabel-reviews"


@pytest.fixture
def cloud(nothing, web_resources) -> Any:  # noqa: ARG001  # where it is
    """An account with the bucket and an endpoint; `cloud(service)` looks at it."""
    web_resources.MADE.clear()
    boto3.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    sagemaker = boto3.client("sagemaker")
    role = f"arn:aws:iam::{NUMBER}:role/relabel-execution"
    sagemaker.create_model(ModelName=ENDPOINT, ExecutionRoleArn=role, PrimaryContainer={"Image": "x"})
    variant = {"VariantName": "all", "ModelName": ENDPOINT, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=ENDPOINT, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT)
    return boto3.client


@functools.cache
def ours() -> account.Account:
    """Find the account once: reading what SageMaker's API has takes a while."""
    return account.find()


def up(**wish: Any) -> tuple[str, list[str]]:
    """Bring the stack up; its address, and what was said."""
    said: list[str] = []
    return stack.up(ours(), Wish(endpoint=ENDPOINT, **wish), said.append, lambda _seconds: None), said


def down(name: str = "relabel-web") -> tuple[bool, list[str]]:
    """Take it down."""
    said: list[str] = []
    return stack.down(ours(), name, said.append, lambda _seconds: None), said


def keys(cloud, bucket: str) -> set[str]:
    """List what is in a bucket."""
    return {one["Key"] for one in cloud("s3").list_objects_v2(Bucket=bucket).get("Contents", ())}


def test_the_template_passes_every_check(tmp_path) -> None:
    """Of cfn-lint, with those that only advise; a mistake in it would be found."""
    broken = tmp_path / "broken.yaml"
    broken.write_text(bundle.TEMPLATE.read_text().replace("PayloadFormatVersion", "PayloadVersion"))
    command = [Path(sys.executable).with_name("cfn-lint"), "--include-checks", "I", "--format", "parseable", "--"]
    done = subprocess.run([*command, bundle.TEMPLATE, broken], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == {str(broken)}, done.stdout + done.stderr


def test_the_stack_has_all_that_the_page_needs(cloud, web_resources) -> None:
    """A function with the handler and the page, an API that throttles and hands it every request, a log that is not kept for ever."""
    address, said = up(origins=("https://example.org",), per_minute=5)
    (api,) = cloud("apigatewayv2").get_apis()["Items"]
    assert address == f"https://{api['ApiId']}.execute-api.{REGION}.amazonaws.com/"
    function = cloud("lambda").get_function(FunctionName="relabel-web")["Configuration"]
    assert function["Handler"] == "handler.lambda_handler"
    assert function["Runtime"] >= "python3.12"
    assert handler.PATIENCE + 3 < function["Timeout"] < 30, "a slow endpoint is an answer of ours, not the platform's"
    settings = handler.Settings.of(function["Environment"]["Variables"])
    assert settings == handler.Settings(ENDPOINT, ("https://example.org",), 5.0)
    (key,) = keys(cloud, BUCKET)
    packed = cloud("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {"handler.py", "page/index.html", "page/base.css"} <= set(archive.namelist())
    (integration,) = cloud("apigatewayv2").get_integrations(ApiId=api["ApiId"])["Items"]
    assert integration["IntegrationUri"] == function["FunctionArn"]
    assert (integration["PayloadFormatVersion"], integration["TimeoutInMillis"]) == ("2.0", 30_000)
    (route,) = cloud("apigatewayv2").get_routes(ApiId=api["ApiId"])["Items"]
    assert (route["RouteKey"], route["Target"]) == ("$default", f"integrations/{integration['IntegrationId']}")
    (stage,) = cloud("apigatewayv2").get_stages(ApiId=api["ApiId"])["Items"]
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert web_resources.MADE["AWS::ApiGatewayV2::Stage"]["DefaultRouteSettings"]["ThrottlingRateLimit"] == 20
    (group,) = cloud("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/relabel-web", 30)
    (permission,) = json.loads(cloud("lambda").get_policy(FunctionName="relabel-web")["Policy"])["Statement"]
    assert permission["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert api["ApiId"] in json.dumps(permission["Condition"])
    assert any("CREATE_COMPLETE".lower().replace("_", " ") in line for line in said)


def test_the_role_may_ask_this_endpoint_and_write_this_log_and_nothing_else(cloud) -> None:
    """No wildcard, no managed policy; Lambda alone takes it on."""
    up()
    policy = cloud("iam").get_role_policy(RoleName=f"relabel-web-{REGION}", PolicyName="ask-and-log")
    allowed = {
        action: one["Resource"]
        for one in document(policy["PolicyDocument"])["Statement"]
        for action in _list(one["Action"])
    }
    group = f"arn:aws:logs:{REGION}:{NUMBER}:log-group:/aws/lambda/relabel-web:*"
    assert allowed == {
        "sagemaker:InvokeEndpoint": f"arn:aws:sagemaker:{REGION}:{NUMBER}:endpoint/{ENDPOINT}",
        "logs:CreateLogStream": group,
        "logs:PutLogEvents": group,
    }
    assert cloud("iam").list_attached_role_policies(RoleName=f"relabel-web-{REGION}")["AttachedPolicies"] == []
    role = cloud("iam").get_role(RoleName=f"relabel-web-{REGION}")["Role"]
    assert document(role["AssumeRolePolicyDocument"])["Statement"][0]["Principal"] == {
        "Service": "lambda.amazonaws.com"
    }


def test_up_a_second_time_changes_nothing_and_another_wish_changes_what_it_says(cloud) -> None:
    """One stack, one function, one archive; the same address."""
    first, _ = up()
    again, said = up()
    assert (first, [line for line in said if "s3://" in line]) == (again, [])
    changed, _ = up(per_minute=7)
    variables = cloud("lambda").get_function(FunctionName="relabel-web")["Configuration"]["Environment"]["Variables"]
    assert (changed, str(variables["RELABEL_WEB_RATE"])) == (first, "7")
    assert len(keys(cloud, BUCKET)) == 1


def test_a_bucket_behind_cloudfront_serves_the_page(cloud, web_resources) -> None:
    """Private, for this distribution alone; the page asks where it came from, and the function knows that address and whom to believe."""
    address, _ = up(static=True)
    assert address == "https://d111111abcdef8.cloudfront.net/"
    assert keys(cloud, PAGE) == set(bundle.files())
    page = cloud("s3").get_object(Bucket=PAGE, Key="index.html")
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", "max-age=60")
    bucket = decode(str(bundle.TEMPLATE))[0]["Resources"]["PageBucket"]["Properties"]  # the imitation overlooks it
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    allow, deny = web_resources.MADE["AWS::S3::BucketPolicy"]["PolicyDocument"]["Statement"]
    assert (allow["Action"], allow["Principal"]) == ("s3:GetObject", {"Service": "cloudfront.amazonaws.com"})
    assert "distribution/" in allow["Condition"]["StringEquals"]["AWS:SourceArn"]
    assert deny["Effect"] == "Deny"
    config = web_resources.MADE["AWS::CloudFront::Distribution"]["DistributionConfig"]
    (behaviour,) = config["CacheBehaviors"]
    assert (behaviour["PathPattern"], behaviour["TargetOriginId"]) == ("/review", "function")
    (key,) = (one for origin in config["Origins"] for one in origin.get("OriginCustomHeaders", ()))
    variables = cloud("lambda").get_function(FunctionName="relabel-web")["Configuration"]["Environment"]["Variables"]
    settings = handler.Settings.of(variables)
    assert settings.origins == ("https://d111111abcdef8.cloudfront.net",)
    assert settings.front == key["HeaderValue"] != ""
    headers = web_resources.MADE["AWS::CloudFront::ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
    policy = headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert policy == handler.POLICY


def test_the_files_go_when_the_bucket_is_no_longer_wanted(cloud) -> None:
    """Before the stack is changed, for AWS deletes no bucket that holds something; the imitation leaves it there, empty."""
    up(static=True)
    _, said = up()
    assert f"deleted   {len(bundle.files())} files of s3://{PAGE}/" in said
    assert keys(cloud, PAGE) == set()


@pytest.mark.parametrize("static", [False, True])
def test_down_leaves_nothing(cloud, static) -> None:
    """Neither stack nor files nor archive; a second time there is nothing to do. The endpoint stays."""
    up(static=static)
    assert down()[0]
    assert cloud("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []
    assert cloud("lambda").list_functions()["Functions"] == []
    assert cloud("apigatewayv2").get_apis()["Items"] == []
    assert {one["Name"] for one in cloud("s3").list_buckets()["Buckets"]} == {BUCKET}
    assert keys(cloud, BUCKET) == set()
    assert down() == (False, [])
    assert cloud("sagemaker").describe_endpoint(EndpointName=ENDPOINT)["EndpointStatus"] == "InService"


def test_files_of_others_are_not_deleted(cloud) -> None:
    """They are named, and nothing is."""
    up(static=True)
    cloud("s3").put_object(Bucket=PAGE, Key="holiday.jpg", Body=b"x")
    with pytest.raises(UserError, match=r"holds 1 files that are not the page's, holiday\.jpg"):
        down()
    assert keys(cloud, PAGE) > set(bundle.files())


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"name": "web"}, "--name web: .* behind relabel-"),
        ({"name": "relabel-" + "x" * 40}, "24 at most"),
        ({"origins": ("example.org", "https://example.org/page")}, "(?s)2 problems:.*https://example.org/page"),
    ],
)
def test_what_cannot_be_is_said_before_aws_is_asked(wish, message) -> None:
    """With what to give."""
    with pytest.raises(UserError, match=message):
        stack.check(Wish(endpoint=ENDPOINT, **wish))


def test_an_endpoint_or_a_bucket_that_is_not_there_is_said_to_be_missing(cloud) -> None:
    """And what to do; no stack is made."""
    with pytest.raises(UserError, match=r"there is no endpoint relabel-none in eu-west-1: .*relabel aws deploy"):
        stack.up(ours(), Wish(endpoint="relabel-none"), print, print)
    cloud("s3").delete_bucket(Bucket=BUCKET)
    with pytest.raises(UserError, match=f"there is no bucket {BUCKET}: make it first"):
        up()
    assert cloud("cloudformation").list_stacks()["StackSummaries"] == []


@pytest.mark.usefixtures("cloud")
def test_the_command_prints_the_address_last() -> None:
    """And `down` what became of the stack."""
    runner = CliRunner()
    made = runner.invoke(command, ["up", "--endpoint", ENDPOINT])
    assert made.exit_code == 0, made.output
    assert re.fullmatch(rf"page +https://\w+\.execute-api\.{REGION}\.amazonaws\.com/", made.output.splitlines()[-1])
    assert runner.invoke(command, ["down"]).output.splitlines()[-1] == "relabel-web is deleted"
    assert runner.invoke(command, ["down"]).output == "there is no stack relabel-web\n"


def document(found: Any) -> dict[str, Any]:
    """Read a policy, which the imitation writes as Python does."""
    return ast.literal_eval(found) if isinstance(found, str) else found


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("do", [lambda: up(name="relabel-github"), lambda: down("relabel-github")], ids=["up", "down"])
def test_a_stack_that_is_no_page_is_left_as_it_is(cloud, do) -> None:
    """Other stacks are called relabel-… too: that of the role which pushes the image."""
    template = {"Resources": {"Role": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "theirs"}}}}
    cloud("cloudformation").create_stack(StackName="relabel-github", TemplateBody=json.dumps(template))
    with pytest.raises(UserError, match="is none of a page"):
        do()
    assert cloud("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "theirs"
