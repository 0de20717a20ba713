"""Rows as points of a map.

Letters: N rows, H width of what is projected, d directions, n rows that the map is learned on.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import neighbours
from relabel.data import passes
from relabel.data.examples import Features
from relabel.errors import UserError

Method = Literal["pca", "umap"]

AXES = 2
SAMPLE = 20_000
"""Rows that a map is learned on, at most."""

BLOCK = 8192
"""Rows laid out at a time."""

FEWEST = 50
"""Rows without which there are no neighbourhoods for umap to keep: fewer are laid out by pca."""

FIRST = 50
"""Directions that umap sees: it looks for neighbours, and in more directions these take longer and are hardly others."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A map.

    method:    how it was made.
    of:        what was projected, for people.
    points:    (N, 2) float32.
    explained: the share of the variance that each axis shows; None where axes mean nothing.
    """

    method: Method
    of: str
    points: NDArray[np.float32]
    explained: tuple[float, float] | None


def check(method: Method) -> None:
    """Raise UserError where what a method needs is not installed."""
    if method == "umap" and importlib.util.find_spec("umap") is None:
        raise UserError(
            "projection is umap, and umap-learn is not installed: install relabel[umap], or set projection to pca"
        )


def project(features: Features, of: str, method: Method, *, seed: int) -> Projection:
    """Lay rows (N, H) out on a map; columns are standardised first.

    pca:  along the two directions in which a sample varies most; each direction points to where its largest weight is positive.
    umap: neighbours stay together (McInnes, Healy and Melville 2018). It is learned on a sample, and the other rows are put among these:
          one to two minutes for 80,000 rows, about 45 s of them for the sample, on one processor core.
    """
    method = method if features.shape[0] >= FEWEST else "pca"
    rows = np.sort(np.random.default_rng(seed).permutation(features.shape[0])[:SAMPLE])
    sample = features.take(rows)
    standard = neighbours.learn_standard(sample)
    standardised = standard(sample)
    along = _signed(neighbours.find_directions(standardised, AXES if method == "pca" else FIRST))
    every = np.arange(features.shape[0])
    seen = passes.mapped(features, every, lambda block: standard(block) @ along, BLOCK)  # (N, d)
    if method == "umap":
        return Projection(method, of, _umap(seen, rows, seed), None)
    whole = max(float(standardised.var(axis=0, dtype=np.float64).sum()), np.finfo(np.float64).tiny)
    shares = [float(share) for share in seen[rows].var(axis=0, dtype=np.float64) / whole]
    points = np.zeros((len(seen), AXES), np.float32)
    points[:, : seen.shape[1]] = seen
    return Projection(method, of, points, (shares[0], shares[1] if len(shares) > 1 else 0.0))


def _signed(along: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn directions (H, d), of which each is as good as its opposite."""
    largest = np.abs(along).argmax(axis=0)
    signed: NDArray[np.float32] = along * np.where(along[largest, np.arange(along.shape[1])] < 0, -1, 1).astype(
        np.float32
    )
    return signed


def _umap(seen: NDArray[np.float32], rows: NDArray[np.intp], seed: int) -> NDArray[np.float32]:
    """Learn on some of the rows (N, d), and put the others among them."""
    import umap  # noqa: PLC0415  # an extra, and seconds

    learner = umap.UMAP(n_components=AXES, random_state=seed, transform_seed=seed, n_jobs=1)
    points = np.empty((len(seen), AXES), np.float32)
    points[rows] = learner.fit_transform(seen[rows])
    others = np.setdiff1d(np.arange(len(seen)), rows)
    for start in range(0, others.size, BLOCK):
        block = others[start : start + BLOCK]
        points[block] = learner.transform(seen[block])
    return points
