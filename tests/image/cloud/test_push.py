"""Promises of the push: a real registry, the real AWS command line, a stand-in for AWS itself."""

from __future__ import annotations

import json
import shutil

import pytest
from moto.core import enable_iam_authentication

pytestmark = pytest.mark.image

DOCKER_V2 = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"


def test_an_image_is_pushed_found_by_its_digest_and_pushed_again(cloud, image, registry, mirror) -> None:
    """The repository is made with scanning; both tags are one image; what is pulled by the digest runs; a second push changes nothing."""
    first = cloud.push("--", *mirror)
    assert first.returncode == 0, first.stdout[-2000:] + first.stderr
    (made,) = cloud.client("ecr").describe_repositories()["repositories"]
    assert (made["repositoryName"], made["imageScanningConfiguration"]) == ("relabel", {"scanOnPush": True})

    address = first.stdout.splitlines()[-1]
    tags = json.loads(registry.asked("relabel/tags/list")[0])["tags"]
    digests = {registry.asked(f"relabel/manifests/{tag}", Accept=DOCKER_V2)[1]["docker-content-digest"] for tag in tags}
    assert len(tags) == 2
    assert [f"{registry.address}/relabel@{digest}" for digest in digests] == [address]

    pulled = image.call("pull", address)
    assert pulled.code == 0, pulled.log
    assert image.call("run", "--rm", address, "relabel", "--version").code == 0

    second = cloud.push("--", *mirror)
    assert (second.returncode, second.stdout.splitlines()[-1]) == (0, address)
    assert len(cloud.client("ecr").describe_repositories()["repositories"]) == 1
    assert cloud.push("--verify").stdout.splitlines()[-1] == address
    image.call("rmi", "--force", *(f"{registry.address}/relabel:{tag}" for tag in tags))


def test_an_oci_manifest_in_the_registry_is_refused(cloud, registry) -> None:
    """Hosting would refuse it later and say less."""
    _, headers = registry.asked("oci/blobs/uploads/", "POST", b"")
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    glue = "&" if "?" in headers["location"] else "?"
    registry.asked(f"{headers['location']}{glue}digest={digest}", "PUT", b"{}", Content_Type="application/octet-stream")
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 2, "digest": digest}
    manifest = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": []}
    registry.asked("oci/manifests/1", "PUT", json.dumps(manifest).encode(), Content_Type=OCI)
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
