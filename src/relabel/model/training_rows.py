"""The rows that a model was trained on, known again by a 64-bit hash of their embedding or of their text.

A vector or text that the model never saw is taken for one of n such rows with the chance n / 2^64: 5e-13 where they are 10 million. A text is
compared as it stands: another space, another letter's case, or the same letter composed otherwise is another text.
Letters: n rows of training, m rows asked for, D width.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xxhash
from numpy.typing import NDArray

from relabel.data import passes
from relabel.data.examples import Features

BLOCK_BYTES = 1 << 22
"""Embeddings hashed at a time; what stays in the processor's cache is fastest."""


def collected(features: Features, rows: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Give the hashes (n,) of the chosen rows, sorted, each once."""
    return np.unique(passes.mapped(features, rows, hashes, max(1, BLOCK_BYTES // (4 * features.shape[1]))))


def collected_texts(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Give the hashes (n,) of texts, sorted, each once."""
    return np.unique(text_hashes(texts))


def text_hashes(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Give the hash (m,) of each text: xxh3 of its UTF-8."""
    return np.fromiter((xxhash.xxh3_64_intdigest(text.encode(errors="surrogatepass")) for text in texts), np.uint64)


def hashes(vectors: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Give the hash (m,) of each vector (m, D): xxh3 of its float32 values, where -0.0 is 0.0."""
    plain = np.ascontiguousarray(vectors + np.float32(0), dtype="<f4")  # turns -0.0 into 0.0
    return np.fromiter((xxhash.xxh3_64_intdigest(row) for row in plain), np.uint64, len(plain))


def known_rows(rows: NDArray[np.uint64], features: Features) -> NDArray[np.bool_]:
    """Tell which of all rows (N,) of the features have a hash among the known ones (n,)."""
    total, width = features.shape
    return passes.mapped(
        features, np.arange(total), lambda block: among(rows, block), max(1, BLOCK_BYTES // (4 * width))
    )


def among(rows: NDArray[np.uint64], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which of the vectors (m, D) have a hash among the known ones (n,)."""
    return known(rows, hashes(vectors))


def known(rows: NDArray[np.uint64], asked: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell which of the hashes (m,) are among those of rows (n,), which are sorted and may lie in a file."""
    if not rows.size:
        return np.zeros(asked.size, dtype=np.bool_)
    place = np.searchsorted(rows, asked).clip(max=rows.size - 1)
    return np.asarray(rows[place] == asked)
