"""champion.json: the model that serves now against the one of this job, and whether it is to take its place."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from relabel import files
from relabel.evaluation.comparison import Interval
from relabel.evaluation.metrics import Scores
from relabel.results.findings import Findings

NAME = "champion.json"
SCORES = ("accuracy", "log_loss", "macro_f1", "ece")


def write(folder: Path, findings: Findings) -> None:
    """Write the figures; where no champion is given, take away what an earlier job left."""
    if findings.contest is None:
        (folder / NAME).unlink(missing_ok=True)
    else:
        files.write_json(folder / NAME, as_dict(findings))


def read(folder: Path) -> dict[str, Any] | None:
    """Read them back; None where there was no champion."""
    path = folder / NAME
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def as_dict(findings: Findings) -> dict[str, Any]:
    """Put the contest into JSON values. Intervals are [value, low, high], of 95%; what cannot be told without rows is null or empty."""
    held = findings.contest
    assert held is not None  # noqa: S101  # it is written only where there is one
    found, decided = held.comparison, held.promotion
    sides = {} if found is None else {"champion": _scores(found.before), "challenger": _scores(found.after)}
    return {
        "champion": held.champion,
        "challenger": findings.model[:12],
        "rows": 0 if found is None else found.rows,
        "left_out": dict(held.left_out),
        "scores": sides,
        "gain": {name: _interval(gain) for name, gain in decided.gain.items()},
        "gain_of_right_labels": None if decided.right_labels is None else _interval(decided.right_labels),
        "guards": {name: _interval(gain) for name, gain in decided.guards.items()},
        "mcnemar": None if found is None else dataclasses.asdict(found.mcnemar),
        "smallest_gain_seen": None if found is None else decided.smallest_seen,
        "rows_needed": decided.rows_needed,
        "basis": decided.basis,
        "decision": decided.decision,
        "reason": decided.reason,
        "notes": list(held.notes),
        "start": findings.served.start or None,
    }


def _scores(scores: Scores) -> dict[str, float]:
    return {name: getattr(scores, name) for name in SCORES}


def _interval(found: Interval) -> list[float]:
    return [found.value, found.low, found.high]
