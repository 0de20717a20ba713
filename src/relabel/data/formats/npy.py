"""Embeddings as one numpy array. Arrays of Python objects, which are pickles, are refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from relabel import npy
from relabel.data.formats.matrix import Copy, Matrix, flat_shape
from relabel.data.stored import Held, Stretch
from relabel.errors import UserError

MAGIC = b"\x93NUMPY"
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
"""How a file of one array begins, one of several, and one of none."""

REMEDY = "save the embeddings alone, as one array: np.save(path, array)"
TORN = f"no array can be read from it: it is truncated, or not a file of numpy; {REMEDY}"


def read(path: Path) -> Matrix:
    """Open one array (N, D) or (N, 1, D) of float16, float32 or float64; its rows are read from beginning to end, or where they lie.

    Raises UserError where the file is truncated or holds anything else: objects, several arrays, integers.
    """
    with path.open("rb") as opened:
        shape, by_columns, dtype = _header(opened)
        start = opened.tell()
    if dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise UserError(f"an array of {dtype}: give float16, float32 or float64")
    rows, width = flat_shape(shape, f"{dtype} array")
    if path.stat().st_size < start + rows * width * dtype.itemsize:
        raise UserError(TORN)
    half = dtype.itemsize == 2  # noqa: PLR2004  # bytes
    file = Held(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    if by_columns:
        return Matrix(rows, width, _by_columns(Stretch(file, start, dtype, rows * width, 1, path), rows), half=half)
    stretch = Stretch(file, start, dtype, rows, width, path)
    return Matrix(rows, width, _by_rows(stretch), lies=stretch, half=half)


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Give shape, whether columns come one after another, and type; the file stands at the first value then."""
    beginning = file.read(len(MAGIC))
    if beginning.startswith(ARCHIVES):
        raise UserError(f"an archive of arrays (.npz) where one array is expected; {REMEDY}")
    if beginning != MAGIC:
        raise UserError(
            f"no array of numpy, but a pickle, another format, or a truncated file: nothing of it was run; {REMEDY}"
        )
    file.seek(0)
    try:
        shape, by_columns, dtype = npy.header(file)
    except ValueError:
        raise UserError(TORN) from None
    if dtype.hasobject:
        raise UserError(f"an array of Python objects, which is a pickle: nothing of it was run; {REMEDY}")
    return shape, by_columns, dtype


def _by_rows(stretch: Stretch) -> Copy:
    def copy(first: int, out: NDArray[np.float32]) -> None:
        block = out if stretch.dtype == np.float32 else np.empty(out.shape, stretch.dtype)
        stretch.read(first, block)
        if block is not out:
            with np.errstate(over="ignore"):
                np.copyto(out, block, casting="same_kind")

    return copy


def _by_columns(values: Stretch, rows: int) -> Copy:
    """Read rows of a matrix whose columns lie one after another, as one long column."""

    def copy(first: int, out: NDArray[np.float32]) -> None:
        part = np.empty((len(out), 1), values.dtype)
        for number, column in enumerate(out.T):
            values.read(number * rows + first, part)
            with np.errstate(over="ignore"):
                np.copyto(column, part[:, 0], casting="same_kind")

    return copy
