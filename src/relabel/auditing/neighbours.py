"""Rows near each other: a view of the inputs in few directions, its nearest neighbours, its clusters. The only module that knows faiss.

Letters: N rows, D width, d directions, U rows that are searched, n rows that ask, k neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from relabel.data import passes
from relabel.data.examples import Features

SAMPLE = 4096
"""Rows from which means, deviations and directions are learned."""

BLOCK_BYTES = 1 << 24
FEW = 8192
"""Up to this many rows are searched one by one."""

MOST, NUMBERS = 1_000_000, 128_000_000
"""Rows of a view, and numbers of it: of more rows a draw is looked at. A search takes more than twice as long among twice as many rows."""

STREAM = 12
"""Keeps that draw apart from the job's other draws."""

POINTS_PER_CENTRE = 40
ROUNDS = 4
"""Of k-means: the lists need no perfect centres."""

FLAT = 1e-6
"""A column whose deviation is below this part of its size does not vary."""


@dataclass(frozen=True, slots=True)
class Search:
    """How much a search spends.

    directions: principal directions of the standardised rows in which neighbours are looked for; 0 is the whole width.
    probes:     lists of the inverted file that are looked through for each row.
    """

    directions: int
    probes: int


QUICK = Search(directions=64, probes=4)
THOROUGH = Search(directions=0, probes=16)


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """What makes a row standard: mean and scale (D,) float32; the scale is 0 for columns that do not vary."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardise rows (b, D)."""
        standard: NDArray[np.float32] = (rows - self.mean) * self.scale
        return standard


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Rows in few directions: all N, or those that were drawn.

    points:   (N, d) float32 of length 1, the direction of each standardised row.
    inside:   (N,) float32, the part of the row's length that lies in the d directions, 0 to 1.
    length:   (N,) float32, length of the standardised row; about sqrt(D).
    standard: how rows were standardised.
    along:    (D, d) float32, the directions.
    """

    points: NDArray[np.float32]
    inside: NDArray[np.float32]
    length: NDArray[np.float32]
    standard: Standard
    along: NDArray[np.float32]

    def of(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the points (b, d) of other rows (b, D)."""
        points = self.standard(rows) @ self.along
        points /= np.maximum(np.linalg.norm(points, axis=1), np.finfo(np.float32).tiny)[:, None]
        return np.asarray(points)


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """The k nearest of the searched rows for each of them, by the cosine in the view, the nearest first.

    rows:   (U,) which rows were searched, rising.
    index:  (U, k) int64 positions in `rows`, never the row itself.
    cosine: (U, k) float32, falling.
    """

    rows: NDArray[np.intp]
    index: NDArray[np.int64]
    cosine: NDArray[np.float32]


def looked_at(shape: tuple[int, int], search: Search, *, seed: int) -> NDArray[np.intp]:
    """Give the rows, of all (N, D), that a view holds: all or, where that would be too many, a uniform draw of them, rising."""
    count, width = shape
    most = min(MOST, NUMBERS // min(width, search.directions or width))
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng((seed, STREAM)).choice(count, most, replace=False, shuffle=False))


