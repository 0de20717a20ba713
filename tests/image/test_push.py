"""Promises of the push: a real registry, the real AWS command line, a stand-in for AWS itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from moto.core import enable_iam_authentication
from moto.server import ThreadedMotoServer

pytestmark = pytest.mark.image

SCRIPT = Path(__file__).parents[2] / "build_and_push.sh"
REGION = "eu-west-1"
DOCKER_V2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def asked(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[bytes, dict[str, str]]:
    """Ask a server on this machine; the answer's body and headers in lower case."""
    request = urllib.request.Request(url, body, {k.replace("_", "-"): v for k, v in headers.items()}, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.read(), {name.lower(): text for name, text in answer.headers.items()}


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Iterator[str]:
    """Debian's registry, empty, on loopback: `host:port`."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("there is no docker-registry: install it (Debian has it under this name)")
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    process = subprocess.Popen(
        [program, "serve", folder / "config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                asked(f"http://127.0.0.1:{port}/v2/")
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True)
class Cloud:
    """AWS as far as the script needs it; `environment` is a user's."""

    url: str
    environment: dict[str, str]

    def client(self, service: str) -> object:
        """Look at it beside the script."""
        return boto3.client(service, REGION, endpoint_url=self.url, aws_access_key_id="a", aws_secret_access_key="b")  # noqa: S106

    def push(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        environment = {**self.environment, **variables}
        return subprocess.run(
            [SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@pytest.fixture
def cloud(engine, registry, tmp_path) -> Iterator[Cloud]:
    """AWS's answers, with no permissions checked, and a user whose registry is the one on loopback."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    asked(f"{url}/moto-api/reset", "POST", b"")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environment = kept | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "DOCKER": engine.client,
        "DOCKER_CONFIG": str(tmp_path),
        "RELABEL_REGISTRY": registry,
        "AWS_ENDPOINT_URL": url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": REGION,
    }
    try:
        yield Cloud(url, environment)
    finally:
        server.stop()


def mirror() -> list[str]:
    """What a build needs where neither registry of the outside is reached."""
    wheels = os.environ.get("PIP_FIND_LINKS_URL")
    return ["--", "--network", "host", "--build-arg", f"PIP_FIND_LINKS={wheels}"] if wheels else []


def test_an_image_is_pushed_found_by_its_digest_and_pushed_again(cloud, image, registry) -> None:
    """The repository is made with scanning; both tags are one image; what is pulled by the digest runs; a second push changes nothing."""
    first = cloud.push(*mirror())
    assert first.returncode == 0, first.stdout[-2000:] + first.stderr
    (made,) = cloud.client("ecr").describe_repositories()["repositories"]
    assert (made["repositoryName"], made["imageScanningConfiguration"]) == ("relabel", {"scanOnPush": True})

    address = first.stdout.splitlines()[-1]
    tags = json.loads(asked(f"http://{registry}/v2/relabel/tags/list")[0])["tags"]
    digests = {
        asked(f"http://{registry}/v2/relabel/manifests/{tag}", Accept=DOCKER_V2)[1]["docker-content-digest"]
        for tag in tags
    }
    assert len(tags) == 2
    assert [f"{registry}/relabel@{digest}" for digest in digests] == [address]

    pulled = image.call("pull", address)
    assert pulled.code == 0, pulled.log
    assert image.call("run", "--rm", address, "relabel", "--version").code == 0

    second = cloud.push(*mirror())
    assert (second.returncode, second.stdout.splitlines()[-1]) == (0, address)
    assert len(cloud.client("ecr").describe_repositories()["repositories"]) == 1
    assert cloud.push("--verify").stdout.splitlines()[-1] == address
    image.call("rmi", "--force", *(f"{registry}/relabel:{tag}" for tag in tags))


def test_an_oci_manifest_in_the_registry_is_refused(cloud, registry) -> None:
    """Hosting would refuse it later and say less."""
    _, headers = asked(f"http://{registry}/v2/oci/blobs/uploads/", "POST", b"")
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    glue = "&" if "?" in headers["location"] else "?"
    asked(f"{headers['location']}{glue}digest={digest}", "PUT", b"{}", Content_Type="application/octet-stream")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": digest}
    manifest = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": []}
    asked(f"http://{registry}/v2/oci/manifests/1", "PUT", json.dumps(manifest).encode(), Content_Type=OCI)
    ended = cloud.push("--verify", "--repository", "oci", "--tag", "1")
    assert ended.returncode == 1
    assert f"its manifest is {OCI}" in ended.stderr
    assert "--provenance=false" in ended.stderr


def test_an_image_that_is_not_there_is_not_verified(cloud) -> None:
    """And it is said."""
    ended = cloud.push("--verify", "--tag", "never")
    assert ended.returncode == 1
    assert "relabel:never is not in the registry" in ended.stderr


def test_no_engine_is_said(cloud) -> None:
    """Before anything is made."""
    ended = cloud.push(DOCKER="/no/such/docker")
    assert (ended.returncode, "no Docker engine answers" in ended.stderr) == (1, True)


def test_no_aws_command_is_said(cloud, tmp_path) -> None:
    """With what to do."""
    for name in ("bash", "dirname", "mktemp", "rm", "sed", "git"):
        (tmp_path / name).symlink_to(shutil.which(name))
    ended = cloud.push(PATH=str(tmp_path))
    assert (ended.returncode, "install the AWS CLI" in ended.stderr) == (1, True)


def test_no_credentials_and_wrong_ones_are_said(cloud) -> None:
    """One way to get them is named; the keys are not."""
    nobody = cloud.push("--verify", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (nobody.returncode, "aws configure" in nobody.stderr) == (1, True)
    with enable_iam_authentication():
        stranger = cloud.push("--verify", AWS_ACCESS_KEY_ID="AKIASTRANGER", AWS_SECRET_ACCESS_KEY="hush-hush")  # noqa: S106
    assert (stranger.returncode, "no valid AWS credentials" in stranger.stderr) == (1, True)
    assert "hush-hush" not in stranger.stderr + stranger.stdout


def test_a_missing_permission_is_named(cloud) -> None:
    """By what IAM calls it."""
    iam = cloud.client("iam")
    iam.create_user(UserName="intern")
    key = iam.create_access_key(UserName="intern")["AccessKey"]
    with enable_iam_authentication():
        ended = cloud.push(
            "--verify", AWS_ACCESS_KEY_ID=key["AccessKeyId"], AWS_SECRET_ACCESS_KEY=key["SecretAccessKey"]
        )
    assert ended.returncode == 1
    assert "allow ecr:GetAuthorizationToken" in ended.stderr
