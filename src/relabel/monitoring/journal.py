"""What watching has come to so far: a small file by which the next run goes on, without reading old traffic again.

It has figures and the ids of a few requests; no text, no vector, no label.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files
from relabel.errors import UserError
from relabel.evaluation.drift.betting import LIMITS, Evidence

SCHEMA = 1
DETAILED = 30
"""Windows at the end of which every detail is kept; of earlier ones only where they drifted, so that a file of years stays small."""
DETAILS = {"moved", "unlike"}
FIGURES = {"number", "start", "end", "rows", "compared", "confidence", "shares", "drifted", "log10_wealth", "alarm"}
"""What each window has."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the figures are of: they may not be mixed with those of another model, error or size of windows."""

    model: str
    reference: str
    window: str
    alpha: float


@dataclass(frozen=True, slots=True, eq=False)
class Journal:
    """All windows so far.

    last:     time and id of the last row that was judged, or None.
    windows:  their figures, the first first; see `watching`.
    evidence: of all of them together.
    """

    watched: Watched
    last: tuple[str, str] | None = None
    windows: tuple[Mapping[str, Any], ...] = ()
    evidence: Evidence = field(default_factory=Evidence.none)

    @property
    def alarm(self) -> int | None:
        """The number of the window with which the evidence over time sufficed, None where it never did. It stands until another model."""
        return next((one["number"] for one in self.windows if one["alarm"]), None)

    def after(self, last: tuple[str, str], window: Mapping[str, Any], evidence: Evidence) -> Journal:
        """Give the journal with one more window."""
        early, late = self.windows[: -DETAILED + 1], self.windows[-DETAILED + 1 :]
        return replace(self, last=last, windows=(*map(_brief, early), *late, window), evidence=evidence)


def read(path: Path, watched: Watched) -> Journal:
    """Read a journal, an empty one where there is no file.

    Raises UserError where it is broken, or of another model, error or size of windows.
    """
    if not path.exists():
        return Journal(watched)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["schema"] != SCHEMA:
            raise UserError(
                f"{path}: schema {said['schema']!r}, this version reads {SCHEMA}: use the relabel that wrote it"
            )
        former, evidence = Watched(**said["watched"]), _evidence(said["evidence"])
        last, windows = said["last"], tuple(map(_whole, said["windows"]))
        journal = Journal(former, None if last is None else (last[0], last[1]), windows, evidence)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise UserError(
            f"{path} is no state of `relabel drift`: name another file, or move it away and start anew"
        ) from None
    if former != watched:
        different = [name for name in Watched.__dataclass_fields__ if getattr(former, name) != getattr(watched, name)]
        raise UserError(
            f"{path} is of another {' and '.join(different)}: name another file, or move it away and start anew"
        )
    return journal


def write(path: Path, journal: Journal) -> None:
    """Write a journal, atomically."""
    watched = {name: getattr(journal.watched, name) for name in Watched.__dataclass_fields__}
    evidence = journal.evidence
    said = {
        "schema": SCHEMA,
        "watched": watched,
        "last": journal.last,
        "windows": list(journal.windows),
        "evidence": {
            "batches": evidence.batches,
            "rows": evidence.rows,
            "sums": evidence.sums.tolist(),
            "stakes": [stake if math.isfinite(stake) else None for stake in evidence.stakes.tolist()],
        },
    }
    files.write_json(path, said)


def _brief(window: Mapping[str, Any]) -> Mapping[str, Any]:
    return window if window["drifted"] else {name: value for name, value in window.items() if name not in DETAILS}


def _whole(window: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a window that has all figures. Raises ValueError where it has not."""
    if not window.keys() >= FIGURES:
        raise ValueError("a window without some figures")
    return window


def _evidence(said: Mapping[str, Any]) -> Evidence:
    stakes = [-math.inf if stake is None else stake for _, stake in zip(LIMITS, said["stakes"], strict=True)]
    return Evidence(said["batches"], said["rows"], np.array(said["sums"], np.float64), np.array(stakes, np.float64))
