"""predictions.parquet: what the compared models say of each test row, before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from relabel.results import columns
from relabel.results.findings import Findings

NAME = "predictions.parquet"


def write(folder: Path, findings: Findings) -> None:
    """Write a line for each test row that counts.

    Columns: row (its position in audit.parquet, from 0), before and after (probabilities by the mean of the compared models, one number
    per class in the order of the classes).
    """
    predicted = findings.predicted
    tables = (
        {
            "row": pa.array(predicted.rows[part]),
            "before": _lists(predicted.before[part]),
            "after": _lists(predicted.after[part]),
        }
        for part in columns.parts(predicted.rows.size)
    )
    columns.write_parquet(folder / NAME, tables)


def read(folder: Path) -> pa.Table:
    """Read the table back."""
    return pa.parquet.read_table(folder / NAME)


def _lists(probability: NDArray[np.float32]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(probability.ravel()), probability.shape[1])
