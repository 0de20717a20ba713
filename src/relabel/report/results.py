"""What a report is made of: the files of a job's results, read once.

Letters: N rows, C classes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from relabel.data import phrases
from relabel.data.room import Room
from relabel.data.texts import Arena, Texts
from relabel.errors import DISK_ERRNOS, UserError
from relabel.results import (
    audit_table,
    champion,
    data_issues,
    explanations,
    metrics_file,
    neighbours,
    outlook_file,
    population,
    predictions,
    run_record,
)

NEEDED = (
    *("file", "row", "id", "split", "group", "left_out", "given_label", "suggested_label", "probability", "posterior"),
    *("flagged", "decision", "text"),
)
"""Columns of the audit table that a report cannot do without."""

TEXT = "text"
UNUSED = (TEXT, "row_hash", "self_confidence", "cleanlab_flagged")
"""Columns of the audit table that are no part of `Results.audit`: texts are read by themselves, the others no report shows. Of millions of rows
they take gigabytes."""

ROWS = 1 << 16
"""Rows whose texts are strings at a time as they are read."""

HELD = 1 << 28
"""Room for what is read of the rows, of which the bytes of texts may take a share; beyond that these lie in a file that vanishes with the process."""

AGAIN = "run the job again with this version"


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """A job's results as they lie in its folder. What an older job, or one without a report, did not write is None or empty.

    folder:       where they lie.
    metrics:      metrics.json.
    audit:        audit.parquet, N rows, without texts.
    texts:        of its rows (N,); None where none has one.
    population:   population.parquet, N rows in the same order.
    overview:     population.json: projection, clusters, slices.
    neighbours:   neighbours.parquet: row, neighbour, similarity.
    predictions:  predictions.parquet: row, before, after.
    explanations: explanations.jsonl, a dictionary per row.
    data_issues:  data_issues.json, issue -> figures.
    outlook:      outlook.json: more labels or cleaner ones.
    champion:     champion.json: the model that serves now against the one of this job.
    build:        versions that may change the last digits; all that is read of run.json, for the rest of it differs from run to run.
    classes:      names of the C classes, in the order of the probabilities.
    kept:         what was worked out of all this, by name, for whoever asks again: millions of rows take seconds.
    """

    folder: Path
    metrics: dict[str, Any]
    audit: pa.Table
    texts: Texts | None = None
    population: pa.Table | None = None
    overview: dict[str, Any] | None = None
    neighbours: pa.Table | None = None
    predictions: pa.Table | None = None
    explanations: list[dict[str, Any]] = field(default_factory=list)
    data_issues: dict[str, Any] = field(default_factory=dict)
    outlook: dict[str, Any] | None = None
    champion: dict[str, Any] | None = None
    build: dict[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    kept: dict[str, Any] = field(default_factory=dict, init=False)

    def text(self, rows: NDArray[np.integer]) -> list[str] | list[None]:
        """Give the texts of rows (n,)."""
        return [None] * rows.size if self.texts is None else self.texts[rows]


def read(folder: Path) -> Results:
    """Read the results of a job from its `output/data` folder.

    Raises UserError, with all problems, where the folder holds no results, a file of it is torn, or files do not belong together.
    """
    if absent := _absent(folder):
        raise UserError(absent)
    problems: list[str] = []

    def part(name: str, reads: Callable[[Path], Any], default: Any = None) -> Any:
        """Read one file; where it is not there, give the default; where it is torn, note it."""
        if not (folder / name).is_file():
            return default
        try:
            return reads(folder / name)
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            if isinstance(error, OSError) and error.errno in DISK_ERRNOS:  # of the disk that texts are put on
                raise
            problems.append(f"{name}: cannot be read ({type(error).__name__}): {AGAIN}")
            return default

    figures = part(metrics_file.NAME, lambda path: metrics_file.read(path.parent), {})
    found = Results(
        folder=folder,
        metrics=figures,
        audit=part(audit_table.NAME, _audit),
        texts=part(audit_table.NAME, _texts),
        population=part(population.ROWS, pa.parquet.read_table),
        overview=part(population.FIGURES, _json),
        neighbours=part(neighbours.NAME, pa.parquet.read_table),
        predictions=part(predictions.NAME, pa.parquet.read_table),
        explanations=part(explanations.NAME, lambda path: explanations.read(path.parent), []),
        data_issues=part(data_issues.FIGURES, _json, {}),
        outlook=part(outlook_file.NAME, _json),
        champion=part(champion.NAME, _json),
        build=part(run_record.NAME, lambda path: run_record.read(path.parent)["build"], {}),
        classes=tuple(figures.get("data", {}).get("classes", ())),
    )
    if problems := problems or _misfits(found):
        raise UserError(*dict.fromkeys(problems))
    return found


def _audit(path: Path) -> pa.Table:
    """Read the audit table without what no section asks for."""
    names = [name for name in pa.parquet.read_schema(path).names if name not in UNUSED]
    return pa.parquet.read_table(path, columns=names)


def _texts(path: Path) -> Texts | None:
    """Read the texts, some rows at a time."""
    with pa.parquet.ParquetFile(path) as file:
        if TEXT not in file.schema_arrow.names:
            return None
        unknown = 0

        def read() -> Iterator[str]:
            nonlocal unknown
            for batch in file.iter_batches(ROWS, columns=[TEXT]):
                unknown += batch[TEXT].null_count
                yield from (text or "" for text in batch[TEXT].to_pylist())

        texts = Arena(Room(HELD)).put(read())
        return texts if unknown < len(texts) else None


def _absent(folder: Path) -> str:
    """Say why a folder holds no results, and which does; empty where it holds some."""
    missing = [name for name in (audit_table.NAME, metrics_file.NAME) if not (folder / name).is_file()]
    inside = next(
        (one for one in (folder / "output" / "data", folder / "data") if (one / metrics_file.NAME).is_file()), None
    )
    give = f"give {inside}" if inside else "give the folder output/data of a training job"
    if not folder.is_dir():
        return f"{folder}: {'a file' if folder.exists() else 'no such folder'}: {give}"
    return f"{folder}: no {' and no '.join(missing)}: {give}" if missing else ""


def _json(path: Path) -> dict[str, Any]:
    """Read an object of JSON; ValueError where it is none."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError  # noqa: TRY004 (a torn file, not a wrong argument)
    return found


def _misfits(found: Results) -> list[str]:
    """Say what does not belong together."""
    problems = []
    there = pa.parquet.read_schema(found.folder / audit_table.NAME).names
    if missing := [name for name in NEEDED if name not in there]:
        problems.append(f"{audit_table.NAME}: no column {phrases.names(missing)}: {AGAIN}")
    sections = ("data", "settings", "audit", "treatment", "comparison", "served")
    if missing := [name for name in sections if name not in found.metrics]:
        problems.append(f"{metrics_file.NAME}: no {phrases.names(missing)}: {AGAIN}")
    if found.population is not None and found.population.num_rows != found.audit.num_rows:
        problems.append(
            f"{population.ROWS} has {found.population.num_rows:,} rows, {audit_table.NAME} {found.audit.num_rows:,}: "
            "they are of different jobs; run the job again"
        )
    return problems
