"""How a `.npy` file begins: the shape, order and type of the array that follows."""

from __future__ import annotations

from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as numpy_format

_READERS = {(1, 0): numpy_format.read_array_header_1_0, (2, 0): numpy_format.read_array_header_2_0}
_READERS[3, 0] = _READERS[2, 0]  # they differ in the names of fields alone, which no array of numbers has
_ALONE = Lock()
"""Numpy reads a header as Python, and before 3.11.8 Python's parser now and then raises SystemError where two threads parse at once
(python/cpython#106905)."""


def header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Give shape, whether columns come one after another, and type; the file stands at the first value then. Any thread may ask.

    Raises ValueError where the file does not begin as an array's does; MemoryError and OSError where it could not be read.
    """
    try:
        with _ALONE:
            return _READERS[numpy_format.read_magic(file)](file)
    except (MemoryError, OSError):
        raise
    except Exception as error:  # a torn or forged header can end in any exception of the reader
        raise ValueError("no header of an array") from error
