"""Bytes that are added one after another: in memory, up to what there is room for, then in a file that goes with the process."""

from __future__ import annotations

import mmap

from relabel.data.room import Room
from relabel.data.stored import Held

SHARE = 4
"""One heap may take this part of the memory that embeddings may: texts, and what is made of them, are looked at far less often."""


class Heap:
    """Bytes, of which any can be read while others are still added.

    room: without it all stays in memory.
    """

    def __init__(self, room: Room | None = None) -> None:
        self._room = room
        self._held: bytearray | mmap.mmap = bytearray()
        self._file: Held | None = None
        self.size = 0

    def add(self, data: bytes) -> None:
        """Add bytes at the end. Raises OSError where the disk is full."""
        room = self._room
        if self._file is None and room is not None and self.size + len(data) > room.memory // SHARE:
            self._file = room.file()
            room.append(self._file, bytes(self._held))
            self._held = bytearray()
        if self._file is not None and room is not None:
            room.append(self._file, data)
        elif isinstance(self._held, bytearray):
            self._held += data
        self.size += len(data)

    def read(self, start: int, stop: int) -> bytes | bytearray:
        """Give some of the bytes."""
        self._map(stop)
        return self._held[start:stop]

    def whole(self) -> memoryview:
        """See all bytes where they lie; none can be added after that."""
        self._map(self.size)
        return memoryview(self._held)[: self.size]

    def _map(self, stop: int) -> None:
        if self._file is not None and len(self._held) < stop:
            self._held = mmap.mmap(self._file.number, 0, access=mmap.ACCESS_READ)
