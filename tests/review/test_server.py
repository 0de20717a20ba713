"""Promises of the page's server, started as people start it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import threading
import time
import uuid
from http.client import HTTPException
from pathlib import Path

import pytest
from click.testing import CliRunner

from relabel.cli.review import command
from relabel.errors import UserError
from relabel.review import server
from relabel.review.security import CSRF, POLICY
from relabel.review.store import Store


def test_the_token_of_the_address_becomes_a_cookie(shared) -> None:
    """It is gone from the address, out of reach of scripts and of other sites; the page then answers with its policy."""
    ann = shared.visitor()
    status, headers, _ = ann.ask("GET", f"/?token={shared.token}", Authorization="")
    assert (status, headers["location"]) == (303, "/")
    cookie, *rules = headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict"} <= set(rules)
    assert shared.token not in cookie
    status, headers, page = ann.ask("GET", "/", Authorization="", Cookie=cookie)
    assert status == 200
    assert headers["content-security-policy"] == POLICY
    expected = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cache-control": "no-store"}
    assert expected.items() <= headers.items()
    assert shared.token.encode() not in page
    crossed = ann.ask("GET", f"/?token={shared.token}", Authorization="", Sec_Fetch_Site="cross-site")
    assert (crossed[0], b"http-equiv" in crossed[2]) == (200, True), (
        "a link on another site's page needs a step of our own"
    )
    (csrf,) = re.findall(rb'name="csrf" content="([0-9a-f]+)"', page)
    said = {"reviewer": "ann", "window": uuid.uuid4().hex, "besides": []}
    ours = {"Authorization": "", "Cookie": cookie, "Origin": f"http://127.0.0.1:{shared.port}"}
    assert ann.ask("POST", "/api/next", said, **ours)[0] == 403
    assert ann.ask("POST", "/api/next", said, **ours, **{CSRF: csrf.decode()})[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/base.css",
        "/static/main.js",
        "/report.html",
        "/api/about",
        "/api/list",
        "/api/progress",
        "/api/decisions",
        "/api/export/reviews",
        "/api/retrain",
        "/nothing",
    ],
)
def test_nothing_is_told_without_the_token(shared, path) -> None:
    """Pages, files, texts and figures alike; a wrong token and a foreign name no more than none."""
    ann = shared.visitor()
    assert ann.ask("GET", path, Authorization="")[0] == 401
    assert ann.ask("GET", path, Authorization="Bearer x")[0] == 401
    assert ann.ask("GET", path, Host="evil.example")[0] == 421
    assert ann.ask("GET", f"{path}?token=wrong", Authorization="")[0] == 401
    assert ann.ask("GET", f"/?token={shared.token}", Authorization="", Host="evil.example")[0] == 421


def test_requests_that_are_not_the_page_s_are_refused_without_an_echo(shared) -> None:
    """Too large, no JSON, a wrong field, an unknown card or class: each says what is wrong, none quotes it, nothing is kept."""
    ann = shared.visitor("nobody")
    card = ann.next()["id"]
    good = {
        "reviewer": "nobody",
        "window": ann.window,
        "card": card,
        "answer": "1",
        "once": uuid.uuid4().hex,
        "seconds": 1.0,
        "queued": True,
    }
    for body, status in (
        (b"{" * 10, 422),
        ({**good, "answer": "SECRET"}, 422),
        ({**good, "reviewer": "  "}, 422),
        ({**good, "reviewer": "a\u202eb"}, 422),
        ({**good, "seconds": "SECRET"}, 422),
        ({**good, "more": "SECRET"}, 422),
        ({**good, "card": "SECRET"}, 404),
        (b" " * 40_000, 413),
    ):
        found, _, content = ann.ask("POST", "/api/decide", body)
        assert (found, b"SECRET" in content) == (status, False), content
        assert json.loads(content)["error"]
    assert ann.ask("POST", "/api/decide", json.dumps(good).encode(), Content_Type="text/plain")[0] == 415
    assert ann.ask("GET", "/static/..%2fapp.py")[0] == 404
    assert ann.get("/api/decisions?reviewer=nobody")["decisions"] == []


def test_a_text_with_every_harmful_sign_comes_whole(shared, hostile) -> None:
    """As JSON, which the page makes into text alone; the list finds it by its words."""
    ann = shared.visitor("reader")
    found = ann.get("/api/list?text=%3CSCRIPT%3Ealert")
    assert found["total"] == 1
    card = ann.get(f"/api/card/{found['items'][0]['id']}?reviewer=reader")["card"]
    assert "".join(piece for piece, _ in card["text"]) == hostile


def test_the_report_brings_its_own_policy_and_stays_in_a_box(shared) -> None:
    """What runs in it cannot answer in the reader's name."""
    status, headers, content = shared.visitor().ask("GET", "/report.html")
    assert (status, b"The report" in content) == (200, True)
    assert headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in headers["content-security-policy"]


