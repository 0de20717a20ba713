"""Some of the rows, as if there were no others.

Letters: N rows of the examples, U of them drawn, b of these asked for.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Examples, Features, Reviews, Typed
from relabel.data.room import Room
from relabel.data.spool import spooled
from relabel.data.stored import SLAB, Stored, Warm
from relabel.errors import PlatformError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Features of the rows (U,) among those of all: none is copied."""

    features: Features
    rows: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """(U, D)."""
        return self.rows.size, self.features.shape[1]

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,), as positions among the drawn ones, as (b, D) float32."""
        return self.features.take(self.rows[rows])


def part_of(examples: Examples, rows: NDArray[np.intp]) -> Examples:
    """Give the rows (U,) of examples, which rise; groups of duplicates keep their numbers. Embeddings on a disk are copied: see `together`."""
    columns: dict[str, Any] = {
        each.name: getattr(examples, each.name)[rows]
        for each in dataclasses.fields(examples)
        if isinstance(getattr(examples, each.name), np.ndarray)
    }
    if examples.features is not None:
        columns["features"] = together(examples.features, rows)
    if examples.texts is not None:
        columns["texts"] = examples.texts.among(rows)
    if examples.reviews is not None:
        columns["reviews"] = _reviews(examples.reviews, rows)
    columns["metadata"] = {name: values[rows] for name, values in examples.metadata.items()}
    return dataclasses.replace(examples, **columns)


def together(features: Features, rows: NDArray[np.intp]) -> Features:
    """Give the rows (U,), which rise, as features of their own.

    What lies on a disk is read once and written, row after row, to a file that vanishes with the process: whoever takes these rows in any order
    would wait for the disk at each of them, and those of a draw have room in the system's memory together. Anything else stays where it is.
    """
    if not isinstance(features, Warm) or not rows.size:
        return Drawn(features, rows)
    try:
        return _copied(features, rows)
    except (OSError, PlatformError) as error:
        log.warning("no copy of the drawn rows (%s): each is read where it lies, which takes longer", error)
        return Drawn(features, rows)


def _copied(features: Features, rows: NDArray[np.intp]) -> Stored:
    half = isinstance(features, Typed) and features.dtype.itemsize == np.dtype(np.float16).itemsize
    dtype: np.dtype[np.floating] = np.dtype(np.float16 if half else np.float32)
    width = features.shape[1]
    step = max(1, SLAB // (4 * width))
    blocks = (features.take(rows[start : start + step]) for start in range(0, rows.size, step))
    return spooled(blocks, width, Room(0), dtype)


def spread(values: NDArray[Any], rows: NDArray[np.intp], count: int, missing: float) -> NDArray[Any]:
    """Put values (U,) of drawn rows where these lie among all: (N,), and what is `missing` elsewhere."""
    if rows.size == count:
        return values
    whole = np.full(count, missing, values.dtype)
    whole[rows] = values
    return whole


def _reviews(reviews: Reviews, rows: NDArray[np.intp]) -> Reviews:
    return Reviews(**{each.name: getattr(reviews, each.name)[rows] for each in dataclasses.fields(reviews)})
