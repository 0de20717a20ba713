"""What can be said against the files when they are seen together; each problem begins with a file's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from relabel.data import keys, phrases
from relabel.data.examples import Examples, Split
from relabel.data.labels import UNLABELLED, Encoded
from relabel.data.parts import Part

Scalar = TypeVar("Scalar", bound=np.generic)

LONGEST_LABEL = 100
"""Characters; a longer one is a text."""


def widths(parts: Sequence[Part], expected: int, by: str = "width_expected") -> Iterator[str]:
    """Embeddings whose width is not the expected one, said `by` something, or, with 0, not that of the first file."""
    read = [(part.matrix_name, part.matrix.width) for part in parts if part.matrix is not None]
    right, by = (expected, by) if expected or not read else (read[0][1], read[0][0])
    for name, width in read:
        if width != right:
            yield f"{name}: {width:,} wide, but {by} is {right:,}: embed all files with the same model"


def inputs(parts: Sequence[Part], text_column: str) -> Iterator[str]:
    """Files without embeddings where others have some, or, where none has any, without texts; files with problems are not judged."""
    sound = [part for part in parts if not part.problems]
    embedded = next((part for part in sound if part.matrix is not None), None)
    for part in sound:
        add = f"add {Path(part.name).stem}.pt or {Path(part.name).stem}.npy beside it"
        if embedded is not None and part.matrix is None:
            yield (
                f"{part.name}: labels without embeddings, but {embedded.name} has some: {add}, or give none, "
                "and texts alone or the channel `encoder` beside them"
            )
        elif embedded is None and part.texts is None:
            seen = phrases.names(part.header)
            yield (
                f"{part.name}: neither texts (no column `{text_column}`, only {seen}) nor embeddings: "
                f"set text_column to the column of the texts, which are trained on as they are or by the channel `encoder`; or {add}"
            )


def repeated_ids(parts: Sequence[Part]) -> Iterator[str]:
    """Ids that were given before, in the same file or another; a row without an id repeats none."""
    named = [(part.name, part.ids) for part in parts if part.ids is not None]
    ids = np.concatenate([np.empty(0, np.object_), *(own for _, own in named)])
    first = keys.first_equal(keys.of_texts(ids))
    again = np.flatnonzero((first != np.arange(ids.size)) & (ids != ""))
    ends = np.cumsum([own.size for _, own in named], dtype=np.intp)

    def place(n: int) -> tuple[str, int]:
        part = int(np.searchsorted(ends, n, side="right"))
        return named[part][0], n - int(ends[part]) + named[part][1].size

    for (file, own), end in zip(named, ends.tolist(), strict=True):
        here = again[(again >= end - own.size) & (again < end)]
        here = here[np.sort(np.unique(first[here], return_index=True)[1])]  # each id once, where it comes first
        if here.size:
            told = (
                f"{phrases.name(ids[n])} in row {place(n)[1]} and {earlier} row {row}"
                for n in here[: phrases.FEW].tolist()
                for earlier, row in [place(int(first[n]))]
            )
            shown = "; ".join(told) + ("; …" if here.size > phrases.FEW else "")
            count = phrases.counted(here.size, "id")
            yield f"{file}: {count} given before ({shown}): give every row an id of its own"


def no_labels(parts: Sequence[Part], encoded: Encoded) -> Iterator[str]:
    """Labels that are no labels: numbers that are not whole, texts.

    encoded: the labels of all parts that have them, one after another.
    """
    labelled = [part for part in parts if part.labels is not None]
    for part, refused in zip(labelled, _divided(encoded.refused, labelled), strict=True):
        if refused.any():
            where = phrases.rows(np.flatnonzero(refused).tolist())
            yield f"{part.name}: no whole number as the label in {where}: give whole numbers (0, 1) or class names"
    for part in labelled:
        if (longest := _longest(part)) > LONGEST_LABEL:
            yield f"{part.name}: labels of up to {longest:,} characters: set label_column to the column of the labels"


def classes(parts: Sequence[Part], encoded: Encoded) -> Iterator[str]:
    """A single class, classes that no training row has.

    encoded: the labels of all parts that have them, one after another. Classes are judged only where every part has,
             and none has texts in their place, which would then be quoted.
    """
    labelled = [part for part in parts if part.labels is not None]
    if labelled and len(labelled) == len(parts) and max(map(_longest, labelled)) <= LONGEST_LABEL:
        yield from _untrained(labelled, _divided(encoded.codes, labelled), encoded.classes)


def missing_metadata(parts: Sequence[Part], wanted: Sequence[str]) -> Iterator[str]:
    """Columns to look at errors by that are in no file; files with problems are not judged."""
    there = dict.fromkeys(name for part in parts for name in part.header)
    lost = [name for name in wanted if name not in there]
    if lost and not any(part.problems for part in parts):
        yield (
            f"metadata_columns: no file has {phrases.names(lost)}, the columns there are {phrases.names(there)}: "
            "name columns of the label files, with commas between"
        )


def _divided(values: NDArray[Scalar], parts: Sequence[Part]) -> list[NDArray[Scalar]]:
    """Divide what was said of the labels of all parts into what was said of each."""
    ends = np.cumsum([part.labels.size for part in parts if part.labels is not None], dtype=np.intp)
    return np.split(values, ends[:-1]) if parts else []


def _longest(part: Part) -> int:
    return 0 if part.labels is None else max(map(len, part.labels.tolist()), default=0)


def _untrained(parts: Sequence[Part], codes: Sequence[NDArray[np.int64]], names: Sequence[str]) -> Iterator[str]:
    if len(names) == 1:
        yield f"{parts[0].name}: all labels of all files are {phrases.name(names[0])}: give two classes or more"
    known = {
        c for part, own in zip(parts, codes, strict=True) if part.split is Split.TRAIN for c in np.unique(own).tolist()
    }
    for part, own in zip(parts, codes, strict=True) if known else ():
        new = sorted(set(np.unique(own).tolist()) - known - {UNLABELLED})
        if new:
            unseen = phrases.names([names[c] for c in new])
            yield f"{part.name}: no training row has the label {unseen}: add such rows, or mend these labels"


def survivors(examples: Examples) -> Iterator[str]:
    """Splits that duplicates or drawing leave without what a job needs: a class in train, any row in dev or test."""
    train = np.bincount(examples.labels[examples.rows(Split.TRAIN)], minlength=len(examples.classes))
    gone = [examples.classes[c] for c in np.flatnonzero(train == 0)]
    if gone:
        yield (
            f"train: no row with the label {phrases.names(gone)} is left to train on: "
            "the others went to dev or test, given or drawn, or have duplicates there; give more rows of that class"
        )
    for split in (Split.DEV, Split.TEST):
        if examples.rows(split).size == 0:
            name = split.name.lower()
            yield f"{name}: no row is left: train is too small to draw from, or all have duplicates in test; give more"


def bad_rows(part: Part, rows: NDArray[np.intp]) -> Iterator[str]:
    """Embeddings that are no numbers."""
    if rows.size:
        where = phrases.rows(rows.tolist())
        yield f"{part.matrix_name}: NaN, infinity or a value beyond float32 in {where}: embed or leave out these rows"
