"""Texts as numbers: what models of texts take.

Letters: N texts, T tokens of all texts together, L tokens of the longest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data.heap import Heap
from relabel.data.room import Room

NOTHING = 0
"""Id of no word: padding, and all that an empty text has."""

UNKNOWN = 1
"""Id of a word that the vocabulary lacks."""

FIRST = 2
"""Id of the first term of the vocabulary."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Token ids, text after text. Every text has one at least: an empty one has NOTHING.

    ids:    (T,) int32.
    starts: (N + 1,) int64; text n is ids[starts[n] : starts[n + 1]].
    """

    ids: NDArray[np.int32]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Iterable[Sequence[int] | NDArray[np.int32]]) -> Tokens:
        """Make tokens of lists of ids, taken one after another: none is held beside what is made of it.

        >>> Tokens.of([[5, 2], []]).padded().tolist()
        [[5, 2], [0, 0]]
        """
        every, lengths = bytearray(), array("q")
        for ids in texts:
            every += np.asarray(ids if len(ids) else (NOTHING,), np.int32).tobytes()
            lengths.append(max(1, len(ids)))
        starts = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        return cls(np.frombuffer(every, np.int32), starts)

    @classmethod
    def joined(cls, parts: Iterable[Tokens], room: Room | None = None) -> Tokens:
        """Put tokens of some texts at a time one after another.

        room: how much may lie in memory; more goes to a file that goes with the process. Raises OSError where the disk is full.
        """
        heap, lengths = Heap(room), [np.zeros(1, np.int64)]
        for part in parts:
            heap.add(part.ids.tobytes())
            lengths.append(part.lengths)
        return cls(np.frombuffer(heap.whole(), np.int32), np.cumsum(np.concatenate(lengths)))

    def __len__(self) -> int:
        return self.starts.size - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens (N,) of each text."""
        return np.diff(self.starts)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, L)."""
        return len(self), int(self.lengths.max(initial=0))

    def take(self, rows: NDArray[np.integer]) -> Tokens:
        """Give the chosen texts (b,)."""
        lengths = self.starts[rows + 1] - self.starts[rows]  # not those of all texts, for a few
        starts = np.zeros(rows.size + 1, np.int64)
        np.cumsum(lengths, out=starts[1:])
        shift = np.repeat(self.starts[rows] - starts[:-1], lengths)
        return Tokens(self.ids[shift + np.arange(starts[-1])], starts)

    def padded(self) -> NDArray[np.int32]:
        """Give all texts as one array (N, L), NOTHING behind the shorter ones."""
        every = np.full(self.shape, NOTHING, np.int32)
        every[np.arange(every.shape[1]) < self.lengths[:, None]] = self.ids
        return every
