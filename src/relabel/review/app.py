"""The web application: one page, its files, and what it asks for as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from flask import Flask, Response, abort, redirect, render_template, request, send_file
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from relabel import looks
from relabel.data.examples import Split
from relabel.data.reviews import NEITHER
from relabel.errors import PlatformError, UserError
from relabel.results.reviewing import wording
from relabel.review import answers, cards, messages
from relabel.review.desk import Desk
from relabel.review.lists import Lists, Wish
from relabel.review.material import REPORT
from relabel.review.retraining import Retraining
from relabel.review.security import HEADERS, POLICY, REPORT_POLICY, SAFE, Asked, Gate, Refusal
from relabel.review.store import Decision, Said

M = TypeVar("M", bound=BaseModel)
LARGEST = 32 << 10
"""Bytes of a request's body."""


@dataclass(frozen=True, slots=True)
class Site:
    """What an application is made of.

    results:  folder of the job. retraining: None where nobody said which data to train on.
    commands: what to type to train again, where the page cannot start it.
    """

    desk: Desk
    gate: Gate
    results: Path
    retraining: Retraining | None
    commands: tuple[str, ...]


def create(site: Site) -> Flask:
    """Make the application."""
    app = Flask("relabel.review", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.jinja_env.autoescape = True
    _guard(app, site.gate)
    _pages(app, site)
    _answering(app, site.desk)
    _looking(app, site)
    _retraining(app, site)
    return app


def _guard(app: Flask, gate: Gate) -> None:
    """Let pass what may, and say to the browser what it must not do."""

    @app.before_request
    def check() -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, headers, request.cookies.get(gate.cookie, ""))
        if request.path == "/" and request.method in SAFE and "token" in request.args:
            return _refused(found) if (found := gate.host(asked)) is not None else _enter(gate, request.args["token"])
        return None if (found := gate.refusal(asked)) is None else _refused(found)

    @app.after_request
    def forbid(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        if isinstance(error, HTTPException):
            return _refused(Refusal(error.code or 500, error.description or error.name))
        if isinstance(error, PlatformError):
            return _refused(Refusal(503, str(error)))
        if isinstance(error, UserError):
            return _refused(Refusal(409, str(error)))
        app.logger.error("%s", type(error).__name__, exc_info=error)
        return _refused(Refusal(500, "the server made a mistake; its output says which"))


def _enter(gate: Gate, token: str) -> Response:
    """Change the token of the address for a cookie, and go to the address without it."""
    if not gate.knows(token):
        return _refused(
            Refusal(401, "the token is of another run of the server: open the address that it printed last")
        )
    if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        response = Response(status=303, headers={"Location": "/"})
    else:  # opened from another site, whose cookies rule would hold for the redirect too: go on from a page of our own
        response = Response('<!doctype html><meta http-equiv="refresh" content="0; url=/"><a href="/">Review</a>')
    response.set_cookie(gate.cookie, gate.session, httponly=True, samesite="Strict", path="/")
    return response


def _pages(app: Flask, site: Site) -> None:
    blind = site.desk.options.blind

    @app.get("/")
    def page() -> str:
        return render_template("page.html", csrf=site.gate.csrf, report=not blind and (site.results / REPORT).is_file())

    @app.get("/base.css")
    def base() -> Response:
        return Response(looks.base_css(), mimetype="text/css")

    @app.get("/static/<name>")
    def static(name: str) -> Response:
        path = Path(__file__).parent / "static" / name
        kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
        if path.suffix not in kinds or not path.is_file():
            abort(404)
        return Response(path.read_bytes(), mimetype=kinds[path.suffix])

    @app.get("/favicon.ico")
    def icon() -> Any:
        return redirect("/static/icon.svg")

    @app.get("/report.html")
    def report() -> Response:
        return _report(site.results, blind=blind)

    @app.get("/retrained/report.html")
    def new_report() -> Response:
        return abort(404) if site.retraining is None else _report(site.retraining.results, blind=blind)


def _answering(app: Flask, desk: Desk) -> None:
    @app.post("/api/next")
    def following() -> Response:
        said = _read(messages.Next)
        found = desk.next(said.person, [desk.question(one) for one in said.besides if one in desk.place])
        return _json({"card": None if found is None else _card(desk, *found, said.reviewer)})

    @app.post("/api/decide")
    def decide() -> Response:
        said = _read(messages.Decide)
        question = _question(desk, said.card)
        if said.answer not in (None, NEITHER, *desk.questions.classes):
            return _refused(Refusal(422, "the answer is no class"))
        why = (
            (said.why or desk.why(question)) if said.queued else ""
        )  # the page knows it better than a server that was started since
        told = Said(said.once, said.card, said.reviewer, said.answer, why, said.seconds)
        decision = desk.decide(told, said.person, said.instead)
        if (decision.row_hash, decision.reviewer, decision.answer) != (said.card, said.reviewer, said.answer):
            return _refused(Refusal(409, "this was said before, with another answer"))
        if decision.withdrawn:
            return _refused(Refusal(409, "this answer was kept and then taken back: to give it anew, try again"))
        blind = desk.options.blind and said.answer is None
        return _json(
            {"saved": _decision(desk, decision), "card": cards.card(desk.material, question, why, blind=blind)}
        )

    @app.post("/api/undo")
    def undo() -> Response:
        said = _read(messages.Undo)
        found = desk.withdraw(said.decision, said.person)
        if found is None:
            return _refused(Refusal(404, "no such decision of yours"))
        question = desk.question(found.row_hash)
        return _json(
            {"withdrawn": _decision(desk, found), "card": _card(desk, question, desk.why(question), said.reviewer)}
        )

    @app.post("/api/hold")
    def hold() -> Response:
        said = _read(messages.Hold)
        desk.hold([desk.question(one) for one in said.cards if one in desk.place], said.person)
        return _json({})


def _looking(app: Flask, site: Site) -> None:
    desk = site.desk
    lists = Lists(desk)

    @app.get("/api/about")
    def about() -> Response:
        classes = desk.questions.classes
        choices = [{"value": name, "name": name} for name in classes]
        return _json(
            {
                "choices": choices,
                "neither": {"value": NEITHER, "name": wording.NEITHER_SHOWN},
                "blind": desk.options.blind,
                "people": desk.options.people,
                "questions": int(desk.material.wanted.sum()),
                "splits": [Split(one).name.lower() for one in np.unique(desk.questions.split[desk.material.wanted])],
                "exports": list(answers.SUFFIX),
                "retrain": site.retraining is not None,
                "commands": site.commands,
            }
        )

    @app.get("/api/card/<row_hash>")
    def card(row_hash: str) -> Response:
        question = _question(desk, row_hash)
        return _json({"card": _card(desk, question, desk.why(question), _who())})

    @app.get("/api/list")
    def found() -> Response:
        names = {field.name for field in dataclasses.fields(Wish)} - {"name"}
        wish = {name: value for name, value in request.args.items() if name in names}
        if wish.get("split") not in (None, "", "train", "dev", "test"):
            abort(400, "no such split")
        first = request.args.get("first", 0, type=int)
        return _json(lists.page(Wish(**wish, name=_who()), max(0, first)))

    @app.get("/api/decisions")
    def decisions() -> Response:
        return _json({"decisions": [_decision(desk, one) for one in desk.decisions(_who())]})

    @app.get("/api/progress")
    def progress() -> Response:
        return _json({**desk.progress().as_dict(), "people": desk.people()})

    @app.get("/api/export/<form>")
    def export(form: str) -> Response:
        if form not in answers.SUFFIX:
            abort(404, "no such format")
        data = answers.exported(form, desk.questions, desk.material.earlier, desk.answered())
        name = f"{'reviews' if form == answers.REVIEWS else 'answers'}{answers.SUFFIX[form]}"
        kept = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(data, mimetype="application/octet-stream", headers=kept)


def _retraining(app: Flask, site: Site) -> None:
    def told(of: Retraining) -> Response:
        said = of.told(site.results)
        return _json({**said, "report": said["report"] and not site.desk.options.blind})

    @app.get("/api/retrain")
    def state() -> Response:
        if site.retraining is None:
            return _json({"state": "unavailable"})
        return told(site.retraining)

    @app.post("/api/retrain")
    def start() -> Response:
        if site.retraining is None:
            return _refused(Refusal(409, "start the page with --data to train from here"))
        site.retraining.start(
            answers.exported(answers.REVIEWS, site.desk.questions, site.desk.material.earlier, site.desk.answered())
        )
        return told(site.retraining)


def _card(desk: Desk, question: int, why: str, name: str) -> dict[str, Any]:
    """Give a card with what the person said of it before."""
    last = desk.last(name, question)
    blind = desk.options.blind and (last is None or last.answer is None)
    return {
        **cards.card(desk.material, question, why, blind=blind),
        "mine": None if last is None else _decision(desk, last),
    }


def _decision(desk: Desk, decision: Decision) -> dict[str, Any]:
    """Tell a decision; of a skip on a blind page neither label nor place, whose file may have a label's name."""
    row = desk.place[decision.row_hash]
    shown = int(desk.questions.shown[desk.questions.question[row]])
    blind = desk.options.blind and decision.answer is None
    return {
        "id": decision.id,
        "card": desk.questions.row_hash[shown],
        "text": cards.excerpt(desk.questions.text[row])
        or (f"Row {row:,}" if blind else cards.place(desk.questions, row)),
        "given": None if blind else cards.shown(desk.questions.given[row]),
        "answer": decision.answer,
        "name": cards.choice(decision.answer),
        "time": decision.time,
        "withdrawn": decision.withdrawn,
    }


def _question(desk: Desk, row_hash: str) -> int:
    """Find a question that may be looked at."""
    if row_hash not in desk.place or not desk.material.wanted[desk.question(row_hash)]:
        abort(404, "no such question")
    return desk.question(row_hash)


def _who() -> str:
    return messages.one_form(request.args.get("reviewer", "", type=str))


def _read(kind: type[M]) -> M:
    """Read what the page sent; what is wrong is named by its field, and never quoted."""
    try:
        return kind.model_validate_json(request.get_data())
    except ValidationError as error:
        fields = sorted({str(one["loc"][0]) if one["loc"] else "body" for one in error.errors(include_url=False)})
        abort(422, f"{', '.join(fields)}: not as the page sends it")


def _report(folder: Path, *, blind: bool) -> Response:
    """Send a report, which brings a policy of its own; on a blind page there is none, for it tells labels and doubt."""
    path = folder / REPORT
    if blind:
        abort(404, "the page is blind, and a report tells the labels")
    if not path.is_file():
        abort(404, "no report there")
    response = send_file(path.resolve(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    return response


def _refused(refusal: Refusal) -> Response:
    return _json({"error": refusal.message}, refusal.status)


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status, mimetype="application/json")
