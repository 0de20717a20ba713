"""What AWS says when it does not do what it is asked, in terms of who can mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as failures

from relabel.errors import PlatformError, RelabelError, UserError

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
ACTIONS = {
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
}
"""Operations that are not called as their actions; S3 names none where it answers a HEAD."""
STALE = {
    *("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"),
    *("SignatureDoesNotMatch", "InvalidAccessKeyId", "RequestExpired"),
}
LIMITS = {"ResourceLimitExceeded", "ServiceQuotaExceededException"}
BUSY = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
SETTINGS = (failures.ProfileNotFound, failures.ConfigParseError, failures.ConfigNotFound, failures.InvalidConfigError)
SIGN_IN = "run 'aws configure' or 'aws sso login', or set AWS_PROFILE"
ACTION = re.compile(r"perform:? ([\w-]+:\w+)(?: on resource:? (\S+))?")
TOO_MANY, SERVERS_FAULT = 429, 500
"""An endpoint whose model is not loaded yet answers the first, too."""


@contextmanager
def explained() -> Iterator[None]:
    """Say what AWS refuses as a UserError or a PlatformError; other failures pass."""
    try:
        yield
    except failures.ClientError as error:
        raise of(error) from error
    except (failures.NoCredentialsError, failures.PartialCredentialsError, failures.TokenRetrievalError) as error:
        raise UserError(f"no AWS credentials: {error}: {SIGN_IN}") from error
    except (failures.SSOError, failures.CredentialRetrievalError, failures.MetadataRetrievalError) as error:
        raise UserError(f"AWS credentials cannot be had: {error}: {SIGN_IN}") from error
    except (*SETTINGS, failures.NoRegionError, failures.InvalidRegionError) as error:
        raise UserError(f"AWS's settings on this machine do not fit: {error}") from error
    except failures.ParamValidationError as error:
        raise UserError(str(error)) from error
    except (failures.ConnectionError, failures.HTTPClientError) as error:
        raise PlatformError(
            f"AWS cannot be reached from here: {error}. Try again, or look at AWS_ENDPOINT_URL and proxies"
        ) from error


def of(error: failures.ClientError) -> RelabelError:
    """Explain one refusal."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    asked = error.operation_name
    if code in DENIED or "not authorized to perform" in message:
        named = ACTION.search(message)
        action = (
            f"allow {named[1]}" + (f" on {named[2]}" if named[2] else "")
            if named
            else f"allow {ACTIONS.get(asked, asked)}"
        )
        return UserError(
            f"no permission for {asked}: {action} to this identity (docs/on_sagemaker.md has the smallest policies). {message}"
        )
    if code in STALE:
        return UserError(f"AWS does not take these credentials ({code}): {SIGN_IN}")
    if code in LIMITS:
        return UserError(f"{message} Ask for more under Service Quotas, or take another instance type.")
    if code == "NoSuchBucket":
        bucket = str(told.get("BucketName", ""))
        return UserError(
            f"no bucket {bucket}: make it as docs/on_sagemaker.md says (aws s3 mb s3://{bucket}), or name another"
        )
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in BUSY or status == TOO_MANY or status >= SERVERS_FAULT:
        return PlatformError(
            f"AWS could not do {asked} now ({code}): {message} Run the command again: it goes on where it was."
        )
    return UserError(f"{asked}: {code}: {message}")


def is_missing(error: failures.ClientError) -> bool:
    """Whether AWS says that there is no such thing. SageMaker says so in the words of a validation."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", "")).lower()
    if code in {
        "ResourceNotFound",
        "ResourceNotFoundException",
        "NoSuchKey",
        "NoSuchBucket",
        "404",
        "NotFound",
        "NoSuchEntity",
    }:
        return True
    return code == "ValidationException" and any(
        said in message for said in ("could not find", "does not exist", "not found")
    )
