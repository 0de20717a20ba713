"""Promises of how the beginning of a `.npy` file is read."""

from __future__ import annotations

import gc
import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from relabel import npy

THREADS, READS = 4, 5_000


def beginning(shape: tuple[int, ...]) -> bytes:
    """What comes before an array of float32."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()


def test_threads_read_headers_side_by_side() -> None:
    """Not one of thousands fails, though threads change places in the middle of Python's parser, at other depths of the stack."""
    switching, counts = sys.getswitchinterval(), gc.get_threshold()

    def change_places(_phase: str, _info: dict[str, int]) -> None:
        time.sleep(1e-5)

    def read(depth: int) -> set[tuple[int, ...]]:
        return read(depth - 1) if depth % 10 else {npy.header(io.BytesIO(beginning((3, 4))))[0] for _ in range(READS)}

    gc.callbacks.append(change_places)
    try:
        gc.set_threshold(20)
        sys.setswitchinterval(1e-6)
        with ThreadPoolExecutor(THREADS) as pool:
            assert list(pool.map(read, range(10, 10 + THREADS))) == [{(3, 4)}] * THREADS
    finally:
        gc.callbacks.remove(change_places)
        gc.set_threshold(*counts)
        sys.setswitchinterval(switching)


@pytest.mark.parametrize("cut", [0, 3, 7, 9, 40])
def test_a_torn_header_is_no_header(cut) -> None:
    """Wherever it ends."""
    with pytest.raises(ValueError, match="no header"):
        npy.header(io.BytesIO(beginning((3, 4))[:cut]))


@pytest.mark.parametrize("twist", ["-" * 9000 + "1", "~" * 9000 + "1", "[" * 90 + "-" * 8000])
def test_what_no_parser_gets_through_is_no_header(twist) -> None:
    """Python's raises MemoryError, which nobody should take for a machine without memory."""
    text = twist.encode()
    with pytest.raises(ValueError, match="no header"):
        npy.header(io.BytesIO(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text))


def test_the_file_stands_at_the_first_value() -> None:
    """Wherever in it the array begins."""
    file = io.BytesIO(b"before" + beginning((2,)) + b"values")
    file.seek(6)
    assert npy.header(file) == ((2,), False, np.dtype("<f4"))
    assert file.read() == b"values"


def test_a_header_that_runs_something_is_no_header() -> None:
    """Numpy reads it as a literal of Python, and nothing else of Python is taken."""
    torn = beginning((3, 4)).replace(b"False, 'shape': (3, 4), }", b"print('x')}              ")
    with pytest.raises(ValueError, match="no header"):
        npy.header(io.BytesIO(torn))
