"""Texts as vectors, for what needs vectors: linear members of the audit, neighbours, other issues of the data.

Latent semantic analysis: the weights of terms (TF-IDF) of a text, seen along the directions in which texts differ most. The directions are
found by products with a random matrix (Halko, Martinsson and Tropp 2011, algorithm 4.4). Vectors of length 1, 256 directions and two rounds
of products were best, or as good as more of them, for the linear models of `training.linear`.

Letters: N texts, n of them that directions are learned on, V terms, D width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Features
from relabel.data.room import Room
from relabel.data.spool import laid
from relabel.data.tokens import FIRST, UNKNOWN, Tokens
from relabel.training import terms

WIDTH = 256
ROWS = 20_000
"""Texts that directions are learned on, at most."""

TERMS = 30_000
"""Terms that count, the most frequent: rarer ones made no better vectors."""

SPARE = 10
"""Directions that are sought beyond those wanted, which makes the last of these better."""

ROUNDS = 2
BLOCK = 8192
"""Texts brought into vectors at a time."""


def vectors(
    tokens: Tokens,
    rows: NDArray[np.integer],
    vocabulary: int,
    *,
    width: int = WIDTH,
    seed: int = 0,
    room: Room | None = None,
) -> Features:
    """Give vectors (N, D) of all texts, along directions learned on the training texts, `rows` (n,): in memory, or on disk where there is no room.

    vocabulary: V, from the most frequent term on.

    D is less than `width` where there are fewer training texts or terms. A vector has the length 1; that of a text without known terms is 0.
    """
    used = min(vocabulary, TERMS)
    rng = np.random.default_rng(seed)
    learned = np.sort(rng.choice(rows, ROWS, replace=False)) if rows.size > ROWS else rows
    counts = terms.counted(_known(tokens.take(learned), used), used)
    idf = terms.rareness(counts)
    terms.weigh(counts, idf)
    found = directions(counts.astype(np.float32), width, rng)
    blocks = (np.arange(start, min(start + BLOCK, len(tokens))) for start in range(0, len(tokens), BLOCK))
    made = (_along(found, terms.counted(_known(tokens.take(block), used), used), idf) for block in blocks)
    return laid(made, len(tokens), found.shape[1], room, np.dtype(np.float32))


def _along(found: NDArray[np.float32], counts: terms.Matrix, idf: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give vectors (b, D) of length 1 of texts whose terms are counted (b, V), which are weighed for it."""
    terms.weigh(counts, idf)
    along = counts.astype(np.float32) @ found
    length = np.linalg.norm(along, axis=1, keepdims=True)
    out = np.zeros(along.shape, np.float32)
    np.divide(along, length, out=out, where=length > 0)
    return out


def directions(rows: terms.Matrix, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Find the directions (V, D) in which rows (n, V) reach farthest, the farthest first."""
    sought = min(width + SPARE, *rows.shape)
    basis = np.linalg.qr(rows @ rng.standard_normal((rows.shape[1], sought), np.float32))[0]
    for _ in range(ROUNDS):
        basis = np.linalg.qr(rows @ np.linalg.qr(rows.T @ basis)[0])[0]
    frame, inner = np.linalg.qr(rows.T @ basis)
    found: NDArray[np.float32] = frame @ np.linalg.svd(inner)[0]
    return np.ascontiguousarray(found[:, :width])


def _known(tokens: Tokens, used: int) -> Tokens:
    """Take terms beyond the most frequent as unknown."""
    return Tokens(np.where(tokens.ids < used + FIRST, tokens.ids, np.int32(UNKNOWN)), tokens.starts)
