"""AWS as moto imitates it, on loopback: one server for all tests, empty at the beginning of each."""

from __future__ import annotations

import functools
import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import botocore.loaders
import botocore.session
import pytest
from moto.server import ThreadedMotoServer

from relabel import __version__
from relabel.aws import account as accounts
from relabel.aws.account import Account
from relabel.cli.main import main

REGION = "eu-west-1"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def push_image() -> Callable[[Any], None]:
    """Let the image of this version lie in ECR, whose client is given."""

    def push(ecr: Any) -> None:
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {"digest": "sha256:0"}, "layers": []}
        ecr.create_repository(repositoryName="relabel")
        tag = f"{__version__}-cpu"
        ecr.put_image(repositoryName="relabel", imageManifest=json.dumps(manifest), imageTag=tag)

    return push


@pytest.fixture(scope="session", autouse=True)
def descriptions() -> Iterator[None]:
    """Let all sessions of boto3 share the descriptions of services, of which each would parse megabytes again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.loaders.create_loader))
        yield


@pytest.fixture(scope="session")
def imitation() -> Iterator[str]:
    """Address of moto's server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def nothing(imitation, monkeypatch, tmp_path) -> str:
    """An account in which there is nothing, and which every AWS tool that this test starts finds; the name of its region."""
    urllib.request.urlopen(f"{imitation}/moto-api/reset", data=b"").close()  # noqa: S310  # loopback
    for name, value in {
        "AWS_ENDPOINT_URL": imitation,
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anybody",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    return REGION


@pytest.fixture
def aws(nothing, monkeypatch) -> Account:
    """An account with its bucket and somebody who may do everything."""
    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    iam = accounts.find().client("iam")
    iam.create_user(UserName="root")
    iam.put_user_policy(UserName="root", PolicyName="all", PolicyDocument=json.dumps(everything))
    keys = iam.create_access_key(UserName="root")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    made = accounts.find()
    made.client("s3").create_bucket(Bucket=made.bucket, CreateBucketConfiguration={"LocationConstraint": nothing})
    return made


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def relabel(capfd) -> Callable[..., Ended]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run
