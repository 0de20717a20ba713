"""data_issues.json and data_issues.csv: other issues of the data than wrong labels, with figures, and the rows concerned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from relabel import files
from relabel.results import columns
from relabel.results.findings import Findings

FIGURES, ROWS = "data_issues.json", "data_issues.csv"


def write(folder: Path, findings: Findings) -> None:
    """Write both; where issues were not looked for, take away what an earlier job left.

    Columns of the rows, issue by issue, the worst first: issue, part (the number of the set, slice, pair, class or split in the
    figures; empty where there are no parts), file, row, id, split, given_label, score (higher is worse; what it is differs between
    issues), and the text.
    """
    if not findings.data_issues:
        for name in (FIGURES, ROWS):
            (folder / name).unlink(missing_ok=True)
        return
    files.write_json(folder / FIGURES, as_dict(findings))
    issues = findings.data_issues
    rows = np.concatenate([issue.rows for issue in issues])
    part = np.concatenate([issue.part for issue in issues])
    kind = np.repeat(np.arange(len(issues)), [issue.rows.size for issue in issues])
    score = np.concatenate([issue.score for issue in issues])
    tables = (
        {
            "issue": columns.named(kind[own], [issue.name for issue in issues]),
            "part": pa.array(part[own], mask=part[own] < 0),
            **columns.place(findings, rows[own]),
            "split": columns.named(findings.examples.split[rows[own]], columns.SPLITS),
            "given_label": columns.classes(findings, findings.examples.labels[rows[own]]),
            "score": columns.rounded(score[own]),
            **columns.text(findings, rows[own]),
        }
        for own in columns.parts(rows.size)
    )
    columns.write_csv(folder / ROWS, tables)


def as_dict(findings: Findings) -> dict[str, Any]:
    """Put the figures into a dictionary of JSON values: issue -> count, unit, rows, sentence and its own."""
    return {
        issue.name: {
            "count": issue.count,
            "unit": issue.unit,
            "rows": int(np.unique(issue.rows).size),
            "sentence": issue.sentence,
            **issue.figures,
        }
        for issue in findings.data_issues
    }


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Read both back: figures, and a dictionary of strings per row."""
    figures: dict[str, Any] = json.loads((folder / FIGURES).read_text())
    return figures, columns.read_csv(folder / ROWS)
