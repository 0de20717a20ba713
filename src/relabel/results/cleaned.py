"""cleaned.csv: the training rows as treated, to train on elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.auditing.policies import Decision
from relabel.data.examples import Split
from relabel.results import columns
from relabel.results.changes import SHARE, WEIGHT
from relabel.results.findings import Findings

NAME = "cleaned.csv"


def write(folder: Path, findings: Findings) -> None:
    """Write text, label, and where the row came from; dropped rows are missing, flipped ones have their new label.

    Where rows were weighed down, there is a column `weight`; where they were given soft labels, `p_<class>` for each class.
    """
    treatment = findings.treatment
    training = findings.examples.rows(Split.TRAIN)
    kept = training[treatment.weights[training] > 0]
    columns.write_csv(folder / NAME, (_table(findings, kept[part]) for part in columns.parts(kept.size)))


def _table(findings: Findings, kept: NDArray[np.intp]) -> dict[str, pa.Array]:
    treatment = findings.treatment
    table = {
        **columns.text(findings, kept),
        findings.settings.label_column: columns.classes(findings, treatment.labels[kept]),
        **columns.place(findings, kept),
    }
    if (treatment.decision == Decision.WEIGHT).any():
        table[WEIGHT] = _short(treatment.weights[kept])
    if treatment.soft is not None:
        names = findings.examples.classes
        table |= {f"{SHARE}{name}": _short(treatment.soft[kept, c]) for c, name in enumerate(names)}
    return table


def _short(values: NDArray[np.float32]) -> pa.Array:
    return columns.rounded(values.astype(np.float64))


def read(folder: Path) -> list[dict[str, Any]]:
    """Read them back, a dictionary of strings per row."""
    return columns.read_csv(folder / NAME)
