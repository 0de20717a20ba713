"""Promises of the log of requests."""

import io
import json

import pytest

from relabel.serving.messages import Request, Response
from relabel.serving.request_log import RequestLog

ASKED = Request("POST", "/invocations", number="n-1", inference_id="x" * 100)


@pytest.mark.parametrize(("share", "logged"), [(0, 0), (0.25, 25), (1, 100)])
def test_a_share_of_the_requests_is_logged(share, logged) -> None:
    """0 is off."""
    draws = iter([n / 100 for n in range(100)])
    stream = io.StringIO()
    log = RequestLog(stream, share, "abc", lambda: next(draws))
    for _ in range(100):
        log.write(ASKED, Response(200, "text/csv", b""), 0.001)
    log.flush()
    assert len(stream.getvalue().splitlines()) == logged


def test_failures_are_always_logged() -> None:
    """Also where the log is off."""
    stream = io.StringIO()
    log = RequestLog(stream, 0, "abc")
    log.write(ASKED, Response(503, "application/json", b""), 0.001)
    log.flush()
    line = json.loads(stream.getvalue())
    assert (line["request"], line["status"], line["total_us"], len(line["inference_id"])) == ("n-1", 503, 1000, 64)


def test_lines_wait_for_a_flush_and_the_first_one_asks_for_it() -> None:
    """Many lines are one write."""
    stream = io.StringIO()
    log = RequestLog(stream, 1, "abc")
    assert [log.write(ASKED, Response(200, "text/csv", b""), 0) for _ in range(3)] == [True, False, False]
    assert stream.getvalue() == ""
    log.flush()
    assert log.write(ASKED, Response(200, "text/csv", b""), 0)


def test_a_line_is_json_whatever_was_sent() -> None:
    """Quotes, line breaks and other letters in a path or an id are no way to write a line of one's own."""
    stream = io.StringIO()
    log = RequestLog(stream, 1, "abc")
    log.write(Request('GE"T', '/a\n"b', inference_id='x"\n{ä'), Response(404, "application/json", b""), 0)
    log.flush()
    line = json.loads(stream.getvalue())
    assert (line["method"], line["path"], line["inference_id"]) == ('GE"T', '/a\n"b', 'x"\n{ä')
    assert stream.getvalue().count("\n") == 1


def test_a_disk_that_is_full_costs_lines_and_nothing_else() -> None:
    """Requests go on, nothing is kept for ever, and when there is room again lines are written again."""

    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    stream = Full()
    log = RequestLog(stream, 1, "abc")
    assert log.write(ASKED, Response(200, "text/csv", b""), 0)
    log.flush()
    stream.full = False
    assert log.write(ASKED, Response(200, "text/csv", b""), 0)
    log.flush()
    assert stream.getvalue().count("\n") == 1
    stream.close()
    log.write(ASKED, Response(200, "text/csv", b""), 0)
    log.flush()
