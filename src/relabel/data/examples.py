"""What the job knows of the data, once it has passed the gate.

Letters: N rows of all splits together, D embedding width, C classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from relabel.data.texts import Texts


class Split(IntEnum):
    """The part of the data a row lies in."""

    TRAIN = 0
    DEV = 1
    TEST = 2


class Inputs(Protocol):
    """What a model takes of each row: vectors (see Features) or token ids (see `data.tokens`)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D) of vectors, (N, length of the longest text) of token ids."""
        ...

    def take(self, rows: NDArray[np.integer]) -> Any:
        """Give the chosen rows (b,) as a batch: (b, D) float32, or Tokens."""
        ...


class Features(Protocol):
    """Rows as vectors, in memory or memory-mapped."""

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        ...

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,) as (b, D) float32."""
        ...


@runtime_checkable
class Typed(Protocol):
    """Features that say in which precision they are kept."""

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the numbers where they lie; `take` widens them to float32."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """What people decided on rows (N), and what was there before.

    given:     (N,) object array of str: every row's label as its file gives it.
    decided:   (N,) bool: a person gave the label in use, which is trusted then, or said that no class fits.
    neither:   (N,) bool: of these, rows that no class fits; they are left out and unlabelled.
    reviewer:  (N,) object array of str: who decided, names with commas between; "" for other rows.
    why:       (N,) object array of str: why the row was asked about, `random` for a uniform draw; "" where it is not known.
    posterior: (N,) float64 that the given label is wrong, when the row was asked about; NaN where it is not known.
    """

    given: NDArray[np.object_]
    decided: NDArray[np.bool_]
    neither: NDArray[np.bool_]
    reviewer: NDArray[np.object_]
    why: NDArray[np.object_]
    posterior: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Rows of all splits, in the order train, dev, test and, inside a split, of its files.

    features:  (N, D), or None where only texts are known.
    labels:    (N,) int64 into `classes`; -1 is unlabelled.
    split:     (N,) uint8, a Split.
    group:     (N,) int64; rows with an equal embedding or an equal text share one (duplicates).
    left_out:  (N,) bool; train and dev rows whose duplicates lie in a split that wins over theirs (test over dev over train):
               never trained on and never scored, but audited and listed. Rows that people said no class fits, too.
    trusted:   (N,) bool; labels that people verified.
    ids:       (N,) str, a row's own name, or "" where none is given.
    texts:     (N,), "" where one is unknown; None where no file has texts.
    classes:   names in the order of the labels.
    files:     the label files, as `channel/name`.
    file, row: (N,) int32 into `files` and (N,) int64, the record's number in it from 0: where a row came from.
    notes:     sentences a person should read: splits that were drawn, rows left out.
    reviews:   what people decided, which is in `labels`, `trusted` and `left_out` already; None where nobody was asked.
    metadata:  other columns to look at errors by, name -> (N,) object array of str, "" where a row has none. Nothing is learned from them.
    keys:      (N, 2) uint64, 128 bits of each embedding (see `keys`), made while it was read; None where they were not.
    hashes:    (N, 2) uint64, each row's `identity.row_hash`, so too.
    """

    features: Features | None
    labels: NDArray[np.int64]
    split: NDArray[np.uint8]
    group: NDArray[np.int64]
    left_out: NDArray[np.bool_]
    trusted: NDArray[np.bool_]
    ids: NDArray[np.object_]
    texts: Texts | None
    classes: tuple[str, ...]
    files: tuple[str, ...]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    reviews: Reviews | None = None
    metadata: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    keys: NDArray[np.uint64] | None = None
    hashes: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return int(self.labels.size)

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Give the rows (n,) of a split that count: those not left out."""
        return np.flatnonzero((self.split == split) & ~self.left_out)

    def as_given(self) -> NDArray[np.int64]:
        """Give the labels (N,) as they were before people verified any.

        The noise is that of these: people look at the worst labels first, so those that nobody looked at are cleaner than all were.
        -1 where there was none, where it is a class no longer, and where nobody knows what was there before.
        """
        given = np.where(self.trusted, -1, self.labels)
        if self.reviews is not None:
            decided, place = self.reviews.decided, {name: number for number, name in enumerate(self.classes)}
            given[decided] = [place.get(name, -1) for name in self.reviews.given[decided]]
        return given

    def verified(self) -> NDArray[np.int64]:
        """Give the labels (N,) that people verified, -1 elsewhere."""
        return np.where(self.trusted, self.labels, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Features of one array (N, D) of any float type, in memory or memory-mapped."""

    array: NDArray[np.floating]

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        rows, width = self.array.shape
        return rows, width

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Precision in which the numbers are kept."""
        return self.array.dtype

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,) as (b, D) float32."""
        taken: NDArray[np.float32] = self.array[rows].astype(np.float32, copy=False)
        return taken
