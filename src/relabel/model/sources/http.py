"""Files by HTTP: patient with servers that fail, strict about where a redirect leads."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from relabel.errors import PlatformError, UserError
from relabel.model import unpacking

PATIENCE = 20.0
"""Seconds in which a server must go on."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further try."""
AGAIN = {408, 425, 429}
"""Refusals that another try may mend, as do all failures of a server (5xx)."""
SERVERS_FAULT = 500
LONGEST_ANSWER = 1 << 24

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Client:
    """Asks servers.

    authorization: what is sent with each request, "" for nothing.
    plain:         whether HTTP without TLS is taken from other machines too.
    """

    authorization: str = field(default="", repr=False)
    plain: bool = False

    def json(self, url: str) -> Any:
        """Ask for JSON. Raises as `Remote.save` does."""
        return self._tried(url, lambda: _json(self._open(url), url))

    def save(self, url: str, to: Path, known: str = "") -> str | None:
        """See `Remote.save`."""

        def work() -> str | None:
            try:
                answer = self._open(url, known)
            except urllib.error.HTTPError as error:
                if error.code != http.HTTPStatus.NOT_MODIFIED:
                    raise
                error.close()
                return None
            with answer:
                tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
                if known and tag == known:  # not every server looks at what is asked
                    return None
                _check_whole(answer, unpacking.copied(cast("BinaryIO", answer), to))
                return tag

        return self._tried(url, work)

    def _open(self, url: str, known: str = "") -> http.client.HTTPResponse:
        check(url, plain=self.plain)
        headers = {"User-Agent": "relabel"}
        if self.authorization:
            headers["Authorization"] = self.authorization
        if known:
            headers["If-None-Match" if known.endswith('"') else "If-Modified-Since"] = known
        opener = urllib.request.build_opener(_Redirects(plain=self.plain))
        answer: http.client.HTTPResponse = opener.open(urllib.request.Request(url, headers=headers), timeout=PATIENCE)  # noqa: S310  # checked
        return answer

    def _tried(self, url: str, work: Callable[[], T]) -> T:
        """Do it, again where another try may mend it."""
        shown, why = without_secrets(url), ""
        for pause in (*PAUSES, None):
            try:
                return work()
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < SERVERS_FAULT and error.code not in AGAIN:
                    raise refusal(shown, error.code) from None
                why = f"it answers {error.code}"
            except (OSError, http.client.HTTPException) as error:
                why = _why(error, shown)
            if pause is not None:
                time.sleep(pause)
        raise PlatformError(
            f"{shown}: {why}, {len(PAUSES) + 1} times. Look whether the server runs, and can be reached from here."
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A file by its address."""

    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """Its address without passwords and signatures."""
        return without_secrets(self.url)

    @property
    def key(self) -> str:
        """Its address."""
        return self.url

    def names(self) -> list[str]:
        """Nobody lists files by HTTP."""
        raise UserError(f"{self.shown}: give the address of a model.tar.gz")

    def save(self, name: str, to: Path, known: str = "") -> str | None:  # noqa: ARG002  # it has no other names
        """See `Remote.save`."""
        url, authorization = apart(self.url)
        return Client(authorization).save(url, to, known)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Lets a redirect lead to nowhere that would not have been taken at once, and tells no other server who asks."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain

    def redirect_request(self, *asked: Any) -> urllib.request.Request | None:
        request, *_, url = asked
        check(url, plain=self._plain)
        further = super().redirect_request(*asked)
        before, after = (urllib.parse.urlsplit(each)[:2] for each in (request.full_url, url))
        if further is not None and before != after:
            further.remove_header("Authorization")
        return further


def check(url: str, *, plain: bool) -> None:
    """Raise UserError for an address that is none, or that is read without TLS from another machine."""
    shown = without_secrets(url)
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        host, parts = "", urllib.parse.SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise UserError(f"{shown}: no address that can be asked: give https://HOST/PATH/model.tar.gz")
    if parts.scheme == "http" and not plain and not _is_this_machine(host):
        raise UserError(f"{shown}: anybody on the way could change what comes without TLS: give an https:// address")


def without_secrets(url: str) -> str:
    """Give an address without user, password, query and fragment.

    >>> without_secrets("https://ann:pass@host:1/a/model.tar.gz?X-Amz-Signature=1#sha256=2")
    'https://host:1/a/model.tar.gz'
    """
    scheme, colon, rest = url.partition("://")
    if not colon:
        return url.partition("#")[0].partition("?")[0]
    place = rest.partition("#")[0].partition("?")[0]
    authority, slash, path = place.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def apart(url: str) -> tuple[str, str]:
    """Take user and password out of an address: what is left, and what says them to the server, or ""."""
    scheme, colon, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    said, at, host = authority.rpartition("@")
    user, _, password = said.partition(":")
    plain = f"{scheme}{colon}{host}{slash}{path}"
    return plain, basic(urllib.parse.unquote(user), urllib.parse.unquote(password)) if at else ""


def basic(user: str, password: str) -> str:
    """Say user and password as HTTP does."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def refusal(shown: str, status: int) -> UserError:
    """Say why a server did not give something."""
    reasons: Mapping[int, str] = {
        401: "it wants credentials, or others: give some that may read it",
        403: "it may not be read with these credentials, or is not there: give some that may read it",
        404: "there is nothing: look at the address",
        410: "it is no longer there: look at the address",
    }
    return UserError(f"{shown}: {reasons.get(status, 'it is not given: look at the address')} (status {status})")


def _json(answer: http.client.HTTPResponse, url: str) -> Any:
    with answer:
        body = answer.read(LONGEST_ANSWER)
        _check_whole(answer, len(body))
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UserError(
            f"{without_secrets(url)}: no JSON is answered: look whether the address is that of the server"
        ) from None


def _check_whole(answer: http.client.HTTPResponse, size: int) -> None:
    """Raise where a body was cut off: reading in pieces does not tell."""
    declared = answer.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) != size:
        raise http.client.IncompleteRead(b"", int(declared) - size)


def _why(error: Exception, shown: str) -> str:
    """Say in a few words what kept a server from answering, never with the address as it was given."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        raise UserError(
            f"{shown}: its certificate is not known here ({reason.verify_message}): name your authority's file in SSL_CERT_FILE"
        ) from None
    if isinstance(reason, http.client.IncompleteRead):
        return "its answer is cut off"
    return str(reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
