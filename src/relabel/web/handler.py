"""The function between the page and an endpoint: events of an HTTP API in, answers out.

It is one file, of boto3 and the standard library alone: AWS Lambda runs it as it is, and `relabel web` on a person's machine. Texts go to the
endpoint and nowhere else: neither the log nor a refusal repeats one. Events and answers have API Gateway's payload format 2.0.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import json
import math
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore import exceptions as failures
from botocore.config import Config

LONGEST = 20_000  # characters of a text; the page says so before it asks
LARGEST = 12 * LONGEST + 1024  # bytes of a body: JSON may write a character as twelve
WORDS = 12  # that are asked for with a prediction
PATIENCE = 25  # seconds that the endpoint may take; an HTTP API gives up after 30
CLIENTS = 10_000  # that are remembered
MINUTE = 60
WAKING, BUSY = 10, 2
"""Seconds after which to ask again: an endpoint that starts, one that has too much to do."""

PAGE, REVIEW = "/", "/review"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
JSON = "application/json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Frame-Options": "DENY",
}

_AWAY = (503, "unreachable", "The model cannot be reached.", WAKING)
REFUSALS = {
    "ModelNotReadyException": (503, "waking", "The model is starting.", WAKING),
    "ThrottlingException": (503, "busy", "Many people ask at once, and the model has no room now.", BUSY),
    **dict.fromkeys(("ServiceUnavailable", "InternalFailure", "InternalDependencyException"), _AWAY),
    "ValidationError": (502, "no_endpoint", "The endpoint is not there, or not in service.", 0),
    "AccessDeniedException": (502, "not_allowed", "This page is not allowed to ask its endpoint.", 0),
}
"""What SageMaker says -> what is answered: status, code, message, and the seconds after which to ask again."""

Event = Mapping[str, Any]
Answer = dict[str, Any]


class Refused(Exception):  # noqa: N818  # it is an answer
    """A request that is not answered as it wishes, and why."""

    def __init__(self, status: int, code: str, message: str, *, after: float = 0, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if after:
            self.headers["Retry-After"] = str(max(1, math.ceil(after)))


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    endpoint: name of the SageMaker endpoint.
    origins:  pages of other sites that may ask, `https://example.org`; `*` is every one.
    rate:     texts a minute from one client address; as many may come at once.
    scheme:   that of this page's own address.
    front:    what a CDN in front says in X-Relabel-Front, so that it is believed about the client's address; "" is none.
    """

    endpoint: str
    origins: tuple[str, ...] = ()
    rate: float = 30
    scheme: str = "https"
    front: str = ""

    @staticmethod
    def of(variables: Mapping[str, str]) -> Settings:
        """Read RELABEL_WEB_ENDPOINT, RELABEL_WEB_ORIGINS, RELABEL_WEB_RATE and RELABEL_WEB_FRONT."""
        origins = variables.get("RELABEL_WEB_ORIGINS", "").replace(",", " ").split()
        return Settings(
            endpoint=variables["RELABEL_WEB_ENDPOINT"],
            origins=tuple(origin.rstrip("/").lower() for origin in origins),
            rate=float(variables.get("RELABEL_WEB_RATE") or Settings.rate),
            front=variables.get("RELABEL_WEB_FRONT", ""),
        )


class Limits:
    """A bucket of permissions for each client: `rate` a minute flow in, and no more than `rate` are kept.

    Of many clients the ones that were not seen for longest are forgotten. clock: seconds, from any start.
    """

    def __init__(self, rate: float, clock: Callable[[], float], most: int = CLIENTS) -> None:
        self._rate, self._clock, self._most = rate, clock, most
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> permissions left, at that time
        self._one = threading.Lock()

    def wait(self, client: str) -> float:
        """Take a permission, and give 0; or give the seconds until there is one."""
        now = self._clock()
        with self._one:
            left, then = self._kept.pop(client, (self._rate, now))
            left = min(self._rate, left + (now - then) * self._rate / MINUTE)
            missing = max(0.0, 1 - left)
            self._kept[client] = (left if missing else left - 1, now)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return missing * MINUTE / self._rate