def test_from_the_first_card_to_the_exported_answer(results, serving) -> None:
    """Answer, say it again, undo, skip, list, progress, export, a second person: through the server, and there after a restart."""
    with serving(results, "--random-share", 0) as running:
        ann, bob = running.visitor(), running.visitor("bob")
        card = ann.next()
        assert (card["why"]["name"], card["rows"]) == ("conflict", 2)
        assert bob.next()["id"] != card["id"]
        once = uuid.uuid4().hex
        saved = ann.decide(card["id"], "1", once)["saved"]
        assert ann.decide(card["id"], "1", once)["saved"] == saved
        status, _, _ = ann.ask(
            "POST",
            "/api/decide",
            {
                "reviewer": "ann",
                "window": ann.window,
                "card": card["id"],
                "answer": "0",
                "once": once,
                "seconds": 1.0,
                "queued": True,
            },
        )
        assert status == 409
        following = ann.next()
        ann.decide(following["id"], None)
        back = ann.post("/api/undo", decision=saved["id"])
        assert (back["card"]["id"], back["card"]["mine"]) == (card["id"], None)
        assert (
            bob.ask("POST", "/api/undo", {"reviewer": "bob", "window": bob.window, "decision": saved["id"]})[0] == 404
        )
        ann.decide(card["id"], "neither")
        assert ann.get(f"/api/card/{card['id']}?reviewer=ann")["card"]["mine"]["name"] == "Neither"
        assert [one["name"] for one in ann.get("/api/decisions?reviewer=ann")["decisions"]] == ["Neither", "Skipped"]
        for wish, count in (
            ("state=mine", 1),
            ("state=skipped", 1),
            ("state=open", 58),
            ("why=conflict", 1),
            ("split=test", 12),
            ("given=0&suggested=1&state=open", 14),
        ):
            assert ann.get(f"/api/list?{wish}&reviewer=ann")["total"] == count, wish
        assert ann.ask("GET", "/api/list?split=other")[0] == 400
        progress = ann.get("/api/progress")
        assert (progress["answered"], progress["neither"], progress["people"]) == (1, 1, {"ann": 1})
        status, headers, content = ann.ask("GET", "/api/export/reviews")
        assert headers["content-disposition"] == 'attachment; filename="reviews.jsonl"'
        (answer,) = map(json.loads, content.splitlines())
        assert (answer["answer"], answer["reviewer"], answer["why"], answer["source"]) == (
            "neither",
            "ann",
            "conflict",
            "page",
        )
    assert running.process.returncode == 0
    with serving(results) as running:
        assert [one["name"] for one in running.visitor().get("/api/decisions?reviewer=ann")["decisions"]] == [
            "Neither",
            "Skipped",
        ]


def test_a_blind_page_shows_the_labels_after_the_answer(results, serving) -> None:
    """Neither card nor list tells them before."""
    with serving(results, "--blind") as running:
        ann = running.visitor()
        card = ann.next()
        assert not {"given", "suggested", "posterior", "why", "labels"} & set(card)
        assert not any({"given", "suggested"} & set(item) for item in ann.get("/api/list?reviewer=ann")["items"])
        assert ann.get("/api/list?given=0&why=conflict&reviewer=ann")["total"] == 59
        assert ann.decide(card["id"], "1")["card"]["given"]
        assert ann.get(f"/api/card/{card['id']}?reviewer=ann")["card"]["given"]


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_0_and_without_a_trace(results, serving, stop) -> None:
    """On either signal, with a connection open."""
    with serving(results) as running:
        running.visitor().next()
        running.process.send_signal(stop)
        assert running.process.wait(timeout=30) == 0
    assert not [line for line in running.errors if "Traceback" in line or "ERROR" in line]


