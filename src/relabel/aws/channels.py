"""A job's channels: folders of this machine or places in S3, each with a digest of what lies there.

Folders go to `data/DIGEST/` of the bucket, so that the same data is uploaded once, whoever starts how many jobs with it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from relabel.aws import objects
from relabel.aws.account import Account
from relabel.errors import UserError

DIGITS = 16
TRAIN, REVIEWED, CHAMPION, ENCODER = "train", "reviewed", "model", "encoder"
"""The channels that are no part of the data have names of their own in the job's contract."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a job.

    uri:    `s3://…`, or in local mode `file://…`.
    digest: of names and contents; of a place in S3, of what S3 says of its objects.
    """

    name: str
    uri: str
    digest: str


def named(said: Iterable[str], **others: str) -> dict[str, str]:
    """Read `--data`: `PLACE` is the channel train, `NAME=PLACE` another; `others` are channels with options of their own, "" where not given.

    >>> named(["my-data"], encoder="")
    {'train': 'my-data'}
    >>> named(["train=a", "test=s3://bucket/b/"])
    {'train': 'a', 'test': 's3://bucket/b/'}

    Raises UserError for a name that is given twice.
    """
    places: dict[str, str] = {}
    for each in said:
        name, mark, place = each.partition("=")
        if not mark or not name.isidentifier():
            name, place = TRAIN, each
        if name in places:
            raise UserError(f"the channel {name} is given twice: give --data NAME=PLACE once for each channel")
        places[name] = place
    return {**places, **{name: place for name, place in others.items() if place}}


def problems(places: Mapping[str, str]) -> list[str]:
    """Say what is wrong with the folders of this machine before anything is moved: missing, empty."""
    found = []
    for name, place in places.items():
        if is_remote(place):
            continue
        path = Path(place)
        if not path.exists():
            found.append(f"{name}: no file or folder at {place}")
        elif not objects.sources(path):
            found.append(f"{name}: no files in {place}")
    return found


def is_remote(place: str) -> bool:
    """Whether a place is in S3."""
    return place.startswith("s3://")


def brought(account: Account, places: Mapping[str, str], bucket: str, say: Say = lambda _line: None) -> list[Channel]:
    """Bring every channel to S3 and give them, sorted by name; what is there already stays there, and is looked at.

    Raises UserError where nothing lies at an address.
    """
    return [_brought(account, name, place, bucket, say) for name, place in sorted(places.items())]


def local(places: Mapping[str, str], scratch: Path) -> list[Channel]:
    """Give channels that are mounted from this machine, for local mode, sorted by name; a file is copied into a folder of its own below `scratch`.

    Raises UserError for places in S3.
    """
    if wrong := [
        f"{name}: {place}: local mode reads this machine" for name, place in places.items() if is_remote(place)
    ]:
        raise UserError(*wrong)
    made = []
    for name, place in sorted(places.items()):
        path, content = Path(place), digest(Path(place))
        if path.is_file():
            (scratch / content).mkdir(parents=True, exist_ok=True)
            path = Path(shutil.copy(path, scratch / content)).parent
        made.append(Channel(name, path.resolve().as_uri(), content))
    return made


def digest(path: Path) -> str:
    """Give 16 hexadecimal digits of the names and contents of a file, or of all files of a folder but hidden ones."""
    state = hashlib.sha256()
    for name, file in objects.sources(path).items():
        with file.open("rb") as opened:
            state.update(f"{hashlib.file_digest(opened, 'sha256').hexdigest()} {name}\n".encode())
    return state.hexdigest()[:DIGITS]


def _brought(account: Account, name: str, place: str, bucket: str, say: Say) -> Channel:
    if is_remote(place):
        return Channel(name, place, _digest_there(account, place))
    path = Path(place)
    content = digest(path)
    uri = f"s3://{bucket}/data/{content}/"
    moved = objects.upload(account, path, uri)
    told = f"{moved.copied} files uploaded, {moved.bytes / 1e6:.1f} MB" if moved.copied else "there already"
    say(f"{name}: {place} is {uri} ({told})")
    return Channel(name, uri, content)


def _digest_there(account: Account, uri: str) -> str:
    """Tell data in S3 apart by names, sizes and ETags, which change with the content."""
    state, count = hashlib.sha256(), 0
    for stored in objects.listing(account, uri):
        state.update(f"{stored.at} {stored.size} {stored.etag}\n".encode())
        count += 1
    if not count:
        raise UserError(f"{uri}: nothing lies there, or it may not be seen")
    return state.hexdigest()[:DIGITS]
