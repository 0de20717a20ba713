"""Windows of traffic held against the model's reference, one after another.

Of the error `alpha` half is for each window by itself, half for the evidence of all windows together, ever: see `evaluation.drift`.
Letters: N rows of traffic, n rows of a window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError
from relabel.evaluation.drift import betting, window
from relabel.evaluation.drift.betting import Evidence, Table
from relabel.evaluation.drift.told_apart import DEALS
from relabel.evaluation.drift.window import Judged, Rows
from relabel.model import training_rows
from relabel.model.reference import Reference
from relabel.monitoring.captured import Traffic
from relabel.monitoring.journal import Journal
from relabel.serving.served import Served

FEWEST = 30
"""Rows of a window, and of a reference, with fewer of which nothing is judged."""

MOST = 10_000
"""Rows of a window that are compared, evenly spread over it: more would show drift too small to matter."""

LEAST_P = 12
"""Deals for each 1 / alpha, so that the smallest p that there can be is a quarter of what is asked of a window."""

MOVED, EXAMPLES, UNUSUAL = 8, 10, 0.95
"""Measures and rows that are named of each window; rows only where more than this share of the reference looks less like the window."""

DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What traffic is held against."""

    served: Served
    reference: Reference
    rows: Rows
    game: Table
    alpha: float


def watch(served: Served, reference: Reference, alpha: float) -> Watch:
    """Make ready. Raises UserError where the reference is too small."""
    if len(reference) < FEWEST:
        raise UserError(
            f"the model's reference has {len(reference)} rows: train with {FEWEST} dev and test rows at least"
        )
    rows = Rows(reference.seen, reference.probability)
    return Watch(served, reference, rows, betting.table(rows, alpha / 2), alpha)


def judged(watched: Watch, traffic: Traffic, windows: list[slice], before: Journal) -> Journal:
    """Judge windows of traffic (N rows), and write them down behind those of before."""
    journal = before
    for place in windows:
        part = traffic.take(np.arange(place.start, place.stop))
        figures, evidence = _window(watched, part, len(journal.windows) + 1, journal.evidence)
        journal = journal.after((str(part.time[-1]), str(part.ids[-1])), figures, evidence)
    return journal


def _window(watched: Watch, traffic: Traffic, number: int, evidence: Evidence) -> tuple[Mapping[str, Any], Evidence]:
    """Judge one window; give its figures, and the evidence after it."""
    compared = _compared(watched.served, traffic)
    figures: dict[str, Any] = {
        "number": number,
        "start": str(traffic.time[0]),
        "end": str(traffic.time[-1]),
        "rows": len(traffic),
        "compared": int(compared.size),
        "confidence": _short(traffic.probability.max(axis=1).mean()),
        "shares": _shares(traffic, watched.served.artifact.classes),
        "drifted": False,
    }
    if compared.size >= FEWEST:
        part = traffic.take(compared)
        rows = Rows(_seen(watched, part), part.probability)
        deals = max(DEALS, math.ceil(LEAST_P / watched.alpha))
        rng = np.random.default_rng(number)
        found = window.judge(watched.rows, rows, watched.reference.view.names, rng, deals=deals)
        figures |= _said(found, part) | {"drifted": found.drifted(watched.alpha / 2)}
        for half in (slice(None, None, 2), slice(1, None, 2)):  # what the first shows is bet on in the second
            evidence = betting.bet(evidence, watched.game, rows.take(np.arange(compared.size)[half]))
    alarm = evidence.alarms(watched.alpha / 2)
    return figures | {"log10_wealth": _short(evidence.log_wealth / np.log(10)), "alarm": alarm}, evidence


def _compared(served: Served, traffic: Traffic) -> NDArray[np.intp]:
    """Give the rows that say something of the traffic: of equal rows the first, and none that the model was trained on.

    A row sent ten times is no ten rows, and a row that the model learned is no new one: to it the model is surer than to others of its kind.
    """
    hashed = []
    if traffic.vectors is not None:
        hashed.append(training_rows.hashes(traffic.vectors))
    if traffic.texts is not None:
        hashed.append(training_rows.text_hashes(traffic.texts.tolist()))
    first = np.sort(np.unique(hashed[0], return_index=True)[1])
    known = served.artifact.training_rows
    if known is not None:
        seen = [training_rows.known(known, one[first]) for one in hashed]
        if traffic.vectors is not None and traffic.texts is not None:
            seen[1] &= traffic.texts[first] != ""  # of a row that came as a vector nothing is known by its text
        first = first[~np.any(seen, axis=0)]
    return np.asarray(first if first.size <= MOST else first[np.arange(MOST) * first.size // MOST])


def _seen(watched: Watch, traffic: Traffic) -> NDArray[np.float32]:
    if watched.reference.view.kind == "vectors":
        if traffic.vectors is None:
            raise UserError(
                "the model reads words and its reference is of vectors: give the artifact as the job wrote it"
            )
        return watched.reference.view(traffic.vectors)
    if traffic.texts is None or watched.served.read is None:
        raise UserError("the model reads vectors and its reference is of words: give the artifact as the job wrote it")
    with watched.served.computes:
        return watched.reference.view(watched.served.read(traffic.texts.tolist()))


def _said(found: Judged, traffic: Traffic) -> dict[str, Any]:
    """Say what was found of a window, as JSON; of rows their ids alone."""
    order = found.order[:EXAMPLES]
    return {
        "p": {name: float(p) for name, p in found.p.items()},
        "auc": _short(found.auc),
        "classes": _stability(found.classes),
        "moved": [
            {"name": one.name, "distance": _short(one.distance), "p": one.p, **_stability(one.stability)}
            for one in found.moved[:MOVED]
        ],
        "unlike": [str(traffic.ids[row]) for row in order[found.score[order] > UNUSUAL].tolist()],
    }


def _stability(found: Any) -> dict[str, float]:
    return {"index": _short(found.index), "limit": _short(found.limit)}


def _shares(traffic: Traffic, classes: tuple[str, ...]) -> dict[str, float]:
    counts = np.bincount(traffic.label, minlength=len(classes)) / len(traffic)
    return {name: _short(share) for name, share in zip(classes, counts, strict=True)}


def _short(value: Any) -> float:
    return round(float(value), DIGITS)
