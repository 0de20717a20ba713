"""Embeddings as one numpy array. Arrays of Python objects, which are pickles, are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data.formats.matrix import Matrix, flat_shape
from relabel.errors import UserError

ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
"""How a file of several arrays begins, and an empty one."""

REMEDY = "save the embeddings alone, as one array: np.save(path, array)"


def read(path: Path) -> Matrix:
    """Open one array (N, D) or (N, 1, D) of float16, float32 or float64, memory-mapped and read-only.

    Raises UserError where the file is truncated or holds anything else: objects, several arrays, integers.
    """
    array = _array(path)
    rows, width = flat_shape(array.shape, f"{array.dtype} array")
    flat = array if array.ndim == 2 else array[:, 0]  # noqa: PLR2004  # (N, 1, D)

    def copy(start: int, out: NDArray[np.float32]) -> None:
        with np.errstate(over="ignore"):
            np.copyto(out, flat[start : start + len(out)], casting="same_kind")

    return Matrix(rows, width, copy)


def _array(path: Path) -> NDArray[np.floating]:
    with path.open("rb") as file:  # numpy leaves a broken archive open
        if file.read(len(ARCHIVES[0])) in ARCHIVES:
            raise UserError(f"an archive of arrays (.npz) where one array is expected; {REMEDY}")
    try:
        loaded: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a torn header can end in any exception of the reader
        if isinstance(error, MemoryError | OSError):
            raise
        raise UserError(f"{_seen(str(error))}; {REMEDY}") from None
    if loaded.dtype.kind != "f" or loaded.dtype.itemsize not in (2, 4, 8):
        raise UserError(f"an array of {loaded.dtype}: give float16, float32 or float64")
    return loaded


def _seen(message: str) -> str:
    """Say in our words what numpy met: its own advice is to allow pickles."""
    if "objects" in message:
        return "an array of Python objects, which is a pickle: nothing of it was run"
    if "pickled" in message:
        return "no array of numpy, but a pickle, another format, or a truncated file: nothing of it was run"
    return "no array can be read from it: it is truncated, or not a file of numpy"
