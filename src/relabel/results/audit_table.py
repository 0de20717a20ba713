"""audit.parquet: every row of every split, with what was found and what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from relabel.data import identity
from relabel.results import columns
from relabel.results.findings import Findings

NAME = "audit.parquet"


def write(folder: Path, findings: Findings) -> None:
    """Write one row per row of the data, in the order of Examples.

    Columns: file, row (the record's number in it, from 0), id, split, group (duplicates share one), left_out, given_label,
    suggested_label, probability (out of fold, one number per class in the order of the classes), posterior (that the given label is wrong),
    self_confidence, flagged, cleanlab_flagged, decision, reason, reviewed (people decided on the row), text (null where the
    data have none), row_hash (`identity.row_hash`).
    """
    examples, audit = findings.examples, findings.audit
    rows = len(examples)
    table = {
        **columns.place(findings),
        "split": columns.named(examples.split, columns.SPLITS),
        "group": pa.array(examples.group),
        "left_out": pa.array(examples.left_out),
        "given_label": columns.classes(findings, examples.labels),
        "suggested_label": columns.classes(findings, audit.suggested),
        "probability": pa.FixedSizeListArray.from_arrays(pa.array(audit.probability.ravel()), len(examples.classes)),
        "posterior": pa.array(audit.posterior),
        "self_confidence": pa.array(findings.self_confidence),
        "flagged": pa.array(audit.flagged),
        "cleanlab_flagged": pa.array(findings.cleanlab_flagged),
        "decision": columns.named(findings.treatment.decision, columns.DECISIONS),
        "reason": pa.array(findings.treatment.reason, pa.string()).dictionary_encode(),
        "reviewed": pa.array(np.zeros(rows, np.bool_) if examples.reviews is None else examples.reviews.decided),
        "text": pa.nulls(rows, pa.string()) if examples.texts is None else pa.array(examples.texts, pa.string()),
        "row_hash": pa.array(identity.row_hashes(examples.features, examples.texts, rows), pa.string()),
    }
    columns.write_parquet(folder / NAME, table)


def read(folder: Path) -> pa.Table:
    """Read the table back."""
    return pa.parquet.read_table(folder / NAME)
