"""journal.jsonl: one line per row that a policy or a person changed, enough to find the row again and to undo the change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel import files
from relabel.auditing.policies import Decision
from relabel.data import identity
from relabel.data.stretches import stretches
from relabel.results import columns
from relabel.results.findings import Findings

NAME = "journal.jsonl"
BLOCK = 4096
"""Rows whose embeddings are read at a time."""


def write(folder: Path, findings: Findings) -> None:
    """Write the changed rows in the order of the data; the file is empty where nothing was changed."""
    with files.replacing(folder / NAME) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for line in _lines(findings):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(folder: Path) -> list[dict[str, Any]]:
    """Read the lines back."""
    # A text may hold what `splitlines` takes for a line end.
    with (folder / NAME).open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def _lines(findings: Findings) -> Iterator[dict[str, Any]]:
    treated = findings.treatment.decision != Decision.KEEP
    people = _changed_by_people(findings)
    rows, made = np.flatnonzero(treated | people), _made(findings)
    for part in stretches(rows.size, BLOCK):
        for n, row_hash in zip(rows[part].tolist(), _hashes(findings, rows[part]), strict=True):
            did = _review(findings, n) if people[n] else _treatment(findings, n)
            yield {**_place(findings, n), "row_hash": row_hash, **did, **made}


def _changed_by_people(findings: Findings) -> NDArray[np.bool_]:
    """Rows (N,) whose label is another than the given one since people decided."""
    examples = findings.examples
    if examples.reviews is None:
        return np.zeros(len(examples), np.bool_)
    names = np.array([*examples.classes, ""], np.object_)  # the last one names the unlabelled
    changed: NDArray[np.bool_] = examples.reviews.decided & (examples.reviews.given != names[examples.labels])
    return changed


def _place(findings: Findings, n: int) -> dict[str, Any]:
    examples = findings.examples
    return {
        "file": examples.files[examples.file[n]],
        "row": int(examples.row[n]),
        "id": examples.ids[n],
        "split": columns.SPLITS[examples.split[n]],
    }


def _hashes(findings: Findings, rows: NDArray[np.intp]) -> Iterator[str]:
    """Hash what rows (n,) are; `identity.row_hash` tells how."""
    examples = findings.examples
    if examples.hashes is not None:
        return identity.row_hashes(None, None, rows.size, known=examples.hashes[rows])
    vectors = repeat(None, rows.size) if examples.features is None else examples.features.take(rows)
    texts = repeat(None, rows.size) if examples.texts is None else examples.texts[rows]
    return map(identity.row_hash, vectors, texts)


def _treatment(findings: Findings, n: int) -> dict[str, Any]:
    """What the policy did."""
    examples, treatment, audit = findings.examples, findings.treatment, findings.audit
    dropped = treatment.decision[n] == Decision.DROP
    return {
        "decision": Decision(treatment.decision[n]).name.lower(),
        "old_label": examples.classes[examples.labels[n]],
        "new_label": None if dropped else examples.classes[treatment.labels[n]],
        **_in_part(findings, n),
        "posterior": float(audit.posterior[n]),
        "text": None if examples.texts is None else examples.texts[n],
        "folds": findings.plan.fold[:, n].tolist(),
        "policy": findings.settings.policy,
        "reason": treatment.reason[n],
        "reviewer": None,
    }


def _in_part(findings: Findings, n: int) -> dict[str, Any]:
    """By how much a row counts that keeps its label, or for what."""
    treatment = findings.treatment
    if treatment.decision[n] == Decision.WEIGHT:
        return {"weight": float(treatment.weights[n])}
    if treatment.decision[n] == Decision.SOFT and treatment.soft is not None:
        return {"soft": dict(zip(findings.examples.classes, treatment.soft[n].tolist(), strict=True))}
    return {}


def _review(findings: Findings, n: int) -> dict[str, Any]:
    """What people decided. The posterior is that of the audit which asked them; where it is not known, a person's word makes it 1."""
    examples = findings.examples
    about = examples.reviews
    assert about is not None  # noqa: S101  # the row was changed by people
    asked = float(about.posterior[n])
    return {
        "decision": "review",
        "old_label": about.given[n],
        "new_label": None if about.neither[n] else examples.classes[examples.labels[n]],
        "posterior": 1.0 if np.isnan(asked) else asked,
        "text": None if examples.texts is None else examples.texts[n],
        "folds": findings.plan.fold[:, n].tolist(),
        "policy": None,
        "reason": "people said that no class fits" if about.neither[n] else "people gave another label",
        "reviewer": about.reviewer[n],
    }


def _made(findings: Findings) -> dict[str, Any]:
    return {"seed": findings.settings.seed, "data": findings.data, "model": findings.model}
