"""Embeddings that stay on disk: read where they lie, a few rows at a time.

Letters: N rows, D width.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError

SLAB = 1 << 25
"""Bytes read at once, where the chosen rows lie close together."""

DENSE, APART = 4, 1 << 16
"""Rows between chosen ones, in the mean, up to which all that lies between them is read; and bytes, where the system does not keep the file at hand:
a disk takes longer to begin anew."""


@runtime_checkable
class Warm(Protocol):
    """Features on a disk that can be told what will be taken soon."""

    def warm(self, rows: NDArray[np.integer]) -> None:
        """Read what lies between these rows (b,) once, from beginning to end, so that the system has it at hand."""
        ...

    def cool(self, rows: NDArray[np.integer]) -> None:
        """Let the system forget what lies between these rows (b,), where it has no room for all."""
        ...


class Held:
    """A file that is open for as long as anything knows it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.changed = os.fstat(number).st_mtime_ns
        """When it was written last, as it was opened."""

    def __del__(self) -> None:
        os.close(self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Rows (n, D) of one float type that lie one after another in a file.

    start: bytes before the first row.
    path:  of the file, None where it has no name.
    """

    file: Held
    start: int
    dtype: np.dtype[np.floating]
    rows: int
    width: int
    path: Path | None = None

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.width * self.dtype.itemsize

    def read(self, first: int, out: NDArray[np.floating]) -> None:
        """Fill `out` (b, D), of the file's own type, with the rows from `first` on.

        Raises UserError where the file has become shorter, or was written to.
        """
        self.check()
        left, at = out.reshape(-1).view(np.uint8).data, self.start + first * self.row_bytes
        while left:
            count = os.preadv(self.file.number, [left], at)
            if count == 0:
                raise self._no_longer("has become shorter")
            left, at = left[count:], at + count

    def check(self) -> None:
        """Raise UserError where the file is not what it was when it was opened; one of ours is still written to then."""
        now = os.fstat(self.file.number)
        if now.st_size < self.start + self.rows * self.row_bytes:
            raise self._no_longer("has become shorter")
        if self.path is not None and now.st_mtime_ns != self.file.changed:
            raise self._no_longer("was written to")

    def _no_longer(self, what: str) -> UserError:
        name = self.path.name if self.path else "a temporary file"
        return UserError(f"{name} {what} while it was read: do not change the data of a running job")

    def mapped(self) -> mmap.mmap:
        """Map the file into the address space, read-only."""
        return mmap.mmap(self.file.number, 0, access=mmap.ACCESS_READ)

    def rows_of(self, whole: mmap.mmap) -> NDArray[np.floating]:
        """See all rows (n, D) of the file that is mapped."""
        return np.ndarray((self.rows, self.width), self.dtype, whole, self.start)

    def forget(self, first: int, stop: int, whole: mmap.mmap | None = None) -> None:
        """Let the system forget rows; those that were looked at in the mapped file only where it is given."""
        start = (self.start + first * self.row_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
        size = self.start + stop * self.row_bytes - start
        if whole is not None:
            whole.madvise(mmap.MADV_DONTNEED, start, size)
        if hasattr(os, "posix_fadvise"):  # Linux has it, macOS has not
            os.posix_fadvise(self.file.number, start, size, os.POSIX_FADV_DONTNEED)


class Stored:
    """Features (N, D) of several stretches, one after another.

    roomy: whether the system has memory to keep all of them at hand. Where it has not, it would keep what was read long ago, because that was
           looked at often, and drop what was read for the next steps, unless it is told what is done with (`cool`).
    """

    def __init__(self, stretches: Sequence[Stretch], *, roomy: bool = True) -> None:
        self._stretches, self._roomy = tuple(stretches), roomy
        self._maps = [stretch.mapped() for stretch in stretches]
        for whole in self._maps if not roomy else ():
            whole.madvise(mmap.MADV_RANDOM)  # what lies around a row is not read with it
        self._ends = np.cumsum([stretch.rows for stretch in stretches])

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return int(self._ends[-1]), self._stretches[0].width

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the numbers where they lie: the widest of the stretches."""
        return max((stretch.dtype for stretch in self._stretches), key=lambda dtype: dtype.itemsize)

    def take(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Give the chosen rows (b,) as (b, D) float32: one stretch of the file where they lie close together, else row by row."""
        if len(self._stretches) == 1:
            return self._taken(0, rows)
        out = np.empty((rows.size, self.shape[1]), np.float32)
        place = np.searchsorted(self._ends, rows, side="right")
        for piece in np.unique(place).tolist():
            here = np.flatnonzero(place == piece)
            out[here] = self._taken(piece, rows[here] - (self._ends[piece] - self._stretches[piece].rows))
        return out

    def warm(self, rows: NDArray[np.integer]) -> None:
        """Read what lies between these rows (b,) from beginning to end, so that the system has it at hand when they are taken in another order."""
        for piece, first, stop in self._between(rows):
            for _ in _slabs(self._stretches[piece], first, stop):
                pass

    def cool(self, rows: NDArray[np.integer]) -> None:
        """Let the system forget what lies between these rows (b,), unless it is roomy."""
        for piece, first, stop in self._between(rows) if not self._roomy else ():
            self._stretches[piece].forget(first, stop, self._maps[piece])

    def _between(self, rows: NDArray[np.integer]) -> Iterator[tuple[int, int, int]]:
        """Give runs of rows that lie close together: the stretch, its first row of them and the one behind its last."""
        place = np.searchsorted(self._ends, rows, side="right")
        for piece in np.unique(place).tolist():
            stretch = self._stretches[piece]
            chosen = np.sort(rows[place == piece]) - (self._ends[piece] - stretch.rows)
            breaks = np.flatnonzero(np.diff(chosen) * stretch.row_bytes > APART)
            for first, last in zip(chosen[[0, *(breaks + 1)]].tolist(), chosen[[*breaks, -1]].tolist(), strict=True):
                yield piece, first, last + 1

    def _taken(self, piece: int, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        stretch = self._stretches[piece]
        apart = DENSE if self._roomy else max(DENSE, APART // stretch.row_bytes)
        if rows.size > 1 and (rows[1:] > rows[:-1]).all() and int(rows[-1] - rows[0]) < apart * rows.size:
            return _close(stretch, rows, keep=self._roomy)
        stretch.check()  # to touch what is no longer there would kill the process
        taken: NDArray[np.float32] = stretch.rows_of(self._maps[piece])[rows].astype(np.float32)
        return taken


def _close(stretch: Stretch, rows: NDArray[np.integer], *, keep: bool) -> NDArray[np.float32]:
    """Take ascending rows (b,) that lie close together, and let the system forget what was read unless it is to keep it."""
    out = np.empty((rows.size, stretch.width), np.float32)
    done = 0
    for first, slab in _slabs(stretch, int(rows[0]), int(rows[-1]) + 1):
        end = int(np.searchsorted(rows, first + len(slab)))
        out[done:end] = slab[rows[done:end] - first]
        done = end
        if not keep:
            stretch.forget(first, first + len(slab))
    return out


def _slabs(stretch: Stretch, first: int, stop: int) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """Yield the rows from `first` to `stop`, some at a time (b, D), each with the number of its first row. The array is used again."""
    step = min(max(1, SLAB // stretch.row_bytes), stop - first)
    slab = np.empty((step, stretch.width), stretch.dtype)
    for start in range(first, stop, step):
        here = slab[: min(step, stop - start)]
        stretch.read(start, here)
        yield start, here
