"""Files to S3 and back: what is there already is not moved again, so that a command that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from boto3.s3.transfer import TransferConfig, create_transfer_manager
from botocore.exceptions import ClientError

from relabel import files
from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing
from relabel.errors import UserError

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
DIGEST = "relabel-sha256"
"""Metadata of an object that this wrote: the hash of its content. Objects of others have an ETag, which is mostly their MD5."""
PARTS = TransferConfig(max_concurrency=8)
"""Files, and parts of large ones, on their way at once."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a bucket: an object, or with a `/` at its end (or nothing) all that lies below."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        """Whether it names a prefix and no object."""
        return not self.key or self.key.endswith("/")

    def below(self, name: str) -> Address:
        """Give the place of a name below this one."""
        return Address(self.bucket, f"{self.key.rstrip('/')}/{name}" if self.key else name)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: where, its size in bytes, its ETag."""

    at: Address
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What was to be moved.

    names:  paths below the place named, with `/`, sorted; of one file its own name.
    copied: how many of them were moved, the others were there already.
    bytes:  size of what was moved.
    """

    names: tuple[str, ...]
    copied: int
    bytes: int


Told = Callable[[str, int], None]
"""Is told of each file that was moved: its name and its size."""


def parse(text: str) -> Address:
    """Read `s3://BUCKET/KEY`.

    >>> parse("s3://relabel-123456789012-eu-west-1/out/reviews/")
    Address(bucket='relabel-123456789012-eu-west-1', key='out/reviews/')

    Raises UserError where it is no such address.
    """
    scheme, mark, rest = text.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() != "s3" or not mark:
        raise UserError(f"{text}: no address in S3: give s3://BUCKET/KEY")
    if not BUCKET.fullmatch(bucket):
        raise UserError(
            f"{text}: {bucket or 'nothing'} is no name of a bucket (3 to 63 of a-z, 0-9, '.' and '-'): give s3://BUCKET/KEY"
        )
    if "//" in f"/{key}" or {".", ".."} & {*key.split("/")}:
        raise UserError(f"{text}: a part of the key is empty, '.' or '..': S3 has no such folders: leave it out")
    return Address(bucket, key)


def listing(account: Account, uri: str) -> Iterator[Stored]:
    """List the objects whose key begins with an address's, in the order of their keys; markers of folders are passed over."""
    at, client = parse(uri), account.client("s3")
    with explained():
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=at.bucket, Prefix=at.key):
            for each in page.get("Contents", ()):
                if not each["Key"].endswith("/"):
                    yield Stored(Address(at.bucket, each["Key"]), int(each["Size"]), each["ETag"].strip('"'))


def described(account: Account, uri: str) -> Stored | None:
    """Look at one object; None where there is none."""
    at = parse(uri)
    head = _head(account.client("s3"), at)
    return None if head is None else Stored(at, int(head["ContentLength"]), head["ETag"].strip('"'))


def read(account: Account, uri: str) -> bytes:
    """Give the content of one object. Raises UserError where there is none."""
    at = parse(uri)
    with explained():
        try:
            with account.client("s3").get_object(Bucket=at.bucket, Key=at.key)["Body"] as body:
                return bytes(body.read())
        except ClientError as error:
            if is_missing(error):
                raise UserError(f"{at}: there is no such object, or it may not be seen") from None
            raise


