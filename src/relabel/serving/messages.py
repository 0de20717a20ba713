"""Requests and responses as values: what every door turns its framework's objects into."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NONE: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """What was asked. Headers that were not sent are "".

    number: name of this request in the log and in the answer.
    query:  what stands behind `?` in the address, still quoted; the log never has it.
    """

    method: str
    path: str
    content_type: str = ""
    accept: str = ""
    custom_attributes: str = ""
    inference_id: str = ""
    body: bytes = b""
    number: str = ""
    query: str = ""
    origin: str = ""

    def __repr__(self) -> str:
        """Say nothing of the body, which is nobody's business."""
        return f"Request({self.method} {self.path}, {len(self.body)} bytes, {self.number})"


class Work(NamedTuple):
    """What answering took: records, and microseconds of reading them and of the model, whose short hash is given where there are several."""

    rows: int = 0
    parse: int = 0
    predict: int = 0
    model: str = ""


NO_WORK = Work()


class Response(NamedTuple):
    """What is answered; headers are those beyond Content-Type and Content-Length."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = NONE
    work: Work = NO_WORK
