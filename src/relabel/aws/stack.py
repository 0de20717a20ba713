"""The web stack on AWS: the page, the function behind it and all that belongs to them, as one stack of CloudFormation.

`up` and `down` may be broken off and started again at any time: each looks at what is there, and goes on from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from relabel.aws.account import Account
from relabel.aws.formation import NEVER_MADE, REVIEWED, Formation, Stack
from relabel.aws.refusals import explained, is_missing
from relabel.errors import UserError
from relabel.web import bundle, handler

NAME = re.compile(r"relabel-[a-z0-9](-?[a-z0-9])*")
LONGEST = 24
"""Characters of a name: the page's bucket has the account and the region behind it, and 63 in all."""
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|\*", re.IGNORECASE)
FRESH = "max-age=60"
"""How long CloudFront may serve a file without asking the bucket: an update of the page is seen a minute later."""

Say = Callable[[str], None]
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What stack is wanted.

    endpoint: name of the SageMaker endpoint. origins: pages of other sites that may ask. static: whether a bucket behind CloudFront serves
    the page. per_minute: texts from one client address.
    """

    endpoint: str
    name: str = "relabel-web"
    origins: tuple[str, ...] = ()
    static: bool = False
    per_minute: int = 30


def up(account: Account, wish: Wish, say: Say, sleep: Sleep) -> str:
    """Make the stack, or change it to what is wished; give the page's address.

    say: takes a line for each thing that happens. sleep: waits some seconds.

    Raises UserError where the wish cannot be, or AWS says why it failed; PlatformError where it does not end.
    """
    check(wish)
    formation = Formation(account.client("cloudformation"), say, sleep)
    with explained():
        arn = _endpoint(account, wish.endpoint)
        stack = _ours(formation.settled(wish.name))
        key = _code(account, say)
        if stack is not None and stack["StackStatus"] in NEVER_MADE:
            say(f"{wish.name} was never made whole ({stack['StackStatus']}): it is deleted first")
            _emptied(account, formation, stack)
            formation.delete(stack)
            stack = None
        if stack is not None and not wish.static:
            _emptied(account, formation, stack)
        template = bundle.TEMPLATE.read_text(encoding="utf-8")
        stack = formation.put(wish.name, template, _parameters(account, wish, arn, key), stack)
        if wish.static:
            _uploaded(account, stack, say)
    return _outputs(stack)["Url"]


def down(account: Account, name: str, say: Say, sleep: Sleep) -> bool:
    """Delete the stack, the page's files and the function's archive; False where there was none.

    Raises UserError where something of the stack cannot be deleted, and says why.
    """
    _check_name(name)
    formation = Formation(account.client("cloudformation"), say, sleep)
    with explained():
        stack = _ours(formation.settled(name))
        if stack is None:
            return False
        _emptied(account, formation, stack)
        formation.delete(stack)
        given = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", ())}
        if given.get("CodeKey"):
            account.client("s3").delete_object(Bucket=given["CodeBucket"], Key=given["CodeKey"])
    return True


def check(wish: Wish) -> None:
    """Refuse what cannot be before anything is asked of AWS."""
    _check_name(wish.name)
    bad = [origin for origin in wish.origins if not ORIGIN.fullmatch(origin)]
    if bad:
        raise UserError(
            *(f"--origin {origin}: give scheme and name alone, like https://example.org, or *" for origin in bad)
        )


def _ours(stack: Stack | None) -> Stack | None:
    """Give a stack that this made, or None. Raises UserError for another one: it may hold anything, a role that pushes the image too."""
    if stack is None or stack["StackStatus"] == REVIEWED:  # which has made nothing
        return stack
    given = {one["ParameterKey"] for one in stack.get("Parameters", ())}
    if not given >= {"EndpointArn", "CodeKey"}:
        raise UserError(f"the stack {stack['StackName']} is none of a page: it is left as it is; give another --name")
    return stack


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        raise UserError(
            f"--name {name}: take small letters, digits and hyphens behind relabel-, {LONGEST} at most, like relabel-web"
        )


def _endpoint(account: Account, name: str) -> str:
    """Give an endpoint's ARN."""
    try:
        return str(account.client("sagemaker").describe_endpoint(EndpointName=name)["EndpointArn"])
    except ClientError as error:
        if not is_missing(error):
            raise
        raise UserError(
            f"there is no endpoint {name} in {account.region}: make one with 'relabel aws deploy', or look at --region"
        ) from None


def _code(account: Account, say: Say) -> str:
    """Put the function's archive into the bucket, unless it is there; give its key."""
    store, packed = account.client("s3"), bundle.zipped()
    key = bundle.key(packed)
    try:
        store.head_object(Bucket=account.bucket, Key=key)
    except ClientError as error:
        if not is_missing(error):
            raise
        try:
            store.put_object(Bucket=account.bucket, Key=key, Body=packed, ContentType="application/zip")
        except store.exceptions.NoSuchBucket:
            raise UserError(
                f"there is no bucket {account.bucket}: make it first, as docs/on_sagemaker.md says"
            ) from None
        say(f"function  s3://{account.bucket}/{key}")
    return key


def _parameters(account: Account, wish: Wish, arn: str, key: str) -> dict[str, str]:
    return {
        "EndpointName": wish.endpoint,
        "EndpointArn": arn,
        "CodeBucket": account.bucket,
        "CodeKey": key,
        "AllowedOrigins": ",".join(wish.origins),
        "TextsPerMinute": str(wish.per_minute),
        "StaticHosting": "true" if wish.static else "false",
    }


def _outputs(stack: Stack) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def _uploaded(account: Account, stack: Stack, say: Say) -> None:
    """Put the page's files into its bucket."""
    bucket, store = _outputs(stack)["Page"], account.client("s3")
    for name, text in bundle.files().items():
        kind = f"{handler.KINDS[name[name.rindex('.') :]]}; charset=utf-8"
        store.put_object(Bucket=bucket, Key=name, Body=text.encode(), ContentType=kind, CacheControl=FRESH)
    say(f"page      s3://{bucket}/")


def _emptied(account: Account, formation: Formation, stack: Stack) -> None:
    """Delete the page's files from its bucket, for AWS deletes no bucket that holds something.

    Raises UserError where others have put files there.
    """
    bucket = formation.physical(stack, "PageBucket")
    if not bucket:
        return
    store = account.client("s3")
    held = list(_keys(store, bucket))
    others = [key for key in held if key not in bundle.files()]
    if others:
        raise UserError(
            f"s3://{bucket} holds {len(others):,} files that are not the page's, {others[0]} among them: move them, and run the command again"
        )
    for key in held:
        store.delete_object(Bucket=bucket, Key=key)
    if held:
        formation.say(f"deleted   {len(held):,} files of s3://{bucket}/")


def _keys(store: Any, bucket: str) -> Iterable[str]:
    try:
        for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (one["Key"] for one in page.get("Contents", ()))
    except ClientError as error:
        if not is_missing(error):
            raise
