"""What is done in a round, but for training: collect, select, decide. Each is done once in a round, and does nothing the second time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files
from relabel.auditing.selection import Method
from relabel.data.examples import Split
from relabel.errors import UserError
from relabel.loop import asking, choosing, collecting, places, standing, starting, training
from relabel.loop import folder as folders
from relabel.loop import rows as stored
from relabel.loop.asking import Asked
from relabel.loop.choosing import DOUBTFUL
from relabel.loop.collecting import Captured
from relabel.loop.folder import Loop
from relabel.loop.journal import Event
from relabel.loop.places import Place
from relabel.loop.rows import Rows
from relabel.results.reviewing import queue
from relabel.results.reviewing.questions import Questions

KEPT = ("decision", "reason", "rows", "scores", "gain")
"""Of the evidence, what the journal has."""

See = Callable[[Rows], tuple[Any, Any]]
"""Gives probabilities (N, C) and vectors (N, D) of rows by the model that serves."""


def collect(
    loop: Loop,
    traffic: Captured,
    texts: Mapping[str, str] | None = None,
    unread: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Take traffic into the pool, which begins a round. Where the round has begun, what is new is added until rows are chosen.

    texts:  for people to read, by id; of rows that came without.
    unread: how many records are not among the traffic, by reason, to be told where nothing is new.

    Raises UserError where rows were chosen already, or none is new.
    """
    number, last = loop.at()
    if last not in ("", "collect"):
        raise UserError(
            f"round {number} has chosen its rows: finish it, and collect for the next round then; no traffic is lost meanwhile"
        )
    pools = loop.pools()
    new, skipped = collecting.collected(traffic, texts or {}, starting.labelled(loop), [rows for _, rows in pools])
    own = [rows for at, rows in pools if at == number]
    if not len(new) and not own:
        raise UserError(_nothing(len(traffic.ids), {**(unread or {}), **skipped}))
    facts = {"rows": len(new), "in_round": len(new) + sum(map(len, own)), "skipped": dict(skipped)}
    if not len(new):
        return facts
    paths = stored.write(loop.round_folder(number) / "pool.csv", stored.joined([*own, new]))
    loop.journal.write("collect", number, facts, paths)
    return facts


def select(
    loop: Loop,
    see: See,
    count: int,
    *,
    test_share: float,
    random_share: float,
    method: Method,
    doubtful: int = 0,
    doubted: Questions | None = None,
) -> Asked:
    """Choose what people label next; what was chosen in this round stays.

    see:      asks the model that serves.
    doubtful: how many labelled rows are asked about again, of `doubted`, the last job's. They are part of the count.
    """
    number = loop.needs("select")
    path = loop.round_folder(number) / asking.NAME
    if not loop.done("select"):
        again = [] if doubted is None else _doubtful(loop, doubted, doubtful)
        pools = loop.pools()
        pool = stored.joined([rows for _, rows in pools])
        before = set(standing.asked(loop).hash.tolist())
        probability, vectors = see(pool)
        chosen = choosing.choose(
            probability,
            vectors,
            count - len(again),
            fresh=np.concatenate([np.full(len(rows), at == number) for at, rows in pools]),
            asked=np.array([found in before for found in pool.hash.tolist()], np.bool_),
            test_share=test_share,
            random_share=random_share,
            method=method,
            seed=loop.seed * 1000 + number,
        )
        rows = pool.take(chosen.rows)
        new = zip(rows.hash, rows.id, rows.texts, chosen.why, np.full(len(rows), ""), strict=True)
        files.write_text(path, stored.table(asking.COLUMNS, [*new, *again]))
        parts = dict(zip(*np.unique([*chosen.why, *(line[3] for line in again)], return_counts=True), strict=True))
        facts = {"asked_for": count, "method": method, "rows": {str(name): int(n) for name, n in parts.items()}}
        loop.journal.write("select", number, facts, [path])
    return asking.read([path])


def decide(loop: Loop, place: Place, *, force: str = "") -> dict[str, Any]:
    """Let the challenger serve where its job says `promote`, and end the round.

    force: why it shall serve against the evidence; that is written down.

    Done once more, with no round begun since, it says again what was decided; only `force` can change that, and is written down as well.

    Raises UserError where the model to force serves already, or is of a round that another followed.
    """
    number, last = loop.at()
    before = loop.journal.last("decide", number - 1)
    if not last and before is not None:
        return _forced(loop, place, before, force) if force else dict(before.facts)
    if force and before is not None and last in ("collect", "select"):
        raise UserError(
            f"round {number} has begun: the model of round {number - 1} can be promoted no more: train in this round, and promote then"
        )
    loop.needs("decide")
    folder = loop.round_folder(number)
    found = training.evidence(folder)
    trained = loop.journal.last("train", number)
    assert trained is not None  # noqa: S101  # `needs` saw it
    model = str(trained.facts["challenger"])
    facts: dict[str, Any] = {name: found[name] for name in KEPT if name in found}
    facts |= {"challenger": model, "champion": trained.facts["champion"], "forced": force}
    facts["promoted"] = found["decision"] == "promote" or bool(force)
    serves = loop.champion().name
    if facts["promoted"] and not force and serves not in (model, facts["champion"]):
        raise UserError(
            f"{model} is better than {facts['champion']}, but {serves} serves now: `relabel loop train` compares them"
        )
    paths = []
    if facts["promoted"]:
        places.promote(loop, folder / "output" / "model", model, place)
        paths = [loop.folder / folders.POINTER]
    loop.journal.write("decide", number, facts, paths)
    return facts


def _forced(loop: Loop, place: Place, before: Event, force: str) -> dict[str, Any]:
    """Let the challenger of the last round serve, after the evidence has kept it from that."""
    facts, model = dict(before.facts), str(before.facts["challenger"])
    if facts["forced"] == force and loop.champion().name == model:
        return facts
    if loop.champion().name == model:
        raise UserError(f"round {before.round}: {model} serves already: nothing to force")
    facts |= {"forced": force, "promoted": True}
    places.promote(loop, loop.round_folder(before.round) / "output" / "model", model, place)
    loop.journal.write("decide", before.round, facts, [places.pointer(loop)])
    return facts


def _doubtful(loop: Loop, doubted: Questions, count: int) -> list[tuple[str, ...]]:
    """Choose training rows that the last job doubts, worst first, but those that people were asked about."""
    known = set(standing.asked(loop).hash.tolist())
    free = (doubted.split == Split.TRAIN) & ~doubted.reviewed
    free &= np.array([found not in known for found in doubted.row_hash[doubted.shown].tolist()], np.bool_)
    worst = queue.worst_first(doubted, np.flatnonzero(free & doubted.flagged))[:count]
    shown = doubted.shown[worst].tolist()
    return [
        (str(doubted.row_hash[n]), str(doubted.id[n]), doubted.text[n] or "", DOUBTFUL, doubted.given[n] or "")
        for n in shown
    ]


def _nothing(rows: int, skipped: Mapping[str, int]) -> str:
    """Say why nothing is new."""
    counts = ", ".join(f"{count:,} {why}" for why, count in skipped.items())
    if not rows and counts:
        return f"no row of the traffic is good ({counts}): look whether this is traffic of the model that serves"
    return f"no new row among {rows:,} of the traffic{f' ({counts})' if counts else ''}: wait for more"


def results(loop: Loop) -> Path | None:
    """Give the results of the last job, None before the first."""
    event = loop.journal.last("train")
    return None if event is None else loop.round_folder(event.round) / "output" / "output" / "data"
