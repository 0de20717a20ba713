"""The tables that people open: label_issues.csv and cleaned.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel import files
from relabel.auditing.policies import Decision
from relabel.data.examples import Split
from relabel.results.findings import Findings

ISSUES = "label_issues.csv"
CLEANED = "cleaned.csv"


def worst_first(findings: Findings) -> NDArray[np.intp]:
    """Give the flagged rows of all splits, the most likely error first."""
    rows = np.flatnonzero(findings.audit.flagged)
    return rows[np.lexsort((rows, -findings.audit.margin[rows], -findings.audit.posterior[rows]))]


def write_issues(folder: Path, findings: Findings) -> None:
    """Write the flagged rows, worst first, with the text where it is known."""
    examples, audit, treatment = findings.examples, findings.audit, findings.treatment
    header = [
        "file",
        "row",
        "split",
        "id",
        "given_label",
        "suggested_label",
        "posterior",
        "self_confidence",
        "decision",
        "reason",
    ]
    lines = (
        [
            examples.files[examples.file[n]],
            examples.row[n],
            Split(examples.split[n]).name.lower(),
            examples.ids[n],
            examples.classes[examples.labels[n]],
            examples.classes[audit.suggested[n]],
            f"{audit.posterior[n]:.6f}",
            f"{findings.self_confidence[n]:.6f}",
            Decision(treatment.decision[n]).name.lower(),
            treatment.reason[n],
            *_text(findings, n),
        ]
        for n in worst_first(findings)
    )
    write_csv(folder / ISSUES, [*header, *_text_header(findings)], lines)


def write_cleaned(folder: Path, findings: Findings) -> None:
    """Write the training rows as treated: dropped rows are missing, flipped ones have their new label."""
    examples, treatment = findings.examples, findings.treatment
    lines = (
        [
            *_text(findings, n),
            examples.classes[treatment.labels[n]],
            examples.files[examples.file[n]],
            examples.row[n],
            examples.ids[n],
        ]
        for n in examples.rows(Split.TRAIN)
        if treatment.weights[n] > 0
    )
    write_csv(folder / CLEANED, [*_text_header(findings), findings.settings.label_column, "file", "row", "id"], lines)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table back, a dictionary per line."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, header: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    """Write a table atomically."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    files.write_text(path, text.getvalue())


def _text(findings: Findings, n: int) -> list[str]:
    texts = findings.examples.texts
    return [] if texts is None else [texts[n]]


def _text_header(findings: Findings) -> list[str]:
    return [] if findings.examples.texts is None else [findings.settings.text_column]
