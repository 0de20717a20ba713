"""Data with errors whose places are known: for demonstrations, tests and benchmarks.

Letters: N rows, D width, C classes.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PRAISE = ("lovely", "soft", "fresh", "gentle", "rich", "bright", "perfect", "smooth")
BLAME = ("sticky", "harsh", "greasy", "thin", "broken", "dull", "weak", "smelly")
THINGS = ("cream", "shampoo", "brush", "lotion", "mirror", "soap", "oil", "scent")
SIGNAL = 16
"""Directions of the embedding in which the classes differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Rows with the labels that they have and the labels that they should have.

    embeddings: (N, D) float32.
    texts:      N short reviews.
    truth:      (N,) int64, 1 for praise.
    given:      (N,) int64, some of them wrong.
    """

    embeddings: NDArray[np.float32]
    texts: list[str]
    truth: NDArray[np.int64]
    given: NDArray[np.int64]


def reviews(rows: int, *, width: int, noise: NDArray[np.float64], seed: int, distance: float = 3.0) -> Planted:
    """Make reviews of two classes whose embeddings overlap a little.

    noise:    (2, 2) P(given j | true i), the rates at which labels are flipped.
    distance: between the centres of the classes, in deviations: 3 lets a good model be right on 93% of the rows.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows)
    direction = np.zeros(width)
    direction[:SIGNAL] = distance / np.sqrt(min(SIGNAL, width))
    embeddings = rng.standard_normal((rows, width), dtype=np.float32)
    embeddings += ((truth[:, None] - 0.5) * direction).astype(np.float32)
    flipped = rng.random(rows) < noise[truth, 1 - truth]
    texts = [_text(label, rng) for label in truth]
    return Planted(embeddings, texts, truth, np.where(flipped, 1 - truth, truth))


def write(folder: Path, name: str, planted: Planted) -> None:
    """Write `name.csv` and `name.npy` into a channel's folder, with the given labels only."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", planted.embeddings, allow_pickle=False)
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "label"])
        writer.writerows(zip(planted.texts, planted.given.tolist(), strict=True))


def _text(label: int, rng: np.random.Generator) -> str:
    words = PRAISE if label else BLAME
    thing, first, second, uses = rng.choice(THINGS), *rng.choice(words, 2, replace=False), rng.integers(2, 10**9)
    return f"The {thing} is {first} and {second} after {uses} uses"
