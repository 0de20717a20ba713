"""Promises of docs/web.md: its commands run as written; those on AWS against an imitation of AWS on this machine."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore.session
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from relabel.data import planted
from relabel.web import handler

PAGE = (Path(__file__).parents[1] / "docs" / "web.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
REGION = "eu-west-1"
QUICK = ("--report", "off", "--data-issues", "off", "--outlook", "off", "--seeds", "2", "--folds", "2")
"""What the job leaves out, for time."""
NO_OPERATIONS = {
    *("iam:PassRole", "s3:ListBucket", "s3:PutBucketPublicAccessBlock", "s3:PutEncryptionConfiguration"),
    *(f"apigateway:{method}" for method in ("DELETE", "GET", "PATCH", "POST", "PUT")),
}
"""Actions that are not named after an operation of their service."""


@pytest.fixture
def environment(tmp_path, web_resources) -> Iterator[dict[str, str]]:
    """A folder with reviews, `relabel` on the PATH, and an account with a bucket and an endpoint."""
    assert web_resources.MADE is not None
    for name, rows in (("train", 300), ("test", 100)):
        planted.write(tmp_path / "reviews", name, planted.reviews(rows, width=1, noise=np.eye(2), seed=rows))
        (tmp_path / "reviews" / f"{name}.npy").unlink()
    program = tmp_path / "bin" / "relabel"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n[ "$1" != train ] || set -- "$@" {" ".join(QUICK)}\nexec {sys.executable} -m relabel "$@"\n'
    )
    program.chmod(0o755)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "anybody")
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(tmp_path / "none"))
    prepare(url)
    plain = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    yield {
        **plain,
        **keys,
        **files,
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "OMP_NUM_THREADS": "1",
        "PATH": f"{program.parent}:{os.environ['PATH']}",
    }
    server.stop()


def prepare(url: str) -> None:
    """Make the bucket and the endpoint that the page takes to be there."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "endpoint_url": url, "region_name": REGION}
    boto3.client("s3", **keys).create_bucket(
        Bucket=f"relabel-123456789012-{REGION}", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    sagemaker, name = boto3.client("sagemaker", **keys), "relabel-reviews"
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn="arn:aws:iam::123456789012:role/x", PrimaryContainer={"Image": "x"}
    )
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def opened(block: str, folder: Path, environment: dict[str, str]) -> int:
    """Run a block that serves the page, on any port; ask for the page, end it, and give its exit code."""
    command = f"exec {block.strip()} --port 0"
    with subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert select.select([server.stdout], [], [], 60)[0]
        said = server.stdout.readline()
        assert said, server.communicate()[1]
        address = said.split()[1]
        with urllib.request.urlopen(address, timeout=20) as page:  # noqa: S310
            assert b"<h1>" in page.read()
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=40)
        return server.returncode


def test_commands_run_as_written(environment, tmp_path) -> None:
    """From texts to a model to its page; then the stack: made, changed, with a bucket, deleted."""
    said = {}
    for language, block in BLOCKS:
        if language != "sh":
            continue
        if block.startswith("relabel web"):
            assert opened(block, tmp_path, environment) == 0, block
            continue
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, block + done.stdout + done.stderr
        said[block.strip()] = done.stdout
    assert "execute-api" in said["relabel aws stack up --endpoint relabel-reviews"]
    assert "cloudfront.net" in said["relabel aws stack up --endpoint relabel-reviews --static"]
    assert said["relabel aws stack down"].endswith("relabel-web is deleted\n")


def test_every_action_is_real_and_none_has_a_wildcard() -> None:
    """Names of actions are names of the services' operations."""
    (policy,) = (json.loads(block) for language, block in BLOCKS if language == "json")
    session = botocore.session.get_session()
    for statement in policy["Statement"]:
        for action in sorted({*statement["Action"]} - NO_OPERATIONS):
            service, _, operation = action.partition(":")
            assert operation in session.get_service_model(service).operation_names, action


def test_buckets_are_the_pages_alone() -> None:
    """Whoever brings the page up can do nothing to another bucket."""
    (policy,) = (json.loads(block) for language, block in BLOCKS if language == "json")
    about = [each["Resource"] for each in policy["Statement"] if "s3:" in str(each["Action"])]
    assert about == ["arn:aws:s3:::relabel-web-page-*"]


def test_every_code_of_a_refusal_is_told() -> None:
    """What the handler says, the page's table has."""
    source = Path(handler.__file__).read_text()
    codes = {*re.findall(r"\((?:\d{3}|status), \"(\w+)\"", source)}
    assert {"too_long", "too_often", "waking", "model_refused"} <= codes
    assert codes <= {*re.findall(r"`(\w+)`", PAGE)}
    assert f"{handler.LONGEST:,} characters" in PAGE
    assert f"{handler.PATIENCE} seconds" in PAGE
