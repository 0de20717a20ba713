"""audit.parquet: every row of every split, with what was found and what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from relabel import files
from relabel.auditing.policies import Decision
from relabel.data.examples import Split
from relabel.results.findings import Findings

NAME = "audit.parquet"


def write(folder: Path, findings: Findings) -> None:
    """Write one row per row of the data, in the order of Examples.

    Columns: file, row (the record's number in it, from 0), split, id, group (duplicates share one), left_out, given_label,
    suggested_label, probability (out of fold, one number per class in the order of the classes), posterior (that the given label is wrong),
    self_confidence, flagged, cleanlab_flagged, decision, reason.
    """
    examples, audit = findings.examples, findings.audit
    columns = {
        "file": _named(examples.file, list(examples.files)),
        "row": pa.array(examples.row),
        "split": _named(examples.split, [split.name.lower() for split in Split]),
        "id": pa.array(examples.ids, pa.string()),
        "group": pa.array(examples.group),
        "left_out": pa.array(examples.left_out),
        "given_label": _named(examples.labels, list(examples.classes)),
        "suggested_label": _named(audit.suggested, list(examples.classes)),
        "probability": pa.FixedSizeListArray.from_arrays(pa.array(audit.probability.ravel()), len(examples.classes)),
        "posterior": pa.array(audit.posterior),
        "self_confidence": pa.array(findings.self_confidence),
        "flagged": pa.array(audit.flagged),
        "cleanlab_flagged": pa.array(findings.cleanlab_flagged),
        "decision": _named(findings.treatment.decision, [decision.name.lower() for decision in Decision]),
        "reason": pa.array(findings.treatment.reason, pa.string()).dictionary_encode(),
    }
    with files.replacing(folder / NAME) as temporary:
        pa.parquet.write_table(pa.table(columns), temporary, compression="zstd")


def read(folder: Path) -> pa.Table:
    """Read the table back."""
    return pa.parquet.read_table(folder / NAME)


def _named(codes: NDArray[np.integer], names: list[str]) -> pa.Array:
    """Encode codes (N,) into names; -1 is null."""
    known = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(known, pa.array(names, pa.string()))
