"""A source of texts and labels, read from its beginning as often as one likes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from relabel.data.examples import Split
from relabel.errors import UserError

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows (n) of a source, in its order.

    texts, labels, ids: n strings; "" where there is none.
    splits:  n splits that the source gives its rows, None where it gives none.
    done:    share of the source that has been read.
    dropped: rows that the source has besides and that are left out: why -> how many.
    """

    texts: list[str]
    labels: list[str]
    ids: list[str]
    splits: list[Split | None]
    done: float
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A source that has been opened.

    kind, name:  what it is, and its name without folders.
    batches:     gives an iterator over all rows, always the same. It raises UserError where the source is unsound.
    fingerprint: gives its SHA-256 (of a folder: of the names and bytes of its texts), and its bytes.
    """

    kind: str
    name: str
    batches: Callable[[], Iterator[Batch]]
    fingerprint: Callable[[], tuple[str, int]]


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Begin every problem with the name of the source."""
    try:
        yield
    except UserError as error:
        raise UserError(*(f"{name}: {problem}" for problem in error.problems)) from None


def fingerprint(path: Path) -> tuple[str, int]:
    """Give the SHA-256 of a file, and its bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
