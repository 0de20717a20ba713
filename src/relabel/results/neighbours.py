"""neighbours.parquet: the labelled rows nearest to each doubtful one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from relabel.results import columns
from relabel.results.findings import Findings

NAME = "neighbours.parquet"


def write(folder: Path, findings: Findings) -> None:
    """Write a row for each pair; where no report is wanted, take away what an earlier job left.

    Columns: row, neighbour (positions in audit.parquet), similarity (cosine). The worst row comes first, and of each row the nearest.
    """
    if findings.population is None:
        (folder / NAME).unlink(missing_ok=True)
        return
    found = findings.population.company
    columns.write_parquet(
        folder / NAME,
        [
            {
                "row": pa.array(found.row),
                "neighbour": pa.array(found.neighbour),
                "similarity": pa.array(found.similarity),
            }
        ],
    )


def read(folder: Path) -> pa.Table:
    """Read the table back."""
    return pa.parquet.read_table(folder / NAME)
