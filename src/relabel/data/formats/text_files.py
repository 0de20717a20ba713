"""Texts as files, in a folder for each class, which is named for it: `pos/0_9.txt`, `neg/0_1.txt`.

The label is the name of the folder, the id is `folder of both/class/name of the file`. Files are in UTF-8.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from relabel.data import phrases
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import Chunk, Table
from relabel.errors import UserError

SUFFIX = ".txt"
COLUMNS = ("label", "text", "id")
UNLABELLED = ("unsup", "unlabeled", "unlabelled")
"""Folders of texts that have no class."""

LEAST = 2
"""Classes."""

FILES = 1000
"""Texts of a chunk."""


def class_folders(folder: Path) -> list[Path]:
    """Give the folders, in the order of their names, that hold the texts of a class; [] where there are fewer than two."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = [path for path in inside if path.name.lower() not in UNLABELLED and _has_texts(path)]
    return found if len(found) >= LEAST else []


def files(folder: Path) -> list[Path]:
    """Give the texts of a class in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == SUFFIX and not path.name.startswith("."))


def header(_folder: Path) -> tuple[str, ...]:
    """Give the names of the columns that a folder stands for."""
    return COLUMNS


def read(folder: Path, wanted: Sequence[str]) -> Table:
    """Read all texts, class after class, with the wanted columns of COLUMNS.

    Raises UserError where files are no UTF-8.
    """
    values: dict[str, list[str]] = {name: [] for name in COLUMNS if name in wanted}
    rows = 0
    for chunk in chunks(folder, wanted):
        rows += len(chunk.values[COLUMNS[0]])
        for name in values:
            values[name] += chunk.values[name]
    return Table(rows, COLUMNS, {name: np.array(column, np.object_) for name, column in values.items()})


def chunks(folder: Path, wanted: Sequence[str]) -> Iterator[Chunk]:
    """Read all columns, some texts at a time; where texts are not wanted, no file is opened and each is ""."""
    found = [(inside.name, path) for inside in class_folders(folder) for path in files(inside)]
    wrong: list[str] = []
    for start in range(0, len(found), FILES):
        some = found[start : start + FILES]
        texts = [_text(path, wrong) if COLUMNS[1] in wanted else "" for _, path in some]
        ids = [f"{folder.absolute().name}/{label}/{path.stem}" for label, path in some]
        values = dict(zip(COLUMNS, ([label for label, _ in some], texts, ids), strict=True))
        yield Chunk(values, (start + len(some)) / len(found))
    if wrong:
        raise UserError(
            f"{phrases.counted(len(wrong), 'file')} in another encoding than UTF-8 ({phrases.names(wrong)}): save as UTF-8"
        )


def embeddings(_folder: Path, _taken: Collection[str], _rows: int) -> Matrix | None:
    """Give None: text files have no embeddings."""
    return None


def _has_texts(folder: Path) -> bool:
    return any(path.suffix.lower() == SUFFIX and not path.name.startswith(".") for path in folder.iterdir())


def _text(path: Path, wrong: list[str]) -> str:
    """Read a text; one in another encoding than UTF-8 is "", and its name is among the wrong ones."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        wrong.append(f"{path.parent.name}/{path.name}")
        return ""
