"""Sentiment140: 1.6 million tweets in one CSV file in latin-1, without a header.

    "0","1467810369","Mon Apr 06 22:19:45 PDT 2009","NO_QUERY","somebody","the text"

The columns are polarity (0 negative, 2 neutral, 4 positive), id, date, query, user, text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from relabel.data import phrases
from relabel.data.corpora import corpus
from relabel.data.corpora.corpus import Batch, Corpus
from relabel.data.formats import csv as csv_format
from relabel.data.formats.table import Chunk
from relabel.errors import UserError

KIND = "sentiment140"
ENCODING = "latin-1"
COLUMNS = ("polarity", "id", "date", "query", "user", "text")
CLASSES = {"0": "negative", "2": "neutral", "4": "positive"}
NEUTRAL = "neutral"


def begins(start: bytes) -> bool:
    """Tell whether a file that begins so is one: six values, of which the first is a polarity and the second a number."""
    first = next(csv.reader(io.StringIO(start.decode(ENCODING))), [])
    return len(first) == len(COLUMNS) and first[0] in CLASSES and first[1].isdecimal()


def opened(path: Path, *, neutral: bool) -> Corpus:
    """Open the file. Neutral tweets, which only its test file has, are dropped unless they are asked for."""
    return Corpus(KIND, path.name, partial(_batches, path, neutral=neutral), partial(corpus.fingerprint, path))


def _batches(path: Path, *, neutral: bool) -> Iterator[Batch]:
    seen = 0
    with corpus.naming(path.name):
        for chunk in csv_format.chunks(path, ("polarity", "id", "text"), names=COLUMNS, encoding=ENCODING):
            yield _batch(chunk, seen, neutral=neutral)
            seen += len(chunk.values["polarity"])


def _batch(chunk: Chunk, seen: int, *, neutral: bool) -> Batch:
    """Make a batch of the rows from `seen` on."""
    polarity = chunk.values["polarity"]
    if wrong := [seen + row for row, value in enumerate(polarity) if value not in CLASSES]:
        allowed = ", ".join(CLASSES)
        raise UserError(
            f"the polarity is none of {allowed} in {phrases.rows(wrong)}: give the file as it was published"
        )
    rows = zip(chunk.values["text"], (CLASSES[value] for value in polarity), chunk.values["id"], strict=True)
    kept = [row for row in rows if neutral or row[1] != NEUTRAL]
    texts, labels, ids = ([row[n] for row in kept] for n in range(3))
    dropped = len(polarity) - len(kept)
    return Batch(texts, labels, ids, [None] * len(kept), chunk.done, {NEUTRAL: dropped} if dropped else {})
