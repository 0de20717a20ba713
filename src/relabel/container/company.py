"""The hosts of a job that work together: what they may ask of each other.

Every host runs the same program and calls the same methods in the same order; each call ends on all of them together.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.errors import PlatformError


class Company(Protocol):
    """Hosts numbered by rank, of which 0 writes.

    Each method raises PlatformError, with the name of the host, where one is gone.
    """

    @property
    def rank(self) -> int:
        """This host's number, from 0."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all hosts, in the order of ranks."""
        ...

    @property
    def size(self) -> int:
        """How many hosts there are."""
        ...

    def gather(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Give every host's array of numbers, in the order of ranks, to every host; they may differ in their first dimension."""
        ...

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Give every host's bytes, in the order of ranks, to every host."""
        ...

    def sum(self, array: NDArray[np.floating]) -> NDArray[np.floating]:
        """Add up the hosts' arrays of one shape, in the order of ranks: every host gets the same bits."""
        ...

    def add_(self, tensor: Any) -> None:
        """Add up the hosts' tensors of one shape and device, in place: every host gets the same bits. Made for every step of a training."""
        ...


class Alone:
    """A job on one host."""

    rank, size = 0, 1

    def __init__(self, name: str = "localhost") -> None:
        self.names = (name,)

    def gather(self, array: NDArray[Any]) -> list[NDArray[Any]]:
        """Give the array."""
        return [array]

    def gather_bytes(self, data: bytes) -> list[bytes]:
        """Give the bytes."""
        return [data]

    def sum(self, array: NDArray[np.floating]) -> NDArray[np.floating]:
        """Give the array."""
        return array

    def add_(self, tensor: Any) -> None:
        """Leave the tensor as it is."""


def agree(company: Company, said: str, *, when: str, have: str, give: str) -> None:
    """See that all hosts say the same; raises PlatformError, on all of them, with the names of those that differ from the first.

    when, have, give: words of that sentence: when it was seen, what they have that differs, what to give to all hosts.
    """
    every = company.gather_bytes(said.encode())
    others = [host for host, theirs in zip(company.names, every, strict=True) if theirs != every[0]]
    if others:
        raise PlatformError(
            f"{when}, {', '.join(others)} {have} than {company.names[0]}: give all hosts the same {give}"
        )
