"""Texts of many rows: their bytes lie one after another, in memory or in a file of ours, and become strings where these are asked for.

Letters: N texts, n of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from relabel.data.heap import Heap
from relabel.data.room import Room

PUT = 1 << 12
"""Bytes of texts that are put away at once."""

AT_ONCE = 1 << 12
"""Texts of which the places are looked up at once when all are gone through."""

Rows = slice | Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]


class Arena:
    """What texts are put into: memory, up to what there is room for, then a file that goes with the process.

    room: without it all stays in memory.
    """

    def __init__(self, room: Room | None = None) -> None:
        self._heap = Heap(room)

    def put(self, texts: Iterable[str]) -> Texts:
        """Add texts (n,), which are taken one after another. Raises OSError where the disk is full."""
        lengths = array("i")
        pieces: list[bytes] = []
        start, waiting = self._heap.size, 0
        for text in texts:
            piece = text.encode(errors="surrogatepass")
            pieces.append(piece)
            lengths.append(len(piece))
            waiting += len(piece)
            if waiting >= PUT:
                self._heap.add(b"".join(pieces))
                pieces.clear()
                waiting = 0
        self._heap.add(b"".join(pieces))
        size = np.frombuffer(lengths, np.int32).copy()
        return Texts(self, start + np.cumsum(size, dtype=np.int64) - size, size)

    def take(self, lengths: NDArray[np.int32], data: bytes) -> Texts:
        """Add texts (n,) of these lengths, of which the bytes lie one after another. Raises OSError where the disk is full."""
        start = self._heap.size
        self._heap.add(data)
        return Texts(self, start + np.cumsum(lengths, dtype=np.int64) - lengths, lengths)

    def read(self, start: int, stop: int) -> bytes | bytearray:
        """Give some of the bytes."""
        return self._heap.read(start, stop)


class Texts(Sequence[str]):
    """Texts (N,), "" where one is unknown.

    One of them is a str; those of rows (n,) or of a slice are a list. To go through all, iterate: few are strings at a time.

    >>> told = Texts.of(["good", "", "bad"])
    >>> told[2], told[[0, 2]], told.blank.tolist()
    ('bad', ['good', 'bad'], [False, True, False])
    """

    def __init__(self, arena: Arena, start: NDArray[np.int64], length: NDArray[np.int32]) -> None:
        self._arena, self._start, self._length = arena, start, length

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Make texts in memory."""
        return Arena().put(texts)

    def __len__(self) -> int:
        return self._length.size

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Which are "", (N,)."""
        blank: NDArray[np.bool_] = self._length == 0
        return blank

    @overload
    def __getitem__(self, rows: int) -> str: ...
    @overload
    def __getitem__(self, rows: Rows) -> list[str]: ...
    def __getitem__(self, rows: int | Rows) -> str | list[str]:
        if isinstance(rows, int | np.integer):
            return self._string(int(self._start[rows]), int(self._length[rows]))
        return [*map(self._string, self._start[rows].tolist(), self._length[rows].tolist())]

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), AT_ONCE):
            here = slice(first, first + AT_ONCE)
            yield from map(self._string, self._start[here].tolist(), self._length[here].tolist())

    def pieces(self, size: int) -> Iterator[tuple[NDArray[np.int32], bytes]]:
        """Give all texts some at a time, for `Arena.take`: about so many bytes of them, a text at least, and the length of each."""
        piece = np.cumsum(self._length, dtype=np.int64) // size
        for rows in np.split(np.arange(len(self)), np.flatnonzero(np.diff(piece)) + 1):
            data = b"".join(
                self._arena.read(start, start + length)
                for start, length in zip(self._start[rows].tolist(), self._length[rows].tolist(), strict=True)
            )
            yield self._length[rows], data

    def among(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Texts:
        """Give some of the texts, or all in another order; their bytes stay where they are."""
        return Texts(self._arena, self._start[rows], self._length[rows])

    def _string(self, start: int, length: int) -> str:
        return self._arena.read(start, start + length).decode(errors="surrogatepass")


def joined(parts: Sequence[Texts | None], sizes: Sequence[int]) -> Texts | None:
    """Put the texts of several files, of one arena, one after another: "" where a file has none, None where no file has any.

    sizes: rows of each file.
    """
    there = [part for part in parts if part is not None]
    if not there:
        return None
    blank = [
        Texts.of("" for _ in range(size)) if part is None else part for part, size in zip(parts, sizes, strict=True)
    ]
    return Texts(
        there[0]._arena,  # noqa: SLF001
        np.concatenate([part._start for part in blank]),  # noqa: SLF001
        np.concatenate([part._length for part in blank]),  # noqa: SLF001
    )
