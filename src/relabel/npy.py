"""How a `.npy` file begins: the shape, order and type of the array that follows."""

from __future__ import annotations

import io
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as numpy_format

_READERS = {(1, 0): numpy_format.read_array_header_1_0, (2, 0): numpy_format.read_array_header_2_0}
_READERS[3, 0] = _READERS[2, 0]  # they differ in the names of fields alone, which no array of numbers has
LONGEST = 10_100
"""Bytes; numpy itself reads no longer header than 10,000 behind what tells its length."""

_ALONE = Lock()
"""Numpy reads a header as Python, and before 3.11.8 Python's parser now and then raises SystemError where two threads parse at once
(python/cpython#106905)."""


def header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Give shape, whether columns come one after another, and type; the file stands at the first value then. Any thread may ask.

    Raises ValueError where the file does not begin as an array's does, OSError where it cannot be read.
    """
    start = file.tell()
    beginning = io.BytesIO(file.read(LONGEST))
    try:
        with _ALONE:
            found = _READERS[numpy_format.read_magic(beginning)](beginning)
    except Exception as error:  # a torn or forged header can end in any exception of the parser, MemoryError among them
        raise ValueError("no header of an array") from error
    file.seek(start + beginning.tell())
    return found
