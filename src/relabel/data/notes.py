"""Sentences on the data that a person should read: what was drawn, left out, or contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.data import duplicates, phrases
from relabel.data.examples import Examples, Split
from relabel.data.parts import Part


def texts(parts: Sequence[Part], column: str) -> Iterator[str]:
    """Files whose texts are unknown."""
    without = [part for part in parts if part.texts is None]
    if len(without) == len(parts):
        header = phrases.names(parts[0].header)
        yield f"no file has the text column `{column}` ({parts[0].name} has {header}): rows are listed without texts"
    elif without:
        files = phrases.names([part.name for part in without])
        yield f"no text column `{column}` in {files}: their rows are listed without texts"


def empty(examples: Examples) -> Iterator[str]:
    """Rows of which nothing is known, neither an embedding nor a word."""
    if examples.features is None and examples.texts is not None:
        blank = sum(not text.strip() for text in examples.texts)
        if blank:
            yield f"{phrases.counted(blank, 'row')} with an empty text, which tells nothing of its label"


def embedded(parts: Sequence[Part]) -> Iterator[str]:
    """Embeddings that were found among the columns of a file."""
    for part in parts:
        if part.matrix is not None and part.matrix.where:
            yield f"{part.name}: embeddings are its {part.matrix.where} ({part.matrix.width:,} wide)"


def drawn(given: NDArray[np.uint8], split: NDArray[np.uint8], seed: int) -> Iterator[str]:
    """Splits that were drawn from train, if any: those of `split` (N,) that `given` (N,) lacks."""
    missing = [s for s in (Split.DEV, Split.TEST) if s not in given]
    if missing:
        names = " and ".join(s.name.lower() for s in missing)
        counts = ", ".join(f"{np.count_nonzero(split == s):,} {s.name.lower()}" for s in (Split.TRAIN, *missing))
        rows = np.count_nonzero(given == Split.TRAIN)
        yield f"no {names} given: {rows:,} rows of train were divided with seed {seed}, duplicates together: {counts}"


def duplicated(examples: Examples) -> Iterator[str]:
    """Rows that duplicates leave out, and duplicates that contradict each other."""
    for split, winners in ((Split.TRAIN, "dev or test"), (Split.DEV, "test")):
        here = examples.split == split
        count = np.count_nonzero(here & examples.left_out)
        if count:
            rows = np.count_nonzero(here)
            yield f"{count:,} of {rows:,} {split.name.lower()} rows are left out: they have duplicates in {winners}"
    conflicting = duplicates.conflicting(examples.group, examples.labels)
    if conflicting.any():
        groups = phrases.counted(np.unique(examples.group[conflicting]).size, "duplicate group")
        yield f"{groups} of {np.count_nonzero(conflicting):,} rows in all: equal rows with more than one label"
