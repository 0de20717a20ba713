"""Kinds of sources that `relabel prepare` takes. A new one is a module that makes a Corpus, and a line in each table here."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

from relabel.data.corpora import sentiment140, tables, text_archive, text_folder
from relabel.data.corpora.corpus import Corpus
from relabel.data.layout import SPLITS
from relabel.errors import UserError
from relabel.settings import TrainSettings

KINDS: Mapping[str, Callable[[Path, TrainSettings, bool], Corpus]] = {
    "sentiment140": lambda path, _columns, neutral: sentiment140.opened(path, neutral=neutral),
    "imdb": lambda path, _columns, _neutral: (text_folder if path.is_dir() else text_archive).opened(path),
    "csv": lambda path, columns, _neutral: tables.opened(path, "csv", columns),
    "jsonl": lambda path, columns, _neutral: tables.opened(path, "jsonl", columns),
    "parquet": lambda path, columns, _neutral: tables.opened(path, "parquet", columns),
}
"""Kind -> what opens a source of it: opened(path, names of columns, whether neutral rows are kept)."""

SUFFIXES = {
    ".tar.gz": "imdb",
    ".tgz": "imdb",
    ".tar": "imdb",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"


def kind_of(source: Path) -> str:
    """Tell the kind of a source: by its suffix, then by how it begins.

    Raises UserError where it is of none, or is a folder that holds no folders of texts.
    """
    if source.is_dir():
        if text_folder.is_one(source):
            return "imdb"
        raise UserError(
            f"{source.resolve().name}: no folders of .txt files for two classes, neither in it nor in folders "
            f"{', '.join(SPLITS)} of it: give a folder like IMDb's, or a file"
        )
    name = source.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), "") or _by_content(source)


def _by_content(source: Path) -> str:
    with source.open("rb") as file:
        start = file.read(1 << 16)
    if not start:
        raise UserError(f"{source.name}: the file is empty (0 bytes): was it written to its end?")
    if start.startswith(PARQUET):
        return "parquet"
    if start.startswith(GZIP):
        return _compressed(source)
    if start.lstrip().startswith(b"{"):
        return "jsonl"
    return "sentiment140" if sentiment140.begins(start) else "csv"


def _compressed(source: Path) -> str:
    """Tell an archive from a single compressed file, which is not read."""
    try:
        with gzip.open(source) as file:
            archive = file.read(512)[257:262] == b"ustar"
    except (OSError, EOFError):
        archive = False
    if not archive:
        raise UserError(
            f"{source.name}: compressed, and no archive of texts: unpack it (gunzip) and give the file inside"
        )
    return "imdb"
