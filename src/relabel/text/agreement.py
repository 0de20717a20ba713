"""Whether an encoder is the one that given embeddings were made with: else an endpoint would show a model what it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Features
from relabel.errors import UserError
from relabel.text.reader import Reader

ROWS = 48
"""Rows that are looked at."""

ALIKE = 0.999
"""Cosine from which on two vectors are of the same text by the same encoder: float16 alone leaves .999999."""

SAME_LENGTH = 0.01
"""By how much, as a share, their lengths may differ: a model that knows vectors of length 1 takes no others."""

MOST_OTHERS = 0.1
"""Share of rows that may disagree: a text that another program cut or cleaned."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the rows that were looked at agree, in direction and length.

    cosine: the median.
    length: the median of the encoder's length of a vector through the given one's.
    """

    agree: int
    rows: int
    cosine: float
    length: float


def check(texts: Sequence[str], features: Features, read: Reader, *, seed: int = 0) -> str:
    """See whether an encoder gives the embeddings (N, D) of texts (N,), by a few dozen rows drawn by the seed; give a note, "" where all agree.

    Rows without a text are not looked at. Raises UserError where the widths differ, or more than a tenth of the rows disagree.
    """
    there = np.flatnonzero([bool(text.strip()) for text in texts])
    if not there.size:
        return ""
    rows = np.sort(np.random.default_rng(seed).choice(there, min(ROWS, there.size), replace=False))
    made, given = read([texts[row] for row in rows]), features.take(rows)
    if made.shape != given.shape:
        raise UserError(
            f"the embeddings are {given.shape[1]} wide, and the encoder's vectors {made.shape[1]}: give the encoder that they "
            f"were made with, or set its pooling; or leave the embeddings out, and the texts are embedded"
        )
    found = compare(made, given)
    if found.agree == found.rows:
        return ""
    seen = f"{found.rows - found.agree} of {found.rows} embeddings are not what the encoder makes of their texts"
    if found.rows - found.agree > MOST_OTHERS * found.rows:
        raise UserError(
            f"{seen} (median cosine {found.cosine:.3f}, length {found.length:.2f} times the given one): give the encoder that they were made "
            "with, with its pooling, normalisation and most tokens; or leave the embeddings out, and the texts are embedded"
        )
    return f"{seen}: were these texts cut or cleaned before?"


def compare(made: NDArray[np.float32], given: NDArray[np.float32]) -> Agreement:
    """Compare vectors (n, D) with those that were given."""
    made, given = made.astype(np.float64), given.astype(np.float64)
    long, short = np.linalg.norm(made, axis=1), np.linalg.norm(given, axis=1)
    least = np.finfo(np.float32).tiny
    cosine = (made * given).sum(axis=1) / np.maximum(long * short, least)
    length = long / np.maximum(short, least)
    agree = (cosine > ALIKE) & (np.abs(length - 1) < SAME_LENGTH)
    return Agreement(int(agree.sum()), len(made), float(np.median(cosine)), float(np.median(length)))
