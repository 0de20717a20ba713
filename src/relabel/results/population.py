"""population.parquet and population.json: all rows seen together."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from relabel import files
from relabel.auditing.population import bins
from relabel.auditing.population.population import Population
from relabel.results import columns
from relabel.results.findings import Findings
from relabel.text import measures

ROWS, FIGURES = "population.parquet", "population.json"


def write(folder: Path, findings: Findings) -> None:
    """Write both; where no report is wanted, take away what an earlier job left.

    One row per row of audit.parquet, in its order. Columns: x, y (the map), cluster (-1 for none), loss (-ln of the out-of-fold probability of the
    given label, null for unlabelled rows), predicted_label, the measures of texts (null where not measured), and metadata.<name>.
    """
    if findings.population is None:
        for name in (ROWS, FIGURES):
            (folder / name).unlink(missing_ok=True)
        return
    found = findings.population
    parts = columns.parts(len(findings.examples))
    columns.write_parquet(folder / ROWS, (_rows(findings, found, part) for part in parts))
    files.write_json(folder / FIGURES, as_dict(findings.population))


def _rows(findings: Findings, found: Population, part: slice) -> dict[str, pa.Array]:
    missing = np.full(part.stop - part.start, np.nan, np.float32)
    taken = {name: values[part] for name, values in found.measures.items()}
    return {
        "x": pa.array(found.projection.points[part, 0]),
        "y": pa.array(found.projection.points[part, 1]),
        "cluster": pa.array(found.cluster[part]),
        "loss": _floats(found.loss[part]),
        "predicted_label": columns.classes(findings, found.predicted[part]),
        **{name: _floats(taken.get(name, missing)) for name in measures.TITLES},
        **{
            f"{bins.METADATA}{name}": pa.array(values[part], pa.string()).dictionary_encode()
            for name, values in findings.examples.metadata.items()
        },
    }


def as_dict(found: Population) -> dict[str, Any]:
    """Put the figures into a dictionary of JSON values."""
    made = found.projection
    return {
        "projection": {"method": made.method, "of": made.of, "explained": made.explained},
        "clusters": [dataclasses.asdict(each) for each in found.clusters],
        "measured": dataclasses.asdict(found.measured),
        "overall": dataclasses.asdict(found.overall),
        "slices": [dataclasses.asdict(each) for each in found.slices],
        "skipped": [dataclasses.asdict(each) for each in found.skipped],
        "worst": [dataclasses.asdict(each) for each in found.worst],
        "trends": [dataclasses.asdict(each) for each in found.trends],
        **({"looked_at": found.looked_at} if found.looked_at else {}),
    }


def read(folder: Path) -> tuple[pa.Table, dict[str, Any]]:
    """Read both back."""
    figures: dict[str, Any] = json.loads((folder / FIGURES).read_text())
    return pa.parquet.read_table(folder / ROWS), figures


def _floats(values: NDArray[np.float32]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