def view(features: Features, search: Search, *, seed: int, rows: NDArray[np.intp] | None = None) -> View:
    """Look at rows (N, D) along their principal directions, learned from a sample; at chosen `rows` of them, where these are given.

    Columns are standardised first: with a cosine on raw embeddings few rows are neighbours of very many.
    """
    chosen = np.arange(features.shape[0]) if rows is None else rows
    count, width = chosen.size, features.shape[1]
    sample = features.take(chosen[np.sort(np.random.default_rng(seed).permutation(count)[:SAMPLE])])
    standard = learn_standard(sample)
    along = find_directions(standard(sample), search.directions or width)
    size = max(1, BLOCK_BYTES // (4 * width))
    seen = passes.mapped(features, chosen, lambda block: _seen(standard(block), along), size)
    points, length = np.ascontiguousarray(seen[:, :-1]), seen[:, -1].copy()
    del seen
    inner = np.sqrt(np.einsum("nd,nd->n", points, points))
    points /= np.maximum(inner, np.finfo(np.float32).tiny)[:, None]
    return View(points, (inner / np.maximum(length, np.finfo(np.float32).tiny)).clip(max=1), length, standard, along)


def _seen(standard: NDArray[np.float32], along: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give where standardised rows (b, D) lie in the directions (D, d), and after that their length: (b, d + 1)."""
    length = np.sqrt(np.einsum("nd,nd->n", standard, standard))
    return np.column_stack([standard @ along, length])


def graph(points: NDArray[np.float32], rows: NDArray[np.intp], *, neighbours: int, search: Search, seed: int) -> Graph:
    """Find the nearest neighbours of chosen rows (U,) of points (N, d) among each other; U is 2 or more.

    Few rows are compared one by one, many through an inverted file (Jegou et al. 2011), which may miss some. A row that has
    too few neighbours in the lists looked through has its last one repeated.
    """
    searched = points[rows]
    k = min(neighbours, rows.size - 1)
    cosine, index = _index(searched, search.probes, seed).search(searched, k + 1)
    own = np.arange(rows.size)[:, None]
    others = np.argsort(index == own, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(index, others, axis=1)
    near = np.take_along_axis(cosine, others, axis=1)
    for place in range(1, k):
        missing = found[:, place] < 0
        found[missing, place], near[missing, place] = found[missing, place - 1], near[missing, place - 1]
    lonely = found[:, 0] < 0
    found[lonely], near[lonely] = (np.flatnonzero(lonely)[:, None] + 1) % rows.size, 0.0
    return Graph(rows, found.astype(np.int64), near.clip(-1, 1))


def nearest(
    points: NDArray[np.float32],
    asked: NDArray[np.intp],
    among: NDArray[np.intp],
    *,
    neighbours: int,
    search: Search,
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find those of the rows `among` (U,) of points (N, d) that are nearest to each asked row (n,), itself if it is one of them.

    Gives rows (n, k), the nearest first, and their cosine (n, k); -1 where there are too few, or too few in the lists looked through.
    """
    k = min(neighbours, among.size)
    cosine, index = _index(points[among], search.probes, seed).search(points[asked], k)
    found = np.where(index < 0, -1, among[index]).astype(np.int64)
    return found, np.where(index < 0, -1, cosine).clip(-1, 1).astype(np.float32)


def clusters(points: NDArray[np.float32], rows: NDArray[np.intp], count: int, *, seed: int) -> NDArray[np.int64]:
    """Divide chosen rows (U,) of points (N, d) into at most `count` clusters by k-means: (U,) from 0."""
    searched = points[rows]
    means = faiss.Kmeans(
        searched.shape[1], count, niter=4 * ROUNDS, seed=seed % 2**31, max_points_per_centroid=4 * POINTS_PER_CENTRE,
        min_points_per_centroid=1,
    )  # fmt: skip
    means.train(searched)
    nearest: NDArray[np.int64] = means.index.search(searched, 1)[1][:, 0]
    return nearest


def learn_standard(sample: NDArray[np.float32]) -> Standard:
    """Learn means and scales from rows (n, D)."""
    mean = sample.mean(axis=0, dtype=np.float64)
    deviation = sample.std(axis=0, dtype=np.float64)
    varies = deviation > FLAT * (1 + np.abs(mean))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)
    return Standard(mean.astype(np.float32), scale.astype(np.float32))


def find_directions(sample: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Give the directions (D, d) in which standardised rows vary most; all of them, unturned, where none is left out."""
    width = sample.shape[1]
    if most >= width:
        return np.eye(width, dtype=np.float32)
    _, vectors = eigh(sample.T @ sample, subset_by_index=[width - most, width - 1])
    return np.ascontiguousarray(vectors[:, ::-1], np.float32)


def _index(points: NDArray[np.float32], probes: int, seed: int) -> faiss.Index:
    count, width = points.shape
    coarse = faiss.IndexFlatIP(width)
    if count <= FEW:
        coarse.add(points)
        return coarse
    index = faiss.IndexIVFFlat(coarse, width, int(2 * math.sqrt(count)), faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.seed, index.cp.max_points_per_centroid = ROUNDS, seed % 2**31, POINTS_PER_CENTRE
    index.cp.min_points_per_centroid, index.cp.spherical = 1, True
    index.train(points)
    index.add(points)
    index.nprobe = probes
    return index