def test_a_kill_in_a_storm_of_answers_loses_none_that_was_confirmed(results, serving) -> None:
    """Two people answer as fast as they can; the server dies at once; every confirmed decision is in the file, and shown after a restart."""
    confirmed: dict[str, list[int]] = {"ann": [], "bob": []}
    with serving(results, "--random-share", 0) as running:
        enough = threading.Event()

        def answer(name: str) -> None:
            visitor = running.visitor(name)
            try:
                while True:
                    card = visitor.next()
                    decision = visitor.decide(card["id"], "1")["saved"]["id"]
                    confirmed[name].append(decision)
                    if len(confirmed[name]) % 5 == 0:
                        visitor.post("/api/undo", decision=decision)
                    if len(confirmed[name]) == 12:
                        enough.set()
            except (OSError, AssertionError, ValueError, HTTPException):
                return  # the server is gone

        threads = [threading.Thread(target=answer, args=(name,)) for name in confirmed]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        for pid in (running.process.pid, *running.children()):
            os.kill(pid, signal.SIGKILL)
        for thread in threads:
            thread.join(30)
        running.process.wait(timeout=10)
    with Store(results / "review.sqlite", "digest", ("0", "1")) as store:
        kept = {decision.id: decision for decision in store.all()}
    assert min(len(ids) for ids in confirmed.values()) >= 2
    for name, ids in confirmed.items():
        assert {kept[one].reviewer for one in ids} == {name}
        assert all(bool(kept[one].withdrawn) or n % 5 for n, one in enumerate(ids[:-1], 1))
    with serving(results) as running:
        ann = running.visitor()
        shown = {one["id"] for one in ann.get("/api/decisions?reviewer=ann")["decisions"]}
        assert shown == {one.id for one in kept.values() if one.reviewer == "ann" and not one.withdrawn}


def test_requests_that_never_end_stop_nobody(results, serving) -> None:
    """More of them than there are threads, without a token, in their head or in their body: who works waits for seconds, and nothing is logged."""
    halves = ("GET / HTTP/1.1\r\nHost: x", "POST /api/decide HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
    with serving(results) as running, contextlib.ExitStack() as opened:
        for number in range(server.THREADS + 8):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            connection.sendall(halves[number % 2].encode())
        begun = time.monotonic()
        assert running.visitor().next()["id"]
        assert time.monotonic() - begun < 2 * server.READING + 3
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=30) == 0
    assert not running.errors


def test_a_token_of_one_s_own_comes_from_a_file(results, serving, tmp_path) -> None:
    """Not from the command line, which others can read; one that could be guessed is refused, and not quoted."""
    secret = tmp_path / "token"
    secret.write_text("sixteen-letters!\n")
    with serving(results, "--token-file", secret) as running:
        assert running.token == "sixteen-letters%21"  # noqa: S105  # that of a server which has ended
        running.token = "sixteen-letters!"  # noqa: S105
        assert running.visitor().next()
        assert "sixteen" not in Path(f"/proc/{running.process.pid}/cmdline").read_text()
    secret.write_text("guess-me")
    done = CliRunner().invoke(command, ["serve", str(results), "--token-file", str(secret), "--port", "0"])
    assert isinstance(done.exception, UserError)
    assert "16" in str(done.exception)
    assert "guess-me" not in str(done.exception)


def test_other_machines_are_let_in_only_on_purpose(results, made, written, tmp_path) -> None:
    """And what cannot work is refused before anything listens: another job's decisions, a folder that cannot be written, a taken port."""

    def refused(*arguments: object) -> str:
        done = CliRunner().invoke(command, ["serve", *map(str, arguments)])
        assert isinstance(done.exception, UserError), done.output
        return str(done.exception)

    assert "--allow-remote" in refused(results, "--host", "0.0.0.0", "--port", 0)  # noqa: S104
    Store(results / "review.sqlite", "digest", ("0", "1")).close()
    other = written(tmp_path / "other", made(), digest="another")
    assert "other data" in refused(other, "--store", results / "review.sqlite", "--port", 0)
    taken = server.listening("127.0.0.1", 0)
    assert "--port" in refused(results, "--port", taken.getsockname()[1])
    taken.close()
    assert "--splits" in refused(results, "--splits", "other")
