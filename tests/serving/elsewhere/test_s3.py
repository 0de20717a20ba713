"""Promises of models in S3, as moto has it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from moto.core import enable_iam_authentication

from relabel.errors import PlatformError, UserError
from relabel.model import artifact


def test_an_archive_is_downloaded_once_until_it_changes(fetch, s3, packed) -> None:
    """As SageMaker leaves it."""
    s3.upload_file(str(packed.path), "models", "out/model.tar.gz")
    first = fetch("s3://models/out/model.tar.gz")
    changed = (first / artifact.DESCRIPTION).stat().st_ctime_ns
    assert fetch("s3://models/out/model.tar.gz") == first
    assert (first / artifact.DESCRIPTION).stat().st_ctime_ns == changed
    s3.put_object(Bucket="models", Key="out/model.tar.gz", Body=packed.path.read_bytes() + bytes(512))
    assert fetch("s3://models/out/model.tar.gz") != first


@pytest.mark.parametrize("uri", ["s3://models/a/reviews/", "s3://models/a/reviews", "s3://models/"])
def test_a_prefix_is_a_folder(fetch, s3, model_folder, uri) -> None:
    """With or without the last slash, or what lies around it; a model that is in the cache costs its description."""
    for name in artifact.FILES:
        s3.upload_file(str(model_folder / name), "models", f"a/reviews/{name}")
    s3.put_object(Bucket="models", Key="a/reviews-of-old/deeper/model.json", Body=b"another one")
    first = fetch(uri)
    assert artifact.load(first).tensors_sha256 == artifact.load(model_folder).tensors_sha256
    s3.delete_object(Bucket="models", Key=f"a/reviews/{artifact.TENSORS}")
    assert fetch(uri) == first


def test_a_prefix_with_an_archive_is_that(fetch, s3, packed) -> None:
    """The output folder of a training job, for example."""
    s3.upload_file(str(packed.path), "models", "out/job/output/model.tar.gz")
    assert fetch("s3://models/out/job/").name == packed.sha256


@pytest.mark.parametrize(
    "uri", ["s3://models/none.tar.gz", "s3://models/none/", "s3://nobodys/a.tar.gz", "s3://B_A_D/a.tar.gz"]
)
def test_nothing_there_is_the_user_s_to_mend(fetch, s3, uri) -> None:  # noqa: ARG001  # it is there
    """No object, an empty prefix, no bucket, or no name of one."""
    with pytest.raises(UserError, match=uri.split("//")[1].split(".")[0]):
        fetch(uri)


def test_credentials_that_are_missing_or_not_enough_are_said_without_them(fetch, s3, packed, monkeypatch) -> None:
    """As the user's to mend."""
    s3.upload_file(str(packed.path), "models", "model.tar.gz")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASTRANGER")
    with enable_iam_authentication(), pytest.raises(UserError, match="status 403") as refused:
        fetch("s3://models/model.tar.gz")
    assert "hush-hush" not in str(refused.value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UserError, match="credentials"):
        fetch("s3://models/model.tar.gz")


@pytest.mark.usefixtures("impatient")
def test_a_service_that_does_not_answer_is_the_platform_s_fault(fetch, s3, monkeypatch) -> None:  # noqa: ARG001  # its variables
    """After four tries."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(PlatformError, match=r"s3://models/m\.tar: EndpointConnectionError, 4 times"):
        fetch("s3://models/m.tar")


@pytest.mark.parametrize(("name", "text"), [("AWS_ENDPOINT_URL", "nowhere"), ("AWS_PROFILE", "nobody")])
def test_settings_of_aws_that_cannot_be_are_said(fetch, s3, monkeypatch, name, text) -> None:  # noqa: ARG001  # its variables
    """As the user's to mend."""
    monkeypatch.setenv(name, text)
    with pytest.raises(UserError, match="AWS's settings on this machine do not fit"):
        fetch("s3://models/m.tar")


def test_an_endpoint_that_asks_for_no_s3_does_not_load_boto3(packed, tmp_path) -> None:
    """It would cost each start .15 s and 24 MB."""
    program = f"""
import sys
from relabel.cli import serve
from relabel.container import environment
from relabel.model import source
from relabel.serving import server
source.fetch({str(packed.path)!r}, environment.read({{"RELABEL_CACHE": {str(tmp_path / "cache")!r}}}))
print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "relabel" in loaded
    assert {"boto3", "botocore", "urllib3", "mlflow"}.isdisjoint(loaded)
