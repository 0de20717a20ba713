"""Promises of who may speak to the page: each refusal, by the rules alone; the application's own tests ask a real server."""

import pytest

from relabel.review.security import CSRF, Asked, Gate

PORT = 8321
GATE = Gate("the-token", PORT)
PAGE = {
    "host": f"127.0.0.1:{PORT}",
    "sec-fetch-site": "same-origin",
    "origin": f"http://127.0.0.1:{PORT}",
    "content-type": "application/json",
    CSRF.lower(): GATE.csrf,
}


def status(method: str = "POST", gate: Gate = GATE, cookie: str | None = None, **changed: str) -> int:
    """Give the status of a request of our page, with some of it changed; "" takes a header away. 200 passes."""
    headers = {**PAGE, **{name.replace("_", "-"): value for name, value in changed.items()}}
    present = {name: value for name, value in headers.items() if value}
    found = gate.refusal(Asked(method, present, gate.session if cookie is None else cookie))
    return 200 if found is None else found.status


def test_our_own_page_passes() -> None:
    """By any name of this machine; and a program that has the token."""
    assert status() == 200
    assert status("GET", content_type="", origin="") == 200
    for host in (f"localhost:{PORT}", f"[::1]:{PORT}"):
        assert status(host=host, origin=f"http://{host}") == 200
    alone = {"sec_fetch_site": "", "origin": "", CSRF.lower(): ""}
    assert status(cookie="", authorization="Bearer the-token", **alone) == 200


def test_nobody_passes_without_the_token_or_its_cookie() -> None:
    """Not with a wrong one, with the token in the cookie's place, or with another scheme."""
    assert status(cookie="") == 401
    assert status(cookie="the-token") == 401
    assert status(cookie="é") == 401
    for said in ("Bearer the-toke", "Bearer ", "Basic the-token", "the-token", "Bearer thé"):
        assert status(cookie="", authorization=said) == 401
    assert status("GET", cookie="") == 401


@pytest.mark.parametrize("said", ["Basic eDp5", "Bearer wrong", "the-token", "Bearer"])
def test_no_other_authorization_stands_in_for_the_page_s_own_signs(said) -> None:
    """With the cookie, but without origin or page token, only the token itself changes anything."""
    assert status(authorization=said, sec_fetch_site="", origin="", **{CSRF.lower(): ""}) == 403
    assert status(authorization=said, **{CSRF.lower(): ""}) == 403
    assert status(authorization=said) == 200


def test_port_80_is_not_named() -> None:
    """Browsers leave it out of both headers; other ports must be there."""
    gate = Gate("the-token", 80)
    for host in ("127.0.0.1", "localhost", "[::1]", "localhost:80"):
        assert status(gate=gate, host=host, origin=f"http://{host}", **{CSRF.lower(): gate.csrf}) == 200
    assert status(gate=gate, host="evil.example", origin="") == 421


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:80",
        "",
        f"10.0.0.1:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(host) -> None:
    """Even with the cookie, for that is what such a name is for."""
    assert status(host=host, origin="") == 421
    assert status("GET", host=host, origin="") == 421


@pytest.mark.parametrize(
    "changed",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://localhost:{PORT + 1}"},
        {"sec_fetch_site": "", "origin": ""},
        {CSRF.lower(): ""},
        {CSRF.lower(): "0" * 64},
    ],
)
def test_what_another_site_s_page_sends_changes_nothing(changed) -> None:
    """Whatever the browser says of it, and with the reader's cookie."""
    assert status(**changed) == 403


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_could_send_is_refused(kind) -> None:
    """Only JSON changes anything."""
    assert status(content_type=kind) == 415
    assert status(content_type="application/json; charset=utf-8") == 200


def test_other_machines_come_in_by_a_name_that_was_given_or_by_address() -> None:
    """And by no other name; a server for this machine alone takes no address but its own."""
    gate = Gate("t", PORT, ("review.example.org", "proxy.example.org:443"))
    for host in (
        "review.example.org",
        f"Review.example.org:{PORT}",
        "proxy.example.org:443",
        f"10.0.0.7:{PORT}",
        f"[fe80::1]:{PORT}",
    ):
        assert status(gate=gate, host=host, origin=f"http://{host}", **{CSRF.lower(): gate.csrf}) == 200
    assert status(gate=gate, host="evil.example", origin="", **{CSRF.lower(): gate.csrf}) == 421


def test_what_travels_tells_nothing_of_the_token() -> None:
    """Cookie and page token are derived from it, each for its purpose, and differ from port to port by name."""
    assert len({GATE.session, GATE.csrf, "the-token"}) == 3
    assert GATE.cookie != Gate("the-token", PORT + 1).cookie
