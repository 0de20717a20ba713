"""Labelled rows for scoring a model that is there already: all rows of one split as its files give them, none drawn and none left out.

Letters: N rows, D width, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks, embeddings, labels, layout, phrases
from relabel.data.examples import Split
from relabel.data.labels import Encoded
from relabel.data.parts import opened
from relabel.errors import UserError
from relabel.settings import TrainSettings


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Rows in the order of their files.

    vectors: (N, D) float32, finite; None where no file has embeddings.
    labels:  (N,) int64 into the model's classes.
    files:   label files, as `folder/name`.
    texts:   (N,) str, None where a file lacks them.
    """

    vectors: NDArray[np.float32] | None
    labels: NDArray[np.int64]
    files: tuple[str, ...]
    texts: NDArray[np.object_] | None = None


def read(folder: Path, split: Split, settings: TrainSettings, *, classes: Sequence[str], width: int) -> Labelled:
    """Read the rows of one split for a model; `layout.find_split` tells which files they are.

    settings: names of the columns.
    classes:  C names of the model's classes; labels are matched to them by name.
    width:    D of the vectors that the model takes; 0 where it takes texts alone.

    Raises UserError with all problems; each begins with the file's or the folder's name.
    """
    found = layout.find_split(folder, split)
    parts = [opened(source, settings) for source in found.sources]
    given = [np.empty(0, np.object_), *(part.labels for part in parts if part.labels is not None)]
    encoded = labels.encode(np.concatenate(given))
    problems = [*found.problems, *(problem for part in parts for problem in part.problems)]
    problems += checks.widths(parts, width, "the model")
    problems += checks.inputs(parts, settings.text_column)
    problems += list(checks.no_labels(parts, encoded)) or _unknown(folder, encoded, classes)
    if problems:
        raise UserError(*problems, *embeddings.scanned(parts))
    vectors, problems = embeddings.gathered(parts)
    if problems:
        raise UserError(*problems)
    place = np.array([classes.index(name) for name in encoded.classes], np.int64)
    texts = [part.texts for part in parts if part.texts is not None]
    return Labelled(
        vectors,
        place[encoded.codes],
        tuple(part.name for part in parts),
        np.array([text for own in texts for text in own], np.object_) if len(texts) == len(parts) else None,
    )


def _unknown(folder: Path, encoded: Encoded, classes: Sequence[str]) -> Iterator[str]:
    """Labels that are none of the model's classes."""
    unknown = [name for name in encoded.classes if name not in classes]
    if unknown:
        yield (
            f"{folder.resolve().name}: the model does not know the label {phrases.names(unknown)}, "
            f"its classes are {phrases.names(classes)}: give labels by these names"
        )
