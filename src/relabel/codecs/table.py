"""The media types that are spoken, and the codec of each."""

from __future__ import annotations

from relabel.codecs import json
from relabel.codecs.codec import Codec

CODECS: dict[str, Codec] = {"application/json": json}
DEFAULT = "application/json"


def find(content_type: str) -> Codec | None:
    """Give the codec of a Content-Type, None where there is none; parameters and case do not matter, nothing said is JSON.

    >>> find("Application/JSON; charset=utf-8") is json
    True
    """
    media_type = content_type.partition(";")[0].strip().lower()
    return CODECS.get(media_type or DEFAULT)
