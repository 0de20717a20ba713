"""What a label file holds: columns of strings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data.formats.matrix import Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The wanted columns of one label file.

    rows:   N.
    header: names of all columns of the file, in its order.
    values: wanted columns that the file has, each (N,) str; an empty cell is "".
    """

    rows: int
    header: tuple[str, ...]
    values: Mapping[str, NDArray[np.object_]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a label file, one after another.

    values: the wanted columns that the file has, each of n strings; an empty cell is "".
    done:   share of the file that has been read.
    """

    values: Mapping[str, list[str]]
    done: float


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How label files of one format are read. Each function raises UserError where the file is not of it.

    header:     header(path): names of the columns.
    read:       read(path, wanted): the wanted columns, of those that the file has.
    chunks:     chunks(path, wanted): the same, some rows at a time, for files that need not fit into memory.
    embeddings: embeddings(path, taken, rows): the embeddings that stand in columns of the file's own, none of them `taken`,
                opened and not yet read; None where there are none. See `dimensions` for the columns that mean them.
    """

    header: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, Sequence[str]], Table]
    chunks: Callable[[Path, Sequence[str]], Iterator[Chunk]]
    embeddings: Callable[[Path, Collection[str], int], Matrix | None]
