"""A folder of text files as that of IMDb, with splits or without.

train/pos/0_9.txt, train/neg/..., test/...      unpacked: splits, then classes
pos/0_9.txt, neg/...                            classes alone
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from relabel.data.corpora import corpus
from relabel.data.corpora.corpus import Batch, Corpus
from relabel.data.examples import Split
from relabel.data.formats import text_files
from relabel.data.layout import SPLITS

KIND = "imdb"
UNLABELLED = "in a folder of texts without labels"


def is_one(folder: Path) -> bool:
    """Tell whether a folder holds texts of two classes or more, with splits or without."""
    return bool(_parts(folder))


def opened(folder: Path) -> Corpus:
    """Open the folder. Texts without labels (`unsup`) are counted and dropped; other files are no rows."""
    return Corpus(KIND, folder.resolve().name, partial(_batches, folder), partial(_fingerprint, folder))


def _parts(folder: Path) -> list[tuple[Path, Split | None]]:
    """Give the folders of classes, with the split of each: those of splits, or the folder itself where there are none."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and path.name.lower() in SPLITS]
    found: list[tuple[Path, Split | None]] = [
        (path, SPLITS[path.name.lower()]) for path in inside if text_files.class_folders(path)
    ]
    return found or ([(folder, None)] if text_files.class_folders(folder) else [])


def _batches(folder: Path) -> Iterator[Batch]:
    parts = _parts(folder)
    for number, (part, split) in enumerate(parts):
        unlabelled = _unlabelled(part)
        with corpus.naming(part.name):
            for chunk in text_files.chunks(part, text_files.COLUMNS):
                labels, texts, ids = (chunk.values[name] for name in text_files.COLUMNS)
                done = (number + chunk.done) / len(parts)
                dropped = {UNLABELLED: unlabelled} if unlabelled else {}
                yield Batch(texts, labels, ids, [split] * len(texts), done, dropped)
                unlabelled = 0


def _unlabelled(part: Path) -> int:
    folders = [path for path in part.iterdir() if path.is_dir() and path.name.lower() in text_files.UNLABELLED]
    return sum(len(text_files.files(folder)) for folder in folders)


def _fingerprint(folder: Path) -> tuple[str, int]:
    state, size = hashlib.sha256(), 0
    for part, _ in _parts(folder):
        for inside in text_files.class_folders(part):
            for path in text_files.files(inside):
                data = path.read_bytes()
                state.update(f"{path.relative_to(folder).as_posix()}\0{len(data)}\0".encode() + data)
                size += len(data)
    return state.hexdigest(), size
