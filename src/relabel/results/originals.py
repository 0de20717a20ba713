"""The original rows behind a journal: are they the ones that it changed?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from relabel.data import phrases
from relabel.data.examples import Split
from relabel.data.formats import MATRICES
from relabel.data.identity import row_hash
from relabel.data.layout import Source
from relabel.data.parts import Part, opened
from relabel.errors import UserError
from relabel.results.changes import Change
from relabel.settings import TrainSettings

SHOWN = 12
"""Digits of a hash in a message."""


def check(changes: Sequence[Change], folder: Path, settings: TrainSettings) -> None:
    """Compare the hash of every changed row with that of the row in the original files.

    folder:   the channel's folder: label files, with their embeddings where the job had some.
    settings: names of the columns.

    Raises UserError with every problem at once: files that are missing or cannot be read, rows that are others.
    """
    problems: list[str] = []
    for file in sorted({change.file for change in changes}):
        problems += _checked([change for change in changes if change.file == file], folder / Path(file).name, settings)
    if problems:
        raise UserError(*problems)


def _checked(changes: Sequence[Change], path: Path, settings: TrainSettings) -> Iterator[str]:
    """Say what is wrong with one file."""
    name = f"{path.parent.resolve().name}/{path.name}"
    matrices = [path.with_suffix(suffix) for suffix in MATRICES if path.with_suffix(suffix).is_file()]
    if not path.exists():
        yield f"{name}: no such file, and the journal names {changes[0].file}: give the folder that the job was trained on"
        return
    source = Source(Split.TRAIN, name, path)
    if matrices:
        source = replace(source, matrix=f"{path.parent.name}/{matrices[0].name}", matrix_path=matrices[0])
    part = opened(source, settings)
    yield from part.problems or _different(name, part, sorted(changes, key=lambda change: change.row))


def _different(name: str, part: Part, changes: Sequence[Change]) -> Iterator[str]:
    """Rows that are others than the journal's."""
    beyond = [change.row for change in changes if change.row >= part.rows]
    if beyond:
        yield f"{name}: {part.rows:,} rows, and the journal names {phrases.rows(beyond)}: these are other data"
        return
    seen = [_hash(part, change) for change in changes]
    if other := [(found, change) for found, change in zip(seen, changes, strict=True) if found != change.row_hash]:
        found, first = other[0]
        yield (
            f"{name}: {phrases.rows([change.row for _, change in other])} of {len(changes):,} in the journal with another hash "
            f"(row {first.row}: seen {found[:SHOWN]}, expected {first.row_hash[:SHOWN]}): these are other data, "
            f"or text_column is another than in the job{'' if part.matrix else ', or their embeddings are not beside it'}"
        )


def _hash(part: Part, change: Change) -> str:
    text = None if change.text is None else "" if part.texts is None else part.texts[change.row]
    if part.matrix is None:
        return row_hash(None, text)
    vector = np.empty((1, part.matrix.width), np.float32)
    part.matrix.copy(change.row, vector)
    return row_hash(vector[0], text)