class Asked(NamedTuple):
    """What of an event counts; headers by name in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str
    encoded: bool
    address: str
    number: str


@dataclass
class Front:
    """Answers events: the page's files, and what the endpoint says of a text.

    pages:   path -> its content, `/` and `/page.js`.
    runtime: boto3's client of sagemaker-runtime, or whatever has its `invoke_endpoint`.
    write:   takes a line of the log, with its end.
    """

    settings: Settings
    pages: Mapping[str, str]
    runtime: Any
    clock: Callable[[], float]
    write: Callable[[str], Any]

    def __post_init__(self) -> None:
        self._limits = Limits(self.settings.rate, self.clock)

    def __call__(self, event: Event) -> Answer:
        """Answer an event; never raises."""
        started, code = self.clock(), ""
        asked = _asked(event)
        try:
            answer = self._answered(asked)
        except Refused as refused:
            answer, code = _refusal(refused), refused.code
        except Exception as error:  # noqa: BLE001  # what went wrong is for the log: its kind alone, for its words may hold the text
            code = f"internal {type(error).__name__}"
            answer = _refusal(Refused(500, "internal", f"The server failed on request {asked.number}."))
        answer["headers"] = {**HEADERS, **answer["headers"], **self._cors(asked)}
        self._log(asked, answer["statusCode"], code, self.clock() - started)
        return answer if asked.method != "HEAD" else {**answer, "body": ""}

    def _answered(self, asked: Asked) -> Answer:
        methods = ("GET", "HEAD") if asked.path in self.pages else ("POST", "OPTIONS") if asked.path == REVIEW else ()
        if not methods:
            raise Refused(404, "not_found", "There is no such page.")
        if asked.method not in methods:
            raise Refused(405, "method_not_allowed", f"Ask with {methods[0]}.", Allow=", ".join(methods))
        if asked.path != REVIEW:
            return _page(asked.path, self.pages[asked.path])
        if asked.method == "OPTIONS":
            return _preflight()
        self._check(asked)
        return self._predicted(_text(asked))

    def _check(self, asked: Asked) -> None:
        """Refuse pages of other sites, clients that ask too often, and what no page of ours sends."""
        if (origin := asked.headers.get("origin", "")) and not self._knows(asked, origin):
            raise Refused(403, "forbidden", "This page may not ask here: its origin is not listed.")
        if asked.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise Refused(415, "unsupported_media_type", 'Send JSON: {"text": "…"}.')
        if wait := self._limits.wait(_client(asked, self.settings.front)):
            raise Refused(429, "too_often", "You have asked very often. Wait a moment.", after=wait)

    def _predicted(self, text: str) -> Answer:
        """Ask the endpoint about one text."""
        body = json.dumps({"instances": [text], "explain": WORDS}).encode()
        try:
            asked = {"EndpointName": self.settings.endpoint, "ContentType": JSON, "Accept": JSON, "Body": body}
            reply = self.runtime.invoke_endpoint(**asked)
            said = json.loads(reply["Body"].read())
            prediction = {**said["predictions"][0], "classes": said.get("classes", [])}
        except failures.ClientError as error:
            raise _explained(error.response) from None
        except (failures.ReadTimeoutError, failures.ResponseStreamingError):
            raise Refused(
                504, "waking", "The model did not answer in time: it may be starting.", after=WAKING
            ) from None
        except (failures.ConnectionError, failures.HTTPClientError):
            raise Refused(503, "unreachable", "The model cannot be reached.", after=WAKING) from None
        except (ValueError, LookupError, TypeError):
            raise Refused(502, "not_understood", "The endpoint's answer is none of a model of relabel.") from None
        return _answer(200, JSON, json.dumps(prediction), {"Cache-Control": "no-store"})

    def _knows(self, asked: Asked, origin: str) -> bool:
        own = f"{self.settings.scheme}://{asked.headers.get('host', '')}"
        return origin.lower() in (own.lower(), *self.settings.origins) or "*" in self.settings.origins

    def _cors(self, asked: Asked) -> dict[str, str]:
        """Let pages of the listed origins read an answer, refusals too."""
        origin = asked.headers.get("origin", "")
        allowed = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "Retry-After"}
        return {"Vary": "Origin"} | (allowed if origin and self._knows(asked, origin) else {})

    def _log(self, asked: Asked, status: int, code: str, seconds: float) -> None:
        """Write one line without text and address; a path that we do not have may hold anything."""
        path = asked.path if asked.path == REVIEW or asked.path in self.pages else "other"
        method = asked.method if asked.method in {"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"} else "other"
        line = {"request": asked.number, "method": method, "path": path, "status": status, "code": code}
        self.write(json.dumps({**line, "bytes": len(asked.body), "ms": round(seconds * 1000)}) + "\n")


def _asked(event: Event) -> Asked:
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    return Asked(
        method=str(http.get("method", "")).upper(),
        path=str(event.get("rawPath") or PAGE),
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        body=str(event.get("body") or ""),
        encoded=bool(event.get("isBase64Encoded")),
        address=str(http.get("sourceIp", "")),
        number=str(context.get("requestId", "")),
    )


def _text(asked: Asked) -> str:
    """Take the text out of a body `{"text": "…"}`."""
    too_long = Refused(413, "too_long", f"The text is too long: {LONGEST:,} characters are taken.")
    if len(asked.body) > LARGEST * (4 / 3 if asked.encoded else 1):
        raise too_long
    try:
        body = base64.b64decode(asked.body, validate=True) if asked.encoded else asked.body
        text = json.loads(body)["text"]
        text.encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise Refused(400, "malformed", 'Send JSON: {"text": "…"}.') from None
    if len(text) > LONGEST:
        raise too_long
    if not text.strip():
        raise Refused(400, "empty", "There is no text.")
    return str(text)


def _client(asked: Asked, front: str) -> str:
    """Name who asks: an address; of one of version 6, the network, which is one household's.

    What X-Forwarded-For says is believed of our own CDN alone.
    """
    address = asked.address
    if front and asked.headers.get("x-relabel-front") == front:
        hops = [hop.strip() for hop in asked.headers.get("x-forwarded-for", "").split(",")]
        before = hops[:-1] if hops[-1] == address else hops
        address = (before or [address])[-1] or address
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(known) if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))  # noqa: PLR2004


def _explained(response: Mapping[str, Any]) -> Refused:
    """Say what SageMaker refuses as an answer for people; its own words name the account, and stay here."""
    code = str(response.get("Error", {}).get("Code", ""))
    if code == "ModelError":
        return _of_model(int(response.get("OriginalStatusCode") or 0), str(response.get("OriginalMessage", "")))
    status, known, message, after = REFUSALS.get(code, (502, "failed", "The endpoint could not be asked.", 0))
    return Refused(status, known, message, after=after)


def _of_model(status: int, said: str) -> Refused:
    """Say what the container refused: its own message, which repeats no text, where it is one of relabel's."""
    try:
        message = str(json.loads(said)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        message = "The model failed."
    if 400 <= status < 500:  # noqa: PLR2004
        return Refused(status, "model_refused", message)
    if status == 503:  # noqa: PLR2004
        return Refused(503, "busy", message, after=BUSY)
    if status in {0, 504}:
        return Refused(504, "waking", "The model did not answer in time: it may be starting.", after=WAKING)
    return Refused(502, "model_failed", message)


def _page(path: str, text: str) -> Answer:
    kind = KINDS[".html" if path == PAGE else Path(path).suffix]
    policy = {"Content-Security-Policy": POLICY, "Cross-Origin-Opener-Policy": "same-origin"} if path == PAGE else {}
    return _answer(200, f"{kind}; charset=utf-8", text, {"Cache-Control": "no-cache", **policy})


def _preflight() -> Answer:
    allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type"}
    return _answer(204, "text/plain", "", {**allowed, "Access-Control-Max-Age": "3600"})


def _refusal(refused: Refused) -> Answer:
    said = {"error": {"code": refused.code, "message": refused.message}}
    return _answer(refused.status, JSON, json.dumps(said), {"Cache-Control": "no-store", **refused.headers})


def _answer(status: int, kind: str, body: str, headers: Mapping[str, str]) -> Answer:
    return {"statusCode": status, "headers": {"Content-Type": kind, **headers}, "body": body, "isBase64Encoded": False}


def pages(folder: Path) -> dict[str, str]:
    """Read the page's files: path -> content."""
    found = {f"/{path.name}": path.read_text(encoding="utf-8") for path in folder.iterdir() if path.suffix in KINDS}
    return {(PAGE if path == "/index.html" else path): text for path, text in sorted(found.items())}


def client(session: Any = boto3, patience: float = PATIENCE) -> Any:
    """Make the client of an endpoint. One try: whoever waits before the page decides about the next one."""
    config = Config(connect_timeout=3, read_timeout=patience, retries={"total_max_attempts": 1})
    return session.client("sagemaker-runtime", config=config)


@functools.cache
def _started() -> Front:
    """Make what answers once for each instance of the function, so that connections and limits outlive a request."""
    here = Path(__file__).parent / "page"
    return Front(Settings.of(os.environ), pages(here), client(), time.monotonic, sys.stdout.write)


def lambda_handler(event: Event, _context: Any = None) -> Answer:
    """Answer an event on AWS Lambda."""
    return _started()(event)
