"""Promises of the application, asked without a network: what an answer leaves behind, and what a blind page keeps to itself."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from relabel.review import app
from relabel.review.desk import Desk
from relabel.review.security import Gate

TOKEN = "a-token-of-the-tests"  # noqa: S105  # it opens nothing
ENTRY = {"Host": "127.0.0.1:8321", "Authorization": f"Bearer {TOKEN}"}


class Client:
    """A page that speaks to an application on a desk."""

    def __init__(self, flask: FlaskClient, reviewer: str) -> None:
        self.flask, self.reviewer = flask, reviewer

    def get(self, path: str) -> tuple[int, Any]:
        """Ask; the status and what was said."""
        with self.flask.get(path, headers=ENTRY) as reply:
            return reply.status_code, reply.get_json(silent=True)

    def post(self, path: str, **said: Any) -> tuple[int, Any]:
        """Send; the status and what was said."""
        body = {"reviewer": self.reviewer, "window": "a-window", **said}
        reply = self.flask.post(path, json=body, headers=ENTRY)
        return reply.status_code, reply.get_json()

    def next(self) -> dict[str, Any]:
        """Ask for a card."""
        return self.post("/api/next")[1]["card"]

    def decide(self, card: str, answer: str | None, once: str = "", **more: Any) -> tuple[int, Any]:
        """Answer a card."""
        said = {"card": card, "answer": answer, "once": once or uuid.uuid4().hex, "seconds": 1.0, "queued": True}
        return self.post("/api/decide", **said, **more)


@pytest.fixture
def client(results) -> Callable[..., Client]:
    """Give the function that lets somebody use a desk."""

    def make(desk: Desk, reviewer: str = "ann") -> Client:
        site = app.Site(desk, Gate(TOKEN, 8321), results, None, ())
        return Client(app.create(site).test_client(), reviewer)

    return make


def test_an_answer_that_was_taken_back_is_not_called_saved(seat, client) -> None:
    """Tried again by its name, after its confirmation got lost and it was taken back, it is refused with words; by a new name it is kept."""
    desk = seat()
    ann = client(desk)
    card, once = ann.next()["id"], uuid.uuid4().hex
    saved = ann.decide(card, "1", once)[1]["saved"]
    assert ann.post("/api/undo", decision=saved["id"])[0] == 200
    status, said = ann.decide(card, "1", once)
    assert (status, "taken back" in said["error"]) == (409, True)
    assert not desk.answered()
    assert ann.decide(card, "1", instead=[once])[0] == 200
    assert [one.answer for one in desk.answered()] == ["1"]


def test_an_answer_in_place_of_one_of_which_nothing_was_heard_stands_alone(seat, client) -> None:
    """Whether the server had kept that one or not; so one undo leaves nothing behind."""
    desk = seat()
    ann = client(desk)
    card, kept, lost = ann.next()["id"], uuid.uuid4().hex, uuid.uuid4().hex
    ann.decide(card, "0", kept)
    saved = ann.decide(card, "1", instead=[kept, lost])[1]["saved"]
    assert [one.answer for one in desk.answered()] == ["1"]
    assert desk.verdicts()[desk.question(card)].answer == "1"
    ann.post("/api/undo", decision=saved["id"])
    assert not desk.answered()
    assert not desk.verdicts()


def test_why_a_card_was_asked_outlasts_the_server(seat, client) -> None:
    """An answer on a card drawn by chance counts as such, though another server than that which drew it takes it."""
    ann = client(seat(random_share=0.3))
    while (card := ann.next())["why"]["name"] != "random":
        ann.decide(card["id"], "0", why=card["why"]["name"])
    again = seat(random_share=0.3)
    assert client(again).decide(card["id"], "1", why="random")[0] == 200
    assert again.answered()[-1].why == "random"
    assert client(again).decide(card["id"], "1", why="other")[0] == 422


def test_a_name_counts_in_one_form(seat, client) -> None:
    """Written with one sign or with two it is one person: in answers, lists and counts."""
    desk = seat(people=2)
    one, other = client(desk, "Zo\u00eb"), client(desk, "Zoe\u0308")
    card = one.next()["id"]
    one.decide(card, "1")
    other.decide(card, "0")
    assert desk.people() == {"Zo\u00eb": 1}
    found = [one.get(f"/api/decisions?reviewer={name}")[1]["decisions"] for name in ("Zo\u00eb", "Zoe\u0308")]
    assert [len(decisions) for decisions in found] == [2, 2]


@pytest.mark.parametrize("blind", [True, False])
def test_a_skip_on_a_blind_page_tells_no_label(seat, client, results, *, blind) -> None:
    """Neither its confirmation nor the list of decisions, nor the report, which is neither linked nor sent; an answer then does."""
    (results / "report.html").write_text("<!doctype html><title>The report</title>")
    ann = client(seat(blind=blind))
    card = ann.next()["id"]
    skipped = ann.decide(card, None)[1]
    assert ("given" in skipped["card"], skipped["saved"]["given"] is None) == (not blind, blind)
    told = json.dumps([skipped["card"], ann.get("/api/decisions?reviewer=ann")[1]])
    assert ("posterior" in told, '"value"' in told) == (not blind, not blind)
    assert ann.get("/report.html")[0] == (404 if blind else 200)
    assert (b'id="nav-report"' in ann.flask.get("/", headers=ENTRY).data) is not blind
    assert ann.decide(card, "1")[1]["card"]["given"]
