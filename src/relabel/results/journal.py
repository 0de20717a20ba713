"""journal.jsonl: one line per changed row, enough to find the row again and to undo the change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from relabel import files
from relabel.auditing.policies import Decision
from relabel.results import changes
from relabel.results.findings import Findings

NAME = "journal.jsonl"


def write(folder: Path, findings: Findings) -> None:
    """Write the changed rows in the order of the data; the file is empty where nothing was changed."""
    files.write_text(folder / NAME, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(findings)))


def read(folder: Path) -> list[dict[str, Any]]:
    """Read the lines back."""
    # A text may hold what `splitlines` takes for a line end.
    with (folder / NAME).open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def row_hash(findings: Findings, n: int) -> str:
    """Hash what a row is; `changes.row_hash` tells how."""
    examples = findings.examples
    vector = None if examples.features is None else examples.features.take(np.array([n]))[0]
    return changes.row_hash(vector, None if examples.texts is None else examples.texts[n])


def _lines(findings: Findings) -> Iterator[dict[str, Any]]:
    examples, treatment, audit = findings.examples, findings.treatment, findings.audit
    for n in np.flatnonzero(treatment.decision != Decision.KEEP).tolist():
        dropped = treatment.decision[n] == Decision.DROP
        yield {
            "file": examples.files[examples.file[n]],
            "row": int(examples.row[n]),
            "id": examples.ids[n],
            "row_hash": row_hash(findings, n),
            "decision": Decision(treatment.decision[n]).name.lower(),
            "old_label": examples.classes[examples.labels[n]],
            "new_label": None if dropped else examples.classes[treatment.labels[n]],
            "posterior": float(audit.posterior[n]),
            "text": None if examples.texts is None else examples.texts[n],
            "folds": findings.plan.fold[:, n].tolist(),
            "policy": findings.settings.policy,
            "reason": treatment.reason[n],
            "reviewer": None,
            "seed": findings.settings.seed,
            "data": findings.data,
            "model": findings.model,
        }
