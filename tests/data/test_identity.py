"""Promises of row hashes."""

import numpy as np
import pytest
import xxhash

from relabel.data import identity
from relabel.data.examples import Dense
from relabel.data.identity import row_hash, row_hashes


@pytest.mark.parametrize("block", [1, 64, 1 << 22])
def test_all_rows_at_once_have_the_hashes_of_each(monkeypatch, block) -> None:
    """Whatever is read at a time, for vectors of any float type, with and without texts."""
    monkeypatch.setattr(identity, "BLOCK_BYTES", block)
    array = np.random.default_rng(0).standard_normal((7, 5))
    texts = np.array(["a", "", "é\n", "\ud800", "b", "a", "c"], np.object_)
    single = array.astype(np.float32)
    assert [*row_hashes(Dense(array), texts, 7)] == [row_hash(v, t) for v, t in zip(single, texts, strict=True)]
    assert [*row_hashes(Dense(array), None, 7)] == [row_hash(v, None) for v in single]
    assert [*row_hashes(None, texts, 7)] == [row_hash(None, t) for t in texts]


def test_a_hash_is_that_of_the_bytes() -> None:
    """The float32 values, then the text in UTF-8: other programs can make it."""
    vector = np.arange(3, dtype=np.float32)
    assert row_hash(vector, "é") == xxhash.xxh3_128(vector.tobytes() + "é".encode()).hexdigest()
    assert row_hash(vector, None) == row_hash(vector, "")
    assert row_hash(vector, "é") != row_hash(vector[::-1], "é")
