"""Keys of rows: 128 bits, of which equal rows have equal ones. They are xxh3 of the row's bytes, held as two uint64.

Letters: N rows, D width, b rows of a block.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import xxhash
from numpy.typing import NDArray

from relabel.data.examples import Features

Keys = NDArray[np.uint64]

BLOCK_BYTES = 1 << 22
"""Embeddings hashed at a time; what stays in the processor's cache is fastest."""


def block_rows(width: int) -> int:
    """Rows of a block of float32 vectors of this width."""
    return max(1, BLOCK_BYTES // (4 * max(width, 1)))


def of_vectors(block: NDArray[np.float32]) -> Keys:
    """Give the keys (b, 2) of vectors (b, D): those of equal values are equal, and -0.0 is 0.0."""
    return of_bytes(lines(block + np.float32(0)))  # the sum turns -0.0 into 0.0


def of_features(features: Features) -> Keys:
    """Give the keys (N, 2) of all rows, read block by block."""
    rows, width = features.shape
    step = block_rows(width)
    found = np.empty((rows, 2), np.uint64)
    for start in range(0, rows, step):
        chosen = np.arange(start, min(start + step, rows))
        found[chosen] = of_vectors(features.take(chosen))
    return found


def of_texts(texts: Iterable[str]) -> Keys:
    """Give the keys (N, 2) of texts (N,), by their bytes in UTF-8."""
    return of_bytes(text.encode(errors="surrogatepass") for text in texts)


def of_bytes(values: Iterable[bytes | memoryview]) -> Keys:
    """Give the key of each value, (n, 2)."""
    return np.frombuffer(b"".join(map(xxhash.xxh3_128_digest, values)), np.uint64).reshape(-1, 2)


def lines(block: NDArray[np.float32]) -> Iterable[memoryview]:
    """Give the bytes of each vector of a block (b, D)."""
    width = 4 * block.shape[1]
    buffer = np.ascontiguousarray(block).data.cast("B") if block.size else memoryview(b"")
    return (buffer[at : at + width] for at in range(0, len(buffer), width))


def first_equal(keys: Keys) -> NDArray[np.int64]:
    """Give each key (N, 2) the row of the first key equal to it, (N,)."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable: the first of equal ones comes first
    ranked = keys[order]
    fresh = np.ones(order.size, np.bool_)
    fresh[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    first = np.empty(order.size, np.int64)
    first[order] = order[fresh][np.cumsum(fresh) - 1]
    return first
