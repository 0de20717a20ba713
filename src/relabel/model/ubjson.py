"""UBJSON, as XGBoost writes it: a file of trees that is data and nothing else, read without the library, which ends the process on a torn one.

Format: https://ubjson.org, with the arrays of one type that it calls strongly typed containers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
"""Marker -> type of a number; the most significant byte comes first."""

CONSTANTS = {"T": True, "F": False, "Z": None}
TORN = "this is no whole UBJSON"


def read(content: bytes) -> Any:
    """Give the value: dictionaries, lists, strings, numbers; an array of numbers of one type as a numpy array.

    Raises ValueError where the content is torn, or holds what XGBoost does not write.
    """
    try:
        reader = _Reader(content)
        value = reader.value(reader.marker())
    except (KeyError, UnicodeDecodeError, RecursionError):
        raise ValueError(TORN) from None
    if reader.at != len(content):
        raise ValueError(TORN)
    return value


class _Reader:
    """Reads from front to back; `at` is the next byte."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def value(self, marker: str) -> Any:
        if marker in NUMBERS:
            return self._numbers(marker, 1)[0].item()
        if marker in CONSTANTS:
            return CONSTANTS[marker]
        if marker == "S":
            return self._text()
        if marker == "{":
            return self._object()
        if marker == "[":
            return self._array()
        raise ValueError(TORN)

    def marker(self) -> str:
        return self._take(1).decode("ascii")

    def _object(self) -> dict[str, Any]:
        found = {}
        while not self._passed("}"):
            name = self._text()
            found[name] = self.value(self.marker())
        return found

    def _array(self) -> Any:
        if self._passed("$"):
            kind = self.marker()
            if not self._passed("#"):
                raise ValueError(TORN)
            return self._numbers(kind, self._count())
        if self._passed("#"):
            return [self.value(self.marker()) for _ in range(self._count())]
        found = []
        while not self._passed("]"):
            found.append(self.value(self.marker()))
        return found

    def _numbers(self, marker: str, count: int) -> Any:
        kind = np.dtype(NUMBERS[marker])
        return np.frombuffer(self._take(count * kind.itemsize), kind).astype(kind.newbyteorder("="))

    def _text(self) -> str:
        return self._take(self._count()).decode()

    def _count(self) -> int:
        count = self.value(self.marker())
        if type(count) is not int or count < 0:
            raise ValueError(TORN)
        return count

    def _passed(self, marker: str) -> bool:
        """Tell whether this marker comes next, and pass it then."""
        found = self._content[self.at : self.at + 1] == marker.encode()
        self.at += found
        return found

    def _take(self, count: int) -> bytes:
        taken = self._content[self.at : self.at + count]
        if len(taken) < count:
            raise ValueError(TORN)
        self.at += count
        return taken
