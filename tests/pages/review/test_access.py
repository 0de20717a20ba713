"""Promises of the review page to those who do not belong there: nothing is read and nothing is decided."""

import http.client
import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.pages

PATHS = (
    "/",
    "/api/about",
    "/api/list",
    "/api/decisions",
    "/api/progress",
    "/api/export/reviews",
    "/report.html",
    "/static/main.js",
    "/base.css",
)
ATTACK = """
<!doctype html><title>elsewhere</title><script>
const said = document.createElement('p');
const target = '%s';
const body = JSON.stringify({card: '%s', answer: 'neither', once: 'x'.repeat(16), seconds: 1, queued: true, reviewer: 'Eve', window: 'w'.repeat(16)});
const ways = [
  {method: 'POST', credentials: 'include', body},
  {method: 'POST', credentials: 'include', mode: 'no-cors', body, headers: {'Content-Type': 'text/plain'}},
  {method: 'POST', credentials: 'include', body, headers: {'Content-Type': 'application/json', 'X-Relabel-Page': 'guess'}},
];
(async () => {
  const seen = [];
  for (const way of ways) {
    try { const reply = await fetch(target + '/api/decide', way); seen.push(await reply.text()); } catch { seen.push(''); }
  }
  for (const path of ['/api/decisions', '/api/export/reviews', '/report.html', '/']) {
    try { const reply = await fetch(target + path, {credentials: 'include'}); seen.push(await reply.text()); } catch { seen.push(''); }
  }
  window.seen = seen;
  const form = document.createElement('form');
  form.action = target + '/api/decide'; form.method = 'post'; form.enctype = 'text/plain'; form.target = 'inside';
  const field = document.createElement('input'); field.name = body.slice(0, -1) + ',"x":"'; field.value = '"}';
  form.append(field); document.body.append(form); form.submit();
})();
</script><iframe name="inside"></iframe><iframe id="framed" src="%s/"></iframe>
"""


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Serve pages from another port of this machine."""
    pages: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        """Gives the page of a path."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("how", ["no token", "another token", "another name"])
def test_who_has_no_token_sees_nothing(serve, texts, how) -> None:
    """Every path is refused, and no answer holds a text, a class or the token."""
    server = serve()
    headers = {
        "another token": {"Authorization": "Bearer guess"},
        "another name": {"Authorization": f"Bearer {server.token}", "Host": "evil.example"},
    }
    for path in PATHS:
        status, said = server.ask(path, headers=headers.get(how))
        assert status == (421 if how == "another name" else 401), path
        assert server.token not in said
        assert "script>" not in said
        assert not any(text in said for text in texts.values())
    assert server.ask("/?token=guess")[0] == 401


def test_what_changes_something_needs_the_page(serve, written) -> None:
    """With the token's cookie alone, no decision is taken: not without the page's own header, not as a form, not for another origin."""
    server = serve()
    card = json.loads(server.ask("/api/list", headers={"Authorization": f"Bearer {server.token}"})[1])["items"][0]["id"]
    with_cookie = _cookie(server)
    body = {
        "card": card,
        "answer": "neither",
        "once": "x" * 16,
        "seconds": 1.0,
        "queued": True,
        "reviewer": "Eve",
        "window": "w" * 16,
    }
    json_type = {"Content-Type": "application/json"}
    for headers in (
        json_type,
        {**json_type, "Origin": server.origin},
        {**json_type, "Origin": server.origin, "X-Relabel-Page": "guess"},
        {**json_type, "Origin": "http://127.0.0.1:9", "X-Relabel-Page": "guess"},
        {**json_type, "Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain", "Origin": server.origin},
    ):
        assert server.ask("/api/decide", body, {**with_cookie, **headers})[0] == 403, headers
    assert written(server) == []


def test_a_page_from_elsewhere_can_do_nothing(browser, serve, elsewhere, written, *, texts, until) -> None:
    """In a browser that is logged in: forms, fetches and frames of another origin neither read nor decide."""
    server = serve()
    address, pages = elsewhere
    card = json.loads(server.ask("/api/list", headers={"Authorization": f"Bearer {server.token}"})[1])["items"][0]["id"]
    pages["/"] = (ATTACK % (server.origin, card, server.origin)).encode()
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(server.address)
        expect(page.locator("#who")).to_be_visible()
        page.goto(address)
        until(page, "() => Boolean(window.seen)")
        page.wait_for_timeout(500)
        seen = page.evaluate("window.seen")
        assert len(seen) == 7
        assert not any(
            said
            for said in seen
            if "neither" in said or "reviewer" in said or any(text in said for text in texts.values())
        )
        assert not [frame for frame in page.frames if frame.name == "framed" and frame.locator("#card").count()]
    finally:
        context.close()
    assert written(server) == []


def test_the_token_does_not_stay_in_the_address(serve, sit_down) -> None:
    """What the history and a glance over the shoulder show is the address without it; scripts cannot read the cookie."""
    server = serve()
    page = sit_down(server).page
    assert server.token not in page.url
    assert page.evaluate("document.cookie") == ""
    assert page.evaluate("performance.getEntriesByType('resource').every(one => !one.name.includes('token'))")


def test_the_report_opens_in_a_cage(serve, sit_down, hostile, tab) -> None:
    """It is shown from the server too, but what runs in it has no access to the page that answers."""
    if not (hostile / "report.html").is_file():
        pytest.skip("these results have no report")
    server = serve()
    page = sit_down(server).page
    with page.expect_popup() as popup:
        page.locator("#nav-report").click()
    report = popup.value
    expect(report.locator("h1")).to_be_visible()
    assert report.evaluate("self.origin") == "null"
    assert report.evaluate(f"fetch('{server.origin}/api/decisions').then(() => 'read', () => 'refused')") == "refused"
    tab.faults[:] = [fault for fault in tab.faults if "/api/decisions" not in fault]


def _cookie(server) -> dict[str, str]:
    """Log in as a browser does, and give the cookie as a header."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", f"/?token={server.token}")
    cookie = connection.getresponse().getheader("Set-Cookie")
    connection.close()
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    return {"Cookie": cookie.partition(";")[0]}
