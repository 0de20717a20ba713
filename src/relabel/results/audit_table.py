"""audit.parquet: every row of every split, with what was found and what was done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
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
    examples = findings.examples
    hashes = identity.row_hashes(examples.features, examples.texts, len(examples), known=examples.hashes)
    columns.write_parquet(folder / NAME, (_part(findings, part, hashes) for part in columns.parts(len(examples))))


def _part(findings: Findings, part: slice, hashes: Iterator[str]) -> dict[str, pa.Array]:
    """Some of the rows, whose hashes are the next ones."""
    examples, audit = findings.examples, findings.audit
    rows = part.stop - part.start
    return {
        **columns.place(findings, part),
        "split": columns.named(examples.split[part], columns.SPLITS),
        "group": pa.array(examples.group[part]),
        "left_out": pa.array(examples.left_out[part]),
        "given_label": columns.classes(findings, examples.labels[part]),
        "suggested_label": columns.classes(findings, audit.suggested[part]),
        "probability": pa.FixedSizeListArray.from_arrays(
            pa.array(audit.probability[part].ravel()), len(examples.classes)
        ),
        "posterior": pa.array(audit.posterior[part]),
        "self_confidence": pa.array(findings.self_confidence[part]),
        "flagged": pa.array(audit.flagged[part]),
        "cleanlab_flagged": pa.array(findings.cleanlab_flagged[part]),
        "decision": columns.named(findings.treatment.decision[part], columns.DECISIONS),
        "reason": pa.array(findings.treatment.reason[part], pa.string()).dictionary_encode(),
        "reviewed": pa.array(np.zeros(rows, np.bool_) if examples.reviews is None else examples.reviews.decided[part]),
        "text": pa.nulls(rows, pa.string()) if examples.texts is None else pa.array(examples.texts[part], pa.string()),
        "row_hash": pa.array(islice(hashes, rows), pa.string()),
    }


def read(folder: Path) -> pa.Table:
    """Read the table back."""
    return pa.parquet.read_table(folder / NAME)
