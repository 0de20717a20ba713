"""Events of an HTTP API, and an endpoint that says what it is told to."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from relabel.web import bundle
from relabel.web.handler import Front, Settings

PREDICTION = {
    "label": 1,
    "class": "positive",
    "probabilities": [0.02, 0.98],
    "words": [{"word": "great", "weight": 0.31}],
}


@dataclass
class Endpoint:
    """Stands for boto3's client of sagemaker-runtime: answers each text alike, or fails as it is told.

    asked: the arguments of every request.
    """

    fails: Exception | None = None
    answer: Any = field(default_factory=lambda: {"predictions": [PREDICTION], "classes": ["negative", "positive"]})
    asked: list[dict[str, Any]] = field(default_factory=list)

    def invoke_endpoint(self, **asked: Any) -> dict[str, Any]:
        """Answer."""
        self.asked.append(asked)
        if self.fails is not None:
            raise self.fails
        said = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return {"Body": io.BytesIO(said)}


@dataclass
class Asking:
    """A handler, what stands around it, and a clock that stands still: `ask` sends it one event, and gives its answer."""

    endpoint: Endpoint
    settings: Settings
    now: float = 0.0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.front = Front(self.settings, bundle.pages(), self.endpoint, lambda: self.now, self.log.append)

    def ask(self, method: str = "POST", path: str = "/review", body: Any = None, *, base64: bool = False, **more: Any):
        """Send an event in the payload format 2.0, as AWS documents it."""
        headers = {"host": "abc.execute-api.eu-west-1.amazonaws.com", "content-type": "application/json"}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": headers | {name.replace("_", "-"): value for name, value in more.get("headers", {}).items()},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "abc",
                "http": {"method": method, "path": path, "sourceIp": more.get("address", "192.0.2.1")},
                "requestId": "JKJaXmPLvHcESHA=",
                "stage": "$default",
            },
            "body": body if isinstance(body, str) or body is None else json.dumps(body),
            "isBase64Encoded": base64,
        }
        return self.front(event)

    def refused(self, answer: dict[str, Any]) -> tuple[int, str]:
        """Give the status and the code of a refusal."""
        return answer["statusCode"], json.loads(answer["body"])["error"]["code"]


@pytest.fixture
def asking() -> Callable[..., Asking]:
    """Make a handler before an endpoint: `asking(endpoint, origins=…)`."""

    def make(endpoint: Endpoint | None = None, **settings: Any) -> Asking:
        return Asking(endpoint or Endpoint(), Settings(endpoint="relabel-reviews", **settings))

    return make


@pytest.fixture
def endpoint() -> type[Endpoint]:
    """The stand-in for an endpoint."""
    return Endpoint
