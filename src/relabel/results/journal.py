"""journal.jsonl: one line per changed row, enough to find the row again and to undo the change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from relabel import files
from relabel.auditing.policies import Decision
from relabel.results.findings import Findings

NAME = "journal.jsonl"


def write(folder: Path, findings: Findings) -> None:
    """Write the changed rows in the order of the data; the file is empty where nothing was changed."""
    files.write_text(folder / NAME, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(findings)))


def read(folder: Path) -> list[dict[str, Any]]:
    """Read the lines back."""
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def row_hash(findings: Findings, n: int) -> str:
    """Hash what the row is, whatever file it stands in: its embedding and its text."""
    examples = findings.examples
    state = xxhash.xxh3_128()
    if examples.features is not None:
        state.update(examples.features.take(np.array([n])).tobytes())
    if examples.texts is not None:
        state.update(examples.texts[n].encode(errors="surrogatepass"))
    return str(state.hexdigest())


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
            "folds": findings.plan.fold[:, n].tolist(),
            "policy": findings.settings.policy,
            "reason": treatment.reason[n],
            "reviewer": None,
            "seed": findings.settings.seed,
            "data": findings.data,
        }
