"""label_issues.csv: the flagged rows, the most likely error first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from relabel.auditing.examine import worst_first
from relabel.results import columns
from relabel.results.findings import Findings

NAME = "label_issues.csv"


def rows(findings: Findings) -> NDArray[np.intp]:
    """Give the flagged rows (n,) of all splits, worst first."""
    audit = findings.audit
    return worst_first(audit.doubt, np.flatnonzero(audit.flagged))


def write(folder: Path, findings: Findings) -> None:
    """Write them, with the text where it is known."""
    flagged = rows(findings)
    columns.write_csv(folder / NAME, (_table(findings, flagged[part]) for part in columns.parts(flagged.size)))


def _table(findings: Findings, flagged: NDArray[np.intp]) -> dict[str, pa.Array]:
    examples, audit, treatment = findings.examples, findings.audit, findings.treatment
    return {
        **columns.place(findings, flagged),
        "split": columns.named(examples.split[flagged], columns.SPLITS),
        "given_label": columns.classes(findings, examples.labels[flagged]),
        "suggested_label": columns.classes(findings, audit.suggested[flagged]),
        "posterior": columns.rounded(audit.posterior[flagged]),
        "self_confidence": columns.rounded(findings.self_confidence[flagged]),
        "decision": columns.named(treatment.decision[flagged], columns.DECISIONS),
        "reason": pa.array(treatment.reason[flagged], pa.string()),
        **columns.text(findings, flagged),
    }


def read(folder: Path) -> list[dict[str, Any]]:
    """Read them back, a dictionary of strings per row."""
    return columns.read_csv(folder / NAME)
