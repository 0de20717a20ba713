"""Columns as a page's script takes them: numbers as base64 of their bytes, names as codes into a list.

Letters: N rows, n of them packed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A column of names: codes (N,) into them."""

    codes: NDArray[np.integer]
    names: list[str]

    def counts(self) -> list[int]:
        """Rows of each name."""
        return [int(rows) for rows in np.bincount(self.codes, minlength=len(self.names))]


def named(column: pa.ChunkedArray, nothing: str, first: Sequence[str] = ()) -> Named:
    """Take a column of strings (N,), dictionary or plain.

    nothing: the name of null; it comes last, and only where there is one.
    first:   names in the order in which they are to stand; others follow as they come.
    """
    parts = [chunk.cast(pa.string()).dictionary_encode() for chunk in column.chunks]
    encoded = pa.chunked_array(parts, pa.dictionary(pa.int32(), pa.string())).unify_dictionaries()
    found = encoded.chunk(0).dictionary.to_pylist() if encoded.num_chunks else []
    names = [name for name in first if name in found] + [name for name in found if name not in set(first)]
    place = {name: code for code, name in enumerate(names)}
    codes = [chunk.indices.fill_null(len(found)).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    order = np.array([place[name] for name in found] + [len(names)], np.int32)
    return Named(
        order[np.concatenate([np.empty(0, np.int32), *codes])], [*names, nothing] if encoded.null_count else names
    )


def numbers(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """Take a column of numbers (N,); null becomes NaN."""
    return np.asarray(column.cast(pa.float32()).to_numpy(), np.float32)


def packed(values: NDArray[Any]) -> dict[str, str]:
    """Pack numbers (n,) for a typed array: its kind and its bytes, little end first; whole numbers in as few bytes as they need."""
    kind = _narrowest(int(values.max(initial=0))) if values.dtype.kind in "iub" else "float32"
    little = np.ascontiguousarray(values, np.dtype(kind).newbyteorder("<"))
    return {"kind": kind, "bytes": base64.b64encode(little.tobytes()).decode()}


def _narrowest(largest: int) -> str:
    return next(kind for kind in ("uint8", "uint16", "uint32") if largest <= np.iinfo(kind).max)
