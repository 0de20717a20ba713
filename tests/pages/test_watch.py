"""Promises of the browser that the other tests look through: it lets nothing pass."""

import http.server
import threading
from collections.abc import Iterator

import pytest

POLICY = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">"


@pytest.fixture
def page_of(tmp_path):
    """Write a page, and give its address."""

    def write(body: str) -> str:
        (tmp_path / "page.html").write_text(f"<!doctype html><html lang=en><title>x</title>{body}")
        return (tmp_path / "page.html").as_uri()

    return write


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Serve on another port of this machine, and note what is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers everything."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.pages
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>console.error('seen')</script>", "error: seen"),
        ("<script>null.x</script>", "thrown: Cannot read"),
        ("<script>alert('seen')</script>", "dialog: seen"),
        (f"{POLICY}<script>1</script>", "error: Executing inline script violates"),
        ("<img src='http://example.invalid/a.png'>", "request: http://example.invalid/a.png"),
        ("<img src='other.png'>", "request: file://"),
        ("<script>new WebSocket('ws://127.0.0.1:9/')</script>", "socket: ws://127.0.0.1:9/"),
    ],
)
def test_a_page_that_does_wrong_is_noted(tab, page_of, body, fault) -> None:
    """Errors, throws, dialogs, breaches of the policy, requests and sockets are all seen."""
    tab(page_of(body)).wait_for_timeout(200)
    assert any(one.startswith(fault) for one in tab.faults)
    tab.faults.clear()


@pytest.mark.pages
def test_what_a_page_asks_of_others_is_not_sent(tab, page_of, elsewhere) -> None:
    """A request to another server of this machine is noted and never arrives."""
    address, asked = elsewhere
    tab(page_of(f"<img src='{address}/a.png'><link rel=stylesheet href='{address}/b.css'>")).wait_for_timeout(200)
    assert len([one for one in tab.faults if one.startswith("request:")]) == 2
    assert not asked
    tab.faults.clear()
