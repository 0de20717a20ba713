"""File formats by suffix. A new one is a module with a `read` and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relabel.data.formats import csv, npy, pt
from relabel.data.formats.matrix import Matrix
from relabel.data.formats.table import Table

TABLES: Mapping[str, Callable[[Path, Sequence[str]], Table]] = {".csv": csv.read}
"""Readers of label files: read(path, wanted columns)."""

MATRICES: Mapping[str, Callable[[Path], Matrix]] = {".pt": pt.read, ".npy": npy.read}
"""Readers of embeddings."""
