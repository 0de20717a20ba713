"""The media types that are spoken, the codec of each, and the choice of the answer's."""

from __future__ import annotations

import re
from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from relabel.codecs import charsets, csv, json, json_lines, npy, plain
from relabel.codecs.codec import Codec, Records, Takes
from relabel.errors import UserError

JSON, JSON_LINES, CSV, NPY = "application/json", "application/jsonlines", "text/csv", "application/x-npy"
PLAIN = "text/plain"

CODECS: dict[str, Codec] = {JSON: json, JSON_LINES: json_lines, CSV: csv, NPY: npy, PLAIN: plain}
OTHER_NAMES = {
    "application/x-jsonlines": JSON_LINES,
    "application/jsonl": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/x-numpy": NPY,
}

CONTENT_TYPES = {known: known for known in CODECS} | {PLAIN: f"{PLAIN}; charset=utf-8"}
"""Media type -> what an answer says of itself: nobody is to guess in which encoding the names of classes are."""

ENDINGS = {".json": JSON, ".jsonl": JSON_LINES, ".csv": CSV, ".npy": NPY, ".txt": PLAIN}
"""Endings of files, and the media type of what they hold."""

PARAMETER = re.compile(r";\s*(\w+)\s*=\s*\"?([^\s\";]*)", re.ASCII)
"""A parameter of a Content-Type."""
TRUTHS = {"true": True, "1": True, "false": False, "0": False}

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


def spoken(takes: Takes) -> tuple[str, ...]:
    """Give the media types of bodies for a model."""
    unfit = ([] if takes.texts else [PLAIN]) + ([] if takes.width is not None else [NPY])
    return tuple(known for known in CODECS if known not in unfit)


def parameters(content_type: str) -> dict[str, str]:
    """Give the parameters of a Content-Type, names and values in lower case.

    >>> parameters('text/plain; charset="UTF-8"; lines=true')
    {'charset': 'utf-8', 'lines': 'true'}
    """
    return dict(PARAMETER.findall(content_type.lower())) if ";" in content_type else {}


def read(content_type: str, media_type: str, body: bytes, takes: Takes, by_line: bool = False) -> Records:  # noqa: FBT001, FBT002  # said at each request
    """Read the records of a body with the codec of its media type, which `of_request` gives of this Content-Type.

    Of the parameters these count: in CSV `label_size`, how many columns at the left of each line are a label; in CSV and plain text `charset`,
    the encoding of texts.

    by_line: plain text has one text on each line; see `has_lines`.

    Raises UserError as `Codec.decode` does, and for parameters that it does not know how to read.
    """
    if media_type == CSV and ";" in content_type:
        said = parameters(content_type)
        if said.get("label_size", "0") not in ("0", "1"):
            raise UserError("label_size is neither 0 nor 1: a record has one label at most")
        first = said.get("label_size") == "1"
        return csv.decode(body, takes, label_first=first, charset=said.get("charset", charsets.UTF_8))
    if media_type == PLAIN:
        charset = parameters(content_type).get("charset", charsets.UTF_8)
        return plain.decode(body, takes, by_line=by_line, charset=charset)
    return CODECS[media_type].decode(body, takes)


def has_lines(content_type: str, *, otherwise: bool) -> bool:
    """Tell by the parameter `lines` whether each line of plain text is a text of its own.

    Raises UserError where `lines` is neither true nor false.
    """
    said = parameters(content_type).get("lines")
    if said is None:
        return otherwise
    if said not in TRUTHS:
        raise UserError("lines is neither true nor false")
    return TRUTHS[said]


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
