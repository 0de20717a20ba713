"""Labels that come later than the traffic, and how often the model was right over time.

Letters: N rows of traffic, n labelled ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relabel.auditing.data_issues import intervals
from relabel.data import labels, phrases, reviews
from relabel.data.formats import csv
from relabel.errors import UserError
from relabel.evaluation import shares
from relabel.model.artifact import Artifact
from relabel.monitoring import matching
from relabel.monitoring.captured import Traffic

ID, LABEL, ANSWER = "id", "label", "answer"


@dataclass(frozen=True, slots=True, eq=False)
class Late:
    """Labels by the ids of rows.

    code:     id -> class.
    unknown:  ids whose labels are no class of the model, answers that no class fits among them.
    disputed: ids that stand several times, with labels that differ.
    """

    code: Mapping[str, int]
    unknown: int
    disputed: frozenset[str] = frozenset()


def read(path: Path, classes: tuple[str, ...]) -> Late:
    """Read a CSV or JSON Lines file with `id` and `label`, or people's answers as `relabel review` writes them.

    An id with labels that differ is not used: nobody knows which of them is right.

    Raises UserError where neither is there, or a line is broken.
    """
    pairs = [*_pairs(path)]
    said: dict[str, set[int]] = {}
    for (name, _), code in zip(pairs, labels.known([text for _, text in pairs], classes), strict=True):
        said.setdefault(name, set()).add(code)
    disputed = frozenset(name for name, codes in said.items() if len(codes) > 1)
    clear = {name: min(codes) for name, codes in said.items() if name not in disputed}
    known = {name: code for name, code in clear.items() if code != labels.UNLABELLED}
    return Late(known, len(clear) - len(known), disputed)


def accuracy(traffic: Traffic, windows: Sequence[slice], late: Late, artifact: Artifact) -> dict[str, Any]:
    """Say how often the model was right, in each window and in all, with Wilson's intervals, beside what it was on its test rows.

    Raises UserError where there are labels and rows, and none of the labels is of one of the rows.
    """
    found = matching.match(traffic, late.code, late.disputed)
    counts = found.counts | {"no_class": late.unknown}
    if len(traffic) and sum(counts.values()) and not counts["matched"]:
        raise UserError(f"no label is of the traffic: {matching.said(counts)}", matching.HINT)
    code = found.code
    right, known = code == traffic.label, code != labels.UNLABELLED
    test = artifact.provenance.get("test") or {}
    basis = (test.get("accuracy"), test.get("rows"))
    said = [_share(right[place], known[place], basis, looks=len(windows)) for place in windows]
    return {
        "test": _test(*basis),
        "all": _share(right, known, basis),
        "windows": [
            {"start": str(traffic.time[place][0]), "end": str(traffic.time[place][-1]), **one}
            for place, one in zip(windows, said, strict=True)
        ],
        **counts,
    }


def _share(right: Any, known: Any, basis: tuple[float | None, int | None], looks: int = 1) -> dict[str, Any]:
    """Say a share of right rows; it fell where it is surely below that of test, of which it is one of `looks` comparisons."""
    hits, rows = int(right[known].sum()), int(known.sum())
    found = shares.wilson(hits, rows)
    said: dict[str, Any] = {"rows": rows, "right": hits, "accuracy": None, "low": None, "high": None, "fell": False}
    if found is None:
        return said
    fell = False
    if basis[0] is not None and basis[1]:
        fell = intervals.difference((basis[0] * basis[1], hits), (basis[1], rows), looks)[1] < 0
    return said | {"accuracy": found.value, "low": found.low, "high": found.high, "fell": fell}


def _test(accuracy: float | None, rows: int | None) -> dict[str, Any] | None:
    if accuracy is None:
        return None
    found = shares.wilson(accuracy * rows, rows) if rows else None
    return {"accuracy": accuracy, "rows": rows, "low": found and found.low, "high": found and found.high}


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Give ids and labels as they stand."""
    if path.suffix.lower() == ".csv":
        columns = csv.read(path, [ID, LABEL, ANSWER]).values
        if ID in columns and ANSWER in columns:
            yield from _answers(path)
            return
        if missing := [name for name in (ID, LABEL) if name not in columns]:
            raise UserError(f"{path.name}: no column {phrases.names(missing)}: give `{ID}` and `{LABEL}`")
        yield from zip(columns[ID].tolist(), columns[LABEL].tolist(), strict=True)
        return
    rows = [*_objects(path)]
    if any(ANSWER in row for row in rows):
        yield from _answers(path)
        return
    for row in rows:
        yield str(row[ID]), str(row[LABEL])


def _objects(path: Path) -> Iterator[Mapping[str, Any]]:
    broken: Counter[str] = Counter()
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict) and (ANSWER in row or {ID, LABEL} <= row.keys()):
                yield row
            else:
                broken[f"{path.name}: line {number} is no object with `{ID}` and `{LABEL}`"] += 1
    if broken:
        raise UserError(*[*broken][:5])


def _answers(path: Path) -> Iterator[tuple[str, str]]:
    """Give what people agreed on, by the id of the row that they were shown; disputed rows have no label."""
    by_row: dict[str, list[reviews.Answer]] = {}
    for answer in reviews.read(path):
        if answer.id:
            by_row.setdefault(answer.id, []).append(answer)
    for name, answers in by_row.items():
        verdict = reviews.settled(answers)
        if verdict.answer is not None:
            yield name, verdict.answer
