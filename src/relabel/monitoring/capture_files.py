"""Files of captured traffic: which there are, and what their lines say."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from relabel.codecs import table
from relabel.errors import UserError

ENDINGS = (".jsonl", ".jsonl.gz")
GZIP = b"\x1f\x8b"
HOUR = re.compile(r"(\d{4})/(\d\d)/(\d\d)/(\d\d)/[^/]+$")
"""Where a file's path says the hour in which it was begun."""
LATE = np.timedelta64(2, "h")
"""What a file holds came within this time of the hour in its path."""

BROKEN = "a line that is no captured request"
ENDLESS = "a file that ends in the middle, or cannot be read"
NO_INPUT = "a request whose input was not captured"
NO_TIME = "a request without a time"
NOT_DECODED = "a body that is not in the encoding it names"
"""Why a line, or the rest of a file, is passed over."""

CONTENT_TYPES = {"CSV": table.CSV, "JSON": table.JSON}
"""What is meant where a capture names no content type: encoding -> media type."""


class Message(NamedTuple):
    """A body as it came or went."""

    content_type: str
    body: bytes


class Request(NamedTuple):
    """One captured request.

    id:       what the client called it, else the platform.
    time:     datetime64[s], UTC.
    answered: None where the answer was not captured, or cannot be decoded.
    """

    id: str
    time: np.datetime64
    asked: Message
    answered: Message | None


def found(place: Path, since: np.datetime64 | None = None) -> list[Path]:
    """List the files of a folder, by name; those of hours long before `since` are left out.

    Raises UserError where there is none at all.
    """
    if place.is_file():
        return [place]
    every = sorted(path for path in place.rglob("*") if path.name.endswith(ENDINGS) and path.is_file())
    if not every:
        raise UserError(
            f"{place}: no file of captured traffic ({', '.join(ENDINGS)}) lies there: give the folder of one endpoint's capture"
        )
    return [path for path in every if since is None or not _before(path, since)]


def lines(path: Path) -> Iterator[Request | str]:
    """Give the requests of a file, or why a line is passed over. One line is held at a time."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP
        with gzip.open(path, "rb") if zipped else path.open("rb") as file:
            for line in file:
                if not line.isspace():
                    yield request(line)
    except (OSError, EOFError, zlib.error):
        yield ENDLESS


def request(line: bytes) -> Request | str:
    """Read one line, or say why it is passed over."""
    try:
        said = json.loads(line)
        captured, about = said["captureData"], said["eventMetadata"]
        name = about.get("inferenceId") or about["eventId"]
        asked, answered = captured.get("endpointInput"), captured.get("endpointOutput")
        time = about.get("inferenceTime")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return BROKEN
    if not isinstance(name, str):
        return BROKEN
    if not isinstance(asked, Mapping):
        return NO_INPUT
    moment = _moment(time)
    if moment is None:
        return NO_TIME
    message = _message(asked)
    if message is None:
        return NOT_DECODED
    name = name.encode(errors="replace").decode()  # half of a surrogate pair could not be written down
    return Request(name, moment, message, _message(answered) if isinstance(answered, Mapping) else None)


def written(request: Request) -> str:
    """Write a request as the platform captures it, with its line end: JSON and CSV as they are, all else as BASE64.

    For trying what reads captures, and for endpoints on one's own machine.
    """
    about = {"eventId": request.id, "inferenceId": request.id, "inferenceTime": f"{request.time}Z"}
    captured = {"endpointInput": _captured("INPUT", request.asked)}
    if request.answered is not None:
        captured["endpointOutput"] = _captured("OUTPUT", request.answered)
    return json.dumps({"captureData": captured, "eventMetadata": about, "eventVersion": "0"}) + "\n"


def path_of(time: np.datetime64, name: str) -> Path:
    """Give the path of a file of captured traffic below ENDPOINT/VARIANT, by the hour in which it begins."""
    hour = time.astype("datetime64[h]").astype(datetime)
    return Path(f"{hour:%Y/%m/%d/%H}") / f"{name}.jsonl"


def _captured(mode: str, message: Message) -> dict[str, str]:
    media_type = table.of_request(message.content_type)
    encoding = {table.JSON: "JSON", table.CSV: "CSV"}.get(media_type or "", "BASE64")
    data = message.body.decode() if encoding != "BASE64" else base64.b64encode(message.body).decode()
    return {"observedContentType": message.content_type, "mode": mode, "data": data, "encoding": encoding}


def _before(path: Path, since: np.datetime64) -> bool:
    said = HOUR.search(path.as_posix())
    if said is None:
        return False
    try:
        hour = np.datetime64(f"{said[1]}-{said[2]}-{said[3]}T{said[4]}:00:00", "s")
    except ValueError:
        return False
    return bool(hour + LATE < since)


def _moment(said: Any) -> np.datetime64 | None:
    """Read a time of ISO 8601; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(said)
        zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return np.datetime64(zoned.replace(tzinfo=None), "s")


def _message(said: Mapping[str, Any]) -> Message | None:
    data, encoding = said.get("data"), str(said.get("encoding", "")).upper()
    content_type = said.get("observedContentType")
    if not isinstance(content_type, str):
        content_type = CONTENT_TYPES.get(encoding, "")
    if isinstance(data, dict | list):
        return Message(content_type, json.dumps(data).encode())
    if not isinstance(data, str):
        return None
    try:
        body = base64.b64decode(data, validate=True) if encoding == "BASE64" else data.encode()
    except (binascii.Error, ValueError):  # no base64, or half of a surrogate pair
        return None
    return Message(content_type, body)
