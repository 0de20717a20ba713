"""Promises of what is said where AWS, or this machine's settings for it, refuse."""

from __future__ import annotations

import pytest
from botocore import exceptions as failures

from relabel.aws import refusals
from relabel.aws.refusals import explained
from relabel.errors import PlatformError, UserError


def refusal(operation: str, code: str, status: int, message: str = "") -> failures.ClientError:
    """Make what boto3 raises."""
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return failures.ClientError(said, operation)


def test_an_object_that_may_not_be_looked_at_names_the_permission() -> None:
    """S3 says nothing but 403 to a HEAD, and its operations are not called as their actions."""
    said = refusals.of(refusal("HeadObject", "403", 403, "Forbidden"))
    assert isinstance(said, UserError)
    assert "no permission for HeadObject: allow s3:GetObject and s3:ListBucket" in str(said)


def test_a_bucket_that_is_not_there_is_named_with_what_to_do() -> None:
    """The bucket that every command begins with may not be made yet."""
    error = refusal("ListObjectsV2", "NoSuchBucket", 404)
    error.response["Error"]["BucketName"] = "relabel-1-eu-west-1"
    assert "no bucket relabel-1-eu-west-1: make it" in str(refusals.of(error))


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 400), ("ModelNotReadyException", 429), ("InternalDependencyException", 530)],
)
def test_what_another_try_mends_is_the_platforms(code, status) -> None:
    """Throttling, a model that is not loaded yet, a fault of AWS."""
    assert isinstance(refusals.of(refusal("InvokeEndpoint", code, status)), PlatformError)


@pytest.mark.parametrize(
    "failure",
    [
        failures.UnauthorizedSSOTokenError(),
        failures.SSOTokenLoadError(error_msg="expired"),
        failures.CredentialRetrievalError(provider="custom-process", error_msg="exit 1"),
        failures.InvalidRegionError(region_name="eu west"),
        failures.ProfileNotFound(profile="nobody"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_settings_that_do_not_fit_are_the_users(failure) -> None:
    """A sign-in that has run out, a helper that fails, a region that is none: no fault of relabel."""
    with pytest.raises(UserError), explained():
        raise failure
