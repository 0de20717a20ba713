"""A clock that jumps: by hours, days and years, both ways, before and between the moments at which a job looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from trial import Case, Trial, Whole, judged

HOURS = {"an hour back": -1, "a day on": 24, "to 1970": -24 * 365.25 * 56, "to 2100": 24 * 365.25 * 74}


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Jump at the beginning, in a fit, among the results; and let a killed job go on under another clock."""
    marks = {"before reading": "/config/", "in a fit": ".running.", "in the results": "cleaned.csv"}
    moments = {name: next(n for n, e in enumerate(whole.events, 1) if mark in e.path) for name, mark in marks.items()}
    for jump, hours in HOURS.items():
        for name, event in list(moments.items())[1 if short else 0 :: 2 if short else 1]:
            fault = {"act": "jump", "hours": hours, "event": event}
            yield Case(f"{jump}, {name}", partial(_tried, whole, fault))
        if not short:
            fault = {"act": "jump", "hours": hours, "event": 1}
            yield Case(f"{jump}, between a kill and the next start", partial(_resumed, whole, fault))


def _tried(whole: Whole, fault: Mapping[str, Any], folder: Path) -> Trial:
    job = whole.copy(folder)
    return judged(whole, job, job.run(fault))


def _resumed(whole: Whole, fault: Mapping[str, Any], folder: Path) -> Trial:
    job = whole.copy(folder)
    middle = next(n for n, event in enumerate(whole.events, 1) if ".models." in event.path) + 8
    job.run({"act": "signal", "target": "container", "event": middle})
    return judged(whole, job, job.run(fault))
