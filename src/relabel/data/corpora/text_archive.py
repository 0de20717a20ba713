"""A folder of text files as that of IMDb in one archive (`aclImdb_v1.tar.gz`), read as a stream: nothing is unpacked.

…/train/pos/0_9.txt, …/train/neg/..., …/test/...
"""

from __future__ import annotations

import gzip
import io
import itertools
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from relabel.data import phrases
from relabel.data.corpora import corpus
from relabel.data.corpora.corpus import Batch, Corpus
from relabel.data.corpora.text_folder import KIND, UNLABELLED
from relabel.data.formats import text_files
from relabel.data.layout import SPLITS
from relabel.errors import UserError

ROWS = 1000
"""Texts of a batch."""

GZIP = b"\x1f\x8b"
BLOCK = 1 << 20

LONGEST = 1 << 24
"""Bytes of one text."""


def opened(path: Path) -> Corpus:
    """Open the archive. Texts without labels (`unsup`) are counted and dropped; other members are no rows."""
    return Corpus(KIND, path.name, partial(_batches, path), partial(corpus.fingerprint, path))


def _batches(path: Path) -> Iterator[Batch]:
    try:
        with corpus.naming(path.name):
            yield from _streamed(path)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{path.name}: no archive can be read from it: it is truncated, or of another format") from None


def _streamed(path: Path) -> Iterator[Batch]:
    size, found = path.stat().st_size, 0
    wrong: list[str] = []
    with path.open("rb") as file, _unzipped(file) as plain, tarfile.open(fileobj=plain, mode="r|*") as archive:
        rows = _rows(archive, wrong)
        while some := [*itertools.islice(rows, ROWS)]:
            labelled = [row for row in some if row is not None]
            dropped = {UNLABELLED: len(some) - len(labelled)} if len(labelled) < len(some) else {}
            texts, labels, ids, splits = ([row[n] for row in labelled] for n in range(4))
            yield Batch(texts, labels, ids, splits, file.tell() / size, dropped)
            found += len(labelled)
        while plain.read(BLOCK):  # to its end, which says whether it is whole: a torn one may end between two members
            pass
    if wrong:
        count = phrases.counted(len(wrong), "file")
        raise UserError(f"{count} in another encoding than UTF-8 ({phrases.names(wrong)}): save as UTF-8")
    if not found:
        raise UserError("no texts as train/<class>/<name>.txt in it: give an archive like IMDb's, or a folder or table")


def _unzipped(file: io.BufferedReader) -> gzip.GzipFile | io.BufferedReader:
    """Take gzip off by its own reader, which sees where it is torn, as tarfile's does not."""
    return gzip.GzipFile(fileobj=file) if file.peek(len(GZIP)).startswith(GZIP) else file


def _rows(archive: tarfile.TarFile, wrong: list[str]) -> Iterator[Any]:
    """Give (text, label, id, split) of each text, None for one without a label. The names of what is no UTF-8 are added to `wrong`."""
    while member := archive.next():
        archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        *_, split, label, name = ("", "", *PurePosixPath(member.name).parts)
        if not member.isreg() or split.lower() not in SPLITS or not name.endswith(text_files.SUFFIX) or name[0] == ".":
            continue
        if label.lower() in text_files.UNLABELLED:
            yield None
            continue
        if member.size > LONGEST:
            raise UserError(f"`{name}` is larger than {LONGEST >> 20} MiB, which no text is: take it out")
        content = archive.extractfile(member)
        data = b"" if content is None else content.read()
        try:
            yield data.decode("utf-8-sig"), label, f"{split}/{label}/{PurePosixPath(name).stem}", SPLITS[split.lower()]
        except UnicodeDecodeError:
            wrong.append(f"{label}/{name}")
