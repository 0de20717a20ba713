"""The media types that are spoken, the codec of each, and the choice of the answer's."""

from __future__ import annotations

import re
from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from relabel.codecs import csv, json, json_lines, npy
from relabel.codecs.codec import Codec, Records
from relabel.errors import UserError

JSON, JSON_LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"

CODECS: dict[str, Codec] = {JSON: json, JSON_LINES: json_lines, CSV: csv, NPY: npy}
OTHER_NAMES = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/x-numpy": NPY,
}

ENDINGS = {".json": JSON, ".jsonl": JSON_LINES, ".csv": CSV, ".npy": NPY}
"""Endings of files, and the media type of what they hold."""

LABEL_SIZE = re.compile(r";\s*label_size\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)
"""The parameter of a Content-Type that says how many columns of a CSV line are labels."""

PARAMETERS = re.compile(r";(?!\s*q=)[^;,]*")
"""Of a media type in Accept, but for its quality: all types are spoken in one way."""

BARE_STAR = re.compile(r"(^|,)\s*\*\s*(?=[;,]|$)")
"""What Java sends for `*/*`, and `q=.2` for `q=0.2`."""


def of_request(content_type: str) -> str | None:
    """Give the media type of a Content-Type, None where it is not spoken; parameters and case do not matter, nothing said is JSON.

    >>> of_request("Text/CSV; charset=utf-8")
    'text/csv'
    """
    said = content_type.partition(";")[0].strip().lower() or JSON
    known = OTHER_NAMES.get(said, said)
    return known if known in CODECS else None


def read(content_type: str, media_type: str, body: bytes, width: int) -> Records:
    """Read the records of a body with the codec of its media type, which `of_request` gives of this Content-Type.

    Of the parameters `label_size` counts, in CSV: how many columns at the left of each line are a label.

    Raises UserError as `Codec.decode` does, and where label_size is neither 0 nor 1.
    """
    said = LABEL_SIZE.search(content_type) if media_type == CSV and ";" in content_type else None
    if said is None:
        return CODECS[media_type].decode(body, width)
    if said[1] not in ("0", "1"):
        raise UserError("label_size is neither 0 nor 1: a record has one label at most")
    return csv.decode(body, width, label_first=said[1] == "1")


@lru_cache(maxsize=256)
def of_response(accept: str, default: str) -> str | None:
    """Choose the media type of an answer by the Accept header, None where nothing that is wanted is spoken.

    default: what is meant where nothing is asked for, or everything would do.

    >>> of_response("text/html, text/csv;q=0.5", "application/json"), of_response("*/*", "application/json")
    ('text/csv', 'application/json')
    """
    plain = BARE_STAR.sub(r"\1*/*", PARAMETERS.sub("", accept).replace("q=.", "q=0."))
    wanted = parse_accept_header(plain, MIMEAccept)
    if not wanted:
        return default
    offered = [default, *(known for known in (*CODECS, *OTHER_NAMES) if known != default)]
    best = wanted.best_match(offered)
    return OTHER_NAMES.get(best, best) if best else None
