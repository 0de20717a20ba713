"""`application/x-npy`: one numpy array of vectors; the probabilities come back as one (n, C) array of float32. Nothing is unpickled."""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from relabel import npy
from relabel.codecs.codec import Predictions, Records, Takes, finite
from relabel.errors import UserError

SHAPES = "send an array of numbers, (rows, {width}) or one vector ({width},), as numpy.save writes it"
LONGEST_HEADER = 10_000
"""Bytes; numpy itself reads no longer one."""
MANY, HUGE = 9, 10**9
"""Dimensions, and their lengths, that a message does not repeat."""


def decode(body: bytes, takes: Takes) -> Records:
    """Read an array of any real type, (n, width) or (width,)."""
    width = takes.width
    if width is None:
        raise UserError(f"an array holds vectors, and this model takes {takes}")
    array = _array(body, width, SHAPES.format(width=width))
    return finite(np.ascontiguousarray(np.atleast_2d(array), dtype=np.float32))


def encode(predictions: Predictions) -> bytes:
    """Write the probabilities; a row that was refused is NaN."""
    probabilities = predictions.probabilities
    if predictions.refused:
        probabilities = probabilities.copy()
        probabilities[list(predictions.refused)] = np.nan
    return _beginning(probabilities.shape) + probabilities.tobytes()


@lru_cache(maxsize=64)
def _beginning(shape: tuple[int, ...]) -> bytes:
    """Write what comes before an array of float32."""
    out = io.BytesIO()
    numpy_format.write_array_header_1_0(out, {"shape": shape, "fortran_order": False, "descr": "<f4"})
    return out.getvalue()


def _array(body: bytes, width: int, shapes: str) -> NDArray[np.generic]:
    """View the body as an array, without a copy."""
    size = _header_size(body)
    header = _header(body[:size]) if size <= LONGEST_HEADER else None
    if header is None:
        raise UserError(f"the body is no .npy file: {shapes}")
    start, shape, fortran, dtype = header
    if dtype.kind not in "fiu":
        raise UserError(f"an array that does not hold real numbers: {shapes}")
    if not _fits(shape, width):
        plain = len(shape) < MANY and all(type(n) is int and 0 <= n < HUGE for n in shape)
        raise UserError(f"an array of {f'shape {shape}' if plain else 'an odd shape'}: {shapes}")
    count = math.prod(shape)
    if len(body) - start != count * dtype.itemsize:
        raise UserError(f"the header promises another length than the body has: {shapes}")
    return np.frombuffer(body, dtype, count, start).reshape(shape, order="F" if fortran else "C")


def _fits(shape: tuple[Any, ...], width: int) -> bool:
    """Tell (n, width) and (width,), n at least 1, from whatever else a header may say."""
    if not all(type(n) is int for n in shape):
        return False
    return shape == (width,) or (len(shape) == 2 and shape[1] == width and shape[0] > 0)  # noqa: PLR2004  # rows and columns


def _header_size(body: bytes) -> int:
    """Give the bytes before the array: magic, version, and the header's length in 2 bytes or, from version 2 on, in 4."""
    digits = 2 if body[6:7] == b"\x01" else 4
    return 8 + digits + int.from_bytes(body[8 : 8 + digits], "little")


@lru_cache(maxsize=64)
def _header(text: bytes) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]] | None:
    """Read where the array starts, its shape, order and type; None where that fails. A client's requests all begin alike, and numpy takes 40 µs."""
    file = io.BytesIO(text)
    try:
        shape, fortran, dtype = npy.header(file)
    except ValueError:
        return None
    return file.tell(), shape, fortran, dtype
