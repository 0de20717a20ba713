"""File formats by suffix. A new one is a module with the functions of its kind and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from relabel.data.formats import csv, json_lines, npy, parquet, pt, text_files
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import TableFormat

TABLES: Mapping[str, TableFormat] = {
    ".csv": TableFormat(csv.header, csv.read, csv.chunks, csv.embeddings),
    ".parquet": TableFormat(parquet.header, parquet.read, parquet.chunks, parquet.embeddings),
    ".jsonl": TableFormat(json_lines.header, json_lines.read, json_lines.chunks, json_lines.embeddings),
}
"""Label files, with texts, and with embeddings in columns of their own."""

FOLDER = TableFormat(text_files.header, text_files.read, text_files.chunks, text_files.embeddings)
"""A folder of text files, in a folder for each class."""

MATRICES: Mapping[str, Callable[[Path], Matrix]] = {".pt": pt.read, ".npy": npy.read}
"""Readers of embeddings."""


def table(path: Path) -> TableFormat:
    """Give the format of a label file, or of a folder that stands for one. Raises KeyError where there is none."""
    return FOLDER if path.is_dir() else TABLES[path.suffix.lower()]


def matrix(path: Path) -> Matrix:
    """Open a file of embeddings. Raises KeyError where it is of no known format, UserError where it is not what its suffix says."""
    return MATRICES[path.suffix.lower()](path)
