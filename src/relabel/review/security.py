"""Who may speak to the page, and what its answers forbid browsers to do.

The token stands in the address once; then a cookie does, which other sites' pages cannot send. A page of another site cannot ask in the reader's
name (same-origin, a token in the page, JSON alone), nor through a name of its own that points here (the Host header must be ours).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = "sandbox allow-scripts allow-downloads allow-modals allow-popups; frame-ancestors 'none'"
"""A report brings its own policy. What runs in it has an origin of its own, so that it cannot answer in the reader's name."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
CSRF = "X-Relabel-Page"
"""Header that every request of the page that changes something has."""

HTTP = 80
"""Port that browsers leave out of Host and Origin."""

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides whether it may pass.

    headers: by name in lower case. cookie: the value of our cookie, "" without one.
    """

    method: str
    headers: Mapping[str, str]
    cookie: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request does not pass."""

    status: int
    message: str


class Gate:
    """The rules for one server.

    token: what stands in the address. port: that of the server.
    names: where other machines may reach it, the names that they call it by, `name` or `name:port`; none means this machine alone.
    """

    def __init__(self, token: str, port: int, names: tuple[str, ...] = ()) -> None:
        self._token = token
        self._port = port
        self._remote = bool(names)
        self._hosts = {f"{name}:{port}" for name in LOOPBACK} | {name.lower() for name in names}
        self._hosts |= {f"{name.lower()}:{port}" for name in names}
        self._hosts |= set(LOOPBACK) if port == HTTP else set()
        self.cookie = f"relabel_review_{port}"  # a browser sends the cookies of a host to all its ports
        self.session = self._made("session")
        self.csrf = self._made("csrf")

    def knows(self, token: str) -> bool:
        """Tell whether a token is ours, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(token.encode(), self._token.encode())

    def host(self, asked: Asked) -> Refusal | None:
        """Refuse a request under a name that is not ours: a page elsewhere may have let its own name point here."""
        host = asked.headers.get("host", "").lower()
        if host in self._hosts or (self._remote and _address(host)):
            return None
        return Refusal(421, "this server is not known by that name: open the address that it printed")

    def entry(self, asked: Asked) -> Refusal | None:
        """Refuse who shows neither the cookie nor the token."""
        if self._bears(asked):
            return None
        if asked.cookie and hmac.compare_digest(asked.cookie.encode(), self.session.encode()):
            return None
        return Refusal(401, "open the address with the token, as `relabel review serve` printed it")

    def origin(self, asked: Asked) -> Refusal | None:
        """Refuse what a page of another site asks for; what changes something must say that it comes from our page."""
        site, origin = asked.headers.get("sec-fetch-site", ""), asked.headers.get("origin", "")
        ours = origin in {f"{scheme}://{asked.headers.get('host', '')}" for scheme in ("http", "https")}
        if (site and site not in ("same-origin", "none")) or (origin and not ours):
            return Refusal(403, "another site's page asked for this")
        if asked.method in SAFE or self._bears(asked):  # no browser sends that by itself
            return None
        if not site and not origin:
            return Refusal(
                403, "nothing says that this page asked: it needs Origin or Sec-Fetch-Site, or the token as a bearer"
            )
        if not hmac.compare_digest(asked.headers.get(CSRF.lower(), "").encode(), self.csrf.encode()):
            return Refusal(403, "the page is of another run of the server: open it again")
        return None

    def content(self, asked: Asked) -> Refusal | None:
        """Refuse bodies that a plain form could send."""
        if (
            asked.method in SAFE
            or asked.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        ):
            return None
        return Refusal(415, "send JSON")

    def refusal(self, asked: Asked) -> Refusal | None:
        """Give the first reason against a request; None where it may pass."""
        for rule in (self.host, self.entry, self.origin, self.content):
            if (found := rule(asked)) is not None:
                return found
        return None

    def _bears(self, asked: Asked) -> bool:
        """Tell whether a request brings the token itself."""
        scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.knows(bearer.strip())

    def _made(self, purpose: str) -> str:
        """Derive a secret of its own for one purpose, so that none tells the token."""
        return hmac.new(self._token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _address(host: str) -> bool:
    """Tell whether a Host header is a bare address: no name, so none that could have been made to point here."""
    name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
