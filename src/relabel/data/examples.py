"""What the job knows of the data, once it has passed the gate.

Letters: N rows of all splits together, D embedding width, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


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
    texts:     (N,) object array of str ("" where unknown), or None where no file has texts.
    classes:   names in the order of the labels.
    files:     the label files, as `channel/name`.
    file, row: (N,) int32 into `files` and (N,) int64, the record's number in it from 0: where a row came from.
    notes:     sentences a person should read: splits that were drawn, rows left out.
    reviews:   what people decided, which is in `labels`, `trusted` and `left_out` already; None where nobody was asked.
    """

    features: Features | None
    labels: NDArray[np.int64]
    split: NDArray[np.uint8]
    group: NDArray[np.int64]
    left_out: NDArray[np.bool_]
    trusted: NDArray[np.bool_]
    ids: NDArray[np.object_]
    texts: NDArray[np.object_] | None
    classes: tuple[str, ...]
    files: tuple[str, ...]
    file: NDArray[np.int32]
    row: NDArray[np.int64]
    notes: tuple[str, ...] = ()
    reviews: Reviews | None = None

    def __len__(self) -> int:
        return int(self.labels.size)

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Give the rows (n,) of a split that count: those not left out."""
        return np.flatnonzero((self.split == split) & ~self.left_out)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """Features of one array (N, D) of any float type, in memory or memory-mapped."""

    array: NDArray[np.floating]

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        rows, width = self.array.shape
        return rows, width

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,) as (b, D) float32."""
        taken: NDArray[np.float32] = self.array[rows].astype(np.float32, copy=False)
        return taken
