"""Rows of a loop on the disk: a .csv of hashes, names and texts, and a .npy of embeddings beside it where there are any.

Letters: N rows, D width.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel import files
from relabel.data import identity
from relabel.data.examples import Dense
from relabel.data.formats import csv as tables
from relabel.errors import UserError

Strings = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows without labels.

    hash:    (N,) object array of str, what a row is (`data.identity`).
    id:      (N,) object array of str, its own name, "" where it has none.
    texts:   (N,) object array of str, "" where there is none.
    vectors: (N, D) float32, None of texts alone.
    """

    hash: Strings
    id: Strings
    texts: Strings
    vectors: NDArray[np.float32] | None

    def __len__(self) -> int:
        return int(self.hash.size)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Rows:
        """Give some of the rows."""
        vectors = None if self.vectors is None else self.vectors[rows]
        return Rows(self.hash[rows], self.id[rows], self.texts[rows], vectors)


def made(ids: Strings, texts: Strings | None, vectors: NDArray[np.float32] | None) -> Rows:
    """Make rows of what is known of them."""
    words = np.full(ids.size, "", np.object_) if texts is None else texts
    features = None if vectors is None else Dense(vectors)
    hashes = np.array([*identity.row_hashes(features, words, ids.size)], np.object_)
    return Rows(hashes, ids, words, vectors)


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows together. Raises UserError where some have embeddings and others none."""
    known = [part for part in parts if len(part)] or list(parts[:1])
    if not known:
        return made(np.empty(0, np.object_), None, None)
    vectors = [part.vectors for part in known if part.vectors is not None]
    if vectors and len(vectors) < len(known):
        raise UserError(
            "rows with embeddings and rows without, in one loop: give data and traffic of one kind, as the model takes it"
        )
    hashes, ids, texts = (np.concatenate([getattr(part, name) for part in known]) for name in ("hash", "id", "texts"))
    return Rows(hashes, ids, texts, np.concatenate(vectors) if vectors else None)


def write(path: Path, rows: Rows, more: Mapping[str, Sequence[str]] | None = None) -> list[Path]:
    """Write `path`, a .csv, with further columns `more`, and its embeddings; give the files."""
    columns = {"row_hash": rows.hash, "id": rows.id, "review": rows.texts, **(more or {})}
    written = [path]
    if rows.vectors is not None:
        with files.replacing(path.with_suffix(".npy")) as temporary, temporary.open("wb") as file:
            np.save(file, rows.vectors, allow_pickle=False)
        written.append(path.with_suffix(".npy"))
    files.write_text(path, table([*columns], zip(*columns.values(), strict=True)))
    return written


def read(path: Path) -> Rows:
    """Read what `write` wrote. Embeddings take their place first, so there may be more of them after a crash, behind those of the rows."""
    values = tables.read(path, ("row_hash", "id", "review")).values
    beside = path.with_suffix(".npy")
    vectors = np.load(beside, allow_pickle=False)[: values["row_hash"].size] if beside.is_file() else None
    return Rows(values["row_hash"], values["id"], values["review"], vectors)


def table(header: Sequence[str], lines: object) -> str:
    """Write lines of values as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)  # a lone carriage return would go unquoted
    writer.writerow(header)
    writer.writerows(lines)  # type: ignore[arg-type]  # rows of strings
    return text.getvalue()
