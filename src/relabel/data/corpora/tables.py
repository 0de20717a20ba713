"""A CSV, JSON Lines or Parquet file of texts and labels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from relabel.data import formats, phrases, text_column
from relabel.data.corpora import corpus
from relabel.data.corpora.corpus import Batch, Corpus
from relabel.errors import UserError
from relabel.settings import TrainSettings


def opened(path: Path, kind: str, columns: TrainSettings) -> Corpus:
    """Open the file.

    columns: names of those of texts, labels and ids; ids are optional.

    Raises UserError where one of the others is not there.
    """
    with corpus.naming(path.name):
        header = formats.TABLES[f".{kind}"].header(path)
    text = text_column.found(header, columns)
    problems = [
        f"{path.name}: no column `{name}` of {what}, only {phrases.names(header)}: name it with --{option}-column"
        for name, option, what in ((columns.label_column, "label", "labels"), (text, "text", "texts"))
        if name not in header
    ]
    if problems:
        raise UserError(*problems)
    wanted = (text, columns.label_column, columns.id_column)
    return Corpus(kind, path.name, partial(_batches, path, kind, wanted), partial(corpus.fingerprint, path))


def _batches(path: Path, kind: str, wanted: tuple[str, str, str]) -> Iterator[Batch]:
    with corpus.naming(path.name):
        for chunk in formats.TABLES[f".{kind}"].chunks(path, wanted):
            texts, labels = (chunk.values[name] for name in wanted[:2])
            ids = chunk.values.get(wanted[2], [""] * len(texts))
            yield Batch(texts, labels, ids, [None] * len(texts), chunk.done)
