"""cleaned.csv: the training rows as treated, to train on elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from relabel.data.examples import Split
from relabel.results import columns
from relabel.results.findings import Findings

NAME = "cleaned.csv"


def write(folder: Path, findings: Findings) -> None:
    """Write text, label, and where the row came from; dropped rows are missing, flipped ones have their new label."""
    treatment = findings.treatment
    training = findings.examples.rows(Split.TRAIN)
    kept = training[treatment.weights[training] > 0]
    table = {
        **columns.text(findings, kept),
        findings.settings.label_column: columns.classes(findings, treatment.labels[kept]),
        **columns.place(findings, kept),
    }
    columns.write_csv(folder / NAME, table)


def read(folder: Path) -> list[dict[str, Any]]:
    """Read them back, a dictionary of strings per row."""
    return columns.read_csv(folder / NAME)