def write(account: Account, uri: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
    """Make one object of bytes."""
    at = parse(uri)
    with explained():
        account.client("s3").put_object(
            Bucket=at.bucket,
            Key=at.key,
            Body=content,
            ContentType=content_type,
            Metadata={DIGEST: hashlib.sha256(content).hexdigest()},
        )


def download(
    account: Account, uri: str, folder: Path, *, unless_there: bool = True, told: Told = lambda _name, _size: None
) -> Moved:
    """Fetch an object, or all below a prefix, into a folder; every file is whole or not there.

    unless_there: leave a file that has the size and the checksum of its object; where no checksum can be had, it is fetched again.

    Raises UserError where nothing lies there, or a key would leave the folder.
    """
    at, client = parse(uri), account.client("s3")
    base = at.key if at.is_folder else at.key[: at.key.rfind("/") + 1]
    found = {}
    for each in listing(account, uri):
        if at.is_folder or each.at.key == at.key:
            found[_name(each.at.key, base)] = each
    if not found:
        hint = "" if at.is_folder else f" (of a folder give {at}/)"
        raise UserError(f"{at}: nothing lies there{hint}")

    todo = {name: each for name, each in found.items() if not (unless_there and _is_same(folder / name, each, client))}
    with explained(), create_transfer_manager(client, PARTS) as manager:
        # Each is written beside its place and renamed into it.
        waiting = {
            name: manager.download(each.at.bucket, each.at.key, str(_made(folder / name)))
            for name, each in todo.items()
        }
        for name, future in waiting.items():
            future.result()
            told(name, todo[name].size)
    return Moved(tuple(sorted(found)), len(todo), sum(each.size for each in todo.values()))


def upload(
    account: Account, path: Path, uri: str, *, kms_key: str = "", told: Told = lambda _name, _size: None
) -> Moved:
    """Put a file to an address (below it, where that ends with `/`), or all files of a folder, but hidden ones, below an address.

    An object of the same size and checksum is left as it is. A file goes in parts where it is large; parts of one that was stopped are
    given up, the files before it stay.

    Raises UserError where there is no such file, or nothing in the folder.
    """
    at, client, found = parse(uri), account.client("s3"), sources(path)
    if not found:
        raise UserError(f"{path}: {'no file in this folder' if path.is_dir() else 'no such file or folder'}")
    targets = {name: at.below(name) if path.is_dir() or at.is_folder else at for name in found}
    there = {each.at: each for each in listing(account, str(at))}
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}

    todo = {
        name: source
        for name, source in found.items()
        if not (targets[name] in there and _is_same(source, there[targets[name]], client))
    }
    with explained(), create_transfer_manager(client, PARTS) as manager:
        waiting = {}
        for name, source in todo.items():
            about = {"Metadata": {DIGEST: _hash(source, "sha256")}, **encrypted}
            waiting[name] = manager.upload(str(source), targets[name].bucket, targets[name].key, about)
        for name, future in waiting.items():
            future.result()
            told(name, todo[name].stat().st_size)
    return Moved(tuple(sorted(found)), len(todo), sum(each.stat().st_size for each in todo.values()))


def sources(path: Path) -> dict[str, Path]:
    """List a file, or all files of a folder but hidden and half-written ones, by name; {} where there are none."""
    if path.is_file():
        return {path.name: path}
    return {
        each.relative_to(path).as_posix(): each
        for each in sorted(path.rglob("*"))
        if each.is_file() and not each.name.endswith(files.TEMPORARY) and not _is_hidden(each.relative_to(path))
    }


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


def _name(key: str, base: str) -> str:
    """Give the path of an object below the folder it is fetched to."""
    name = PurePosixPath(key[len(base) :].lstrip("/"))
    if ".." in name.parts or not name.parts:
        raise UserError("a key has a part '..', which would leave the folder that it is fetched to: rename the object")
    return name.as_posix()


def _is_same(path: Path, stored: Stored, client: Any) -> bool:
    """Whether a file and an object have one content, as far as checksums tell."""
    if not path.is_file() or path.stat().st_size != stored.size:
        return False
    if _hash(path, "md5") == stored.etag:
        return True
    said = (_head(client, stored.at) or {}).get("Metadata", {}).get(DIGEST)
    return bool(said == _hash(path, "sha256"))


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _head(client: Any, at: Address) -> dict[str, Any] | None:
    with explained():
        try:
            return dict(client.head_object(Bucket=at.bucket, Key=at.key))
        except ClientError as error:
            if is_missing(error):
                return None
            raise


def _hash(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
