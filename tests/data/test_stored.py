"""Promises of embeddings on disk: any rows, as they would be in memory."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.data import stored
from relabel.data.formats import npy
from relabel.data.ordered import Ordered
from relabel.data.stored import Stored, Warm
from relabel.errors import UserError

DTYPES = ["<f2", "<f4", "<f8", ">f4"]
WIDTH = 5


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> tuple[list[Stored], list[np.ndarray]]:
    """Give features of one file and of three, of every type, and what they hold."""
    folder = tmp_path_factory.mktemp("stored")
    features, expected = [], []
    for n, sizes in enumerate([(40,), (7, 1, 32)]):
        for dtype in DTYPES:
            parts = [np.random.default_rng(n).standard_normal((size, WIDTH)).astype(dtype) for size in sizes]
            paths = [folder / f"{n}{dtype.replace('<', 'l')}{place}.npy" for place in range(len(parts))]
            for path, part in zip(paths, parts, strict=True):
                np.save(path, part)
            features.append(Stored([npy.read(path).lies for path in paths]))
            expected.append(np.concatenate(parts).astype(np.float32))
    return features, expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=60), st.booleans(), st.integers(1, 100), st.integers(1, 100))
def test_any_rows_are_taken_as_from_memory(kept, rows, ascending, slab, apart) -> None:
    """One file or several, of any type, rows that lie close together or far apart, in any order, some of them twice."""
    chosen = np.array(sorted(set(rows)) if ascending else rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored, "SLAB", slab)
        patch.setattr(stored, "APART", apart)
        patch.setattr(stored, "DENSE", 1 + apart % 5)
        for features, expected in zip(*kept, strict=True):
            taken = features.take(chosen)
            assert taken.dtype == np.float32
            assert np.array_equal(taken, expected[chosen])
            assert features.shape == (40, WIDTH)


def test_what_will_be_taken_can_be_told(kept) -> None:
    """It is read from beginning to end once, and changes nothing; in another order too."""
    order = np.random.default_rng(0).permutation(40)
    for features, expected in zip(*kept, strict=True):
        moved = Ordered(features, order)
        for told in (features, moved):
            assert isinstance(told, Warm)
            told.warm(np.arange(3, 30))
        assert moved.shape == (40, WIDTH)
        assert np.array_equal(moved.take(np.arange(40)), expected[order])


@pytest.mark.parametrize("roomy", [True, False])
def test_what_is_done_with_is_forgotten_where_memory_is_scarce(tmp_path, roomy) -> None:
    """Rows that are let go are no longer at hand, the others are; their values are the same when they are taken again."""
    path, values = tmp_path / "a.npy", np.arange(4096 * 512, dtype=np.float32).reshape(4096, 512)
    np.save(path, values)
    features = Stored([npy.read(path).lies], roomy=roomy)
    rows = np.random.default_rng(0).permutation(4096)
    first = features.take(rows)
    assert at_hand(path) >= values.nbytes >> 10
    features.cool(np.arange(2048))
    assert (at_hand(path) > values.nbytes * 3 >> 12) == roomy
    assert at_hand(path) >= values.nbytes >> 13  # some of the others may have shared a large page
    assert np.array_equal(features.take(rows), first)


def at_hand(path: Path) -> int:
    """KiB of a file that are mapped into this process."""
    found = Path("/proc/self/smaps").read_text().split(str(path))[1]
    return int(next(line for line in found.splitlines() if line.startswith("Rss:")).split()[1])


@pytest.mark.parametrize("rows", [[0, 1, 2, 900], [900, 0], [3]])
def test_a_file_that_becomes_shorter_is_told(tmp_path, rows) -> None:
    """Whichever way the rows are read: the process is not killed by the system."""
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((1000, 512), np.float16))
    features = Stored([npy.read(path).lies])
    os.truncate(path, 2048)
    with pytest.raises(UserError, match=r"^a\.npy has become shorter"):
        features.take(np.array(rows))


@pytest.mark.parametrize("rows", [[0, 1, 2, 900], [900, 0], [3]])
def test_a_file_that_is_written_to_is_told(tmp_path, rows) -> None:
    """Other values of the same size would be learned from without a word."""
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((1000, 8), np.float16))
    features = Stored([npy.read(path).lies])
    with path.open("r+b") as file:
        file.seek(4000)
        file.write(b"others")
    os.utime(path, ns=(0, 1))  # a clock may be too coarse to tell
    with pytest.raises(UserError, match=r"^a\.npy was written to while it was read"):
        features.take(np.array(rows))


def test_a_file_that_is_replaced_is_read_on(tmp_path) -> None:
    """Another one under its name is not the one that was checked."""
    path = tmp_path / "a.npy"
    np.save(path, np.ones((10, 2), np.float32))
    features = Stored([npy.read(path).lies])
    np.save(tmp_path / "new.npy", np.zeros((10, 2), np.float32))
    (tmp_path / "new.npy").rename(path)
    assert features.take(np.array([9, 0])).tolist() == [[1, 1], [1, 1]]


def test_a_file_that_is_taken_away_is_read_on(tmp_path) -> None:
    """It is there for as long as it is held open."""
    path = tmp_path / "a.npy"
    np.save(path, np.ones((10, 2), np.float32))
    features = Stored([npy.read(path).lies])
    path.unlink()
    assert features.take(np.array([9, 0])).tolist() == [[1, 1], [1, 1]]
