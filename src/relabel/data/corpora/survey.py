"""The first pass over a source: a few numbers for each row, so that splits can be drawn without the texts. Letters: N rows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from relabel.data import checks, phrases
from relabel.data.corpora.corpus import Batch, Corpus
from relabel.data.examples import Split
from relabel.errors import UserError

NO_SPLIT = 255
"""Split of a row to which the source gives none."""

EMPTY_TEXT = "empty text"
NO_LABEL = "no label"


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of the rows (N) with a text and a label, in the order of the source.

    text:       (N,) uint64 hash of the text as `normalised` gives it; two texts in a hundred million million share one.
    label:      (N,) int64 into `classes`.
    given:      (N,) uint8, a Split, or NO_SPLIT.
    words, characters: (N,) int32, lengths of the text.
    repeated:   (N,) bool: the row's id was given before.
    named:      whether any row has an id.
    classes:    names, sorted.
    dropped:    rows that were left out: why -> how many.
    """

    text: NDArray[np.uint64]
    label: NDArray[np.int64]
    given: NDArray[np.uint8]
    words: NDArray[np.int32]
    characters: NDArray[np.int32]
    repeated: NDArray[np.bool_]
    named: bool
    classes: tuple[str, ...]
    dropped: Counter[str]


def normalised(text: str) -> str:
    """Give a text as it is compared: runs of white space are one space, letters are small.

    >>> normalised("  A Great   FILM ")
    'a great film'
    """
    return " ".join(text.split()).casefold()


def kept(batch: Batch) -> Iterator[tuple[str, str, str, Split | None]]:
    """Give (text, label, id, split) of the rows of a batch that have a text and a label, in its order."""
    for text, label, name, split in zip(batch.texts, batch.labels, batch.ids, batch.splits, strict=True):
        if (said := label.strip()) and text and not text.isspace():
            yield text, said, name, split


def survey(corpus: Corpus, progress: Callable[[float], None]) -> Survey:
    """Read a source once; about 30 bytes of memory for each row.

    progress: told the share that is done.

    Raises UserError where the source is unsound, or has fewer than two classes or texts in their place.
    """
    text, ids = array("Q"), array("Q")
    words, characters, label = array("i"), array("i"), array("i")
    given = bytearray()
    code_of: dict[str, int] = {}
    dropped: Counter[str] = Counter()
    for batch in corpus.batches():
        dropped.update(batch.dropped)
        dropped.update(_reasons(batch))
        for content, name, own, split in kept(batch):
            compared = normalised(content)
            text.append(xxhash.xxh3_64_intdigest(compared.encode(errors="surrogatepass")))
            ids.append(xxhash.xxh3_64_intdigest(own.encode(errors="surrogatepass")) if own else 0)
            words.append(len(compared.split(" ")))
            characters.append(len(content))
            label.append(code_of.setdefault(name, len(code_of)))
            given.append(NO_SPLIT if split is None else split)
        progress(batch.done)
    classes = _classes(corpus.name, code_of)
    place = np.array([classes.index(name) for name in code_of], np.int64)
    names = np.frombuffer(ids, np.uint64)
    return Survey(
        text=np.frombuffer(text, np.uint64),
        label=place[np.frombuffer(label, np.int32)],
        given=np.frombuffer(given, np.uint8),
        words=np.frombuffer(words, np.int32),
        characters=np.frombuffer(characters, np.int32),
        repeated=_repeated(names),
        named=bool(names.any()),
        classes=classes,
        dropped=dropped,
    )


def _reasons(batch: Batch) -> Counter[str]:
    """Count what `kept` passes over."""
    reasons = (
        NO_LABEL if not label.strip() else EMPTY_TEXT if not text.strip() else ""
        for text, label in zip(batch.texts, batch.labels, strict=True)
    )
    return Counter(reason for reason in reasons if reason)


def _classes(name: str, names: dict[str, int]) -> tuple[str, ...]:
    if max(map(len, names), default=0) > checks.LONGEST_LABEL:
        longest = max(map(len, names))
        raise UserError(
            f"{name}: labels of up to {longest:,} characters: name the column of the labels with --label-column"
        )
    if len(names) < 2:  # noqa: PLR2004
        raise UserError(
            f"{name}: the classes of the rows with a text and a label are {phrases.names([*names]) or 'none'}: give two or more"
        )
    return tuple(sorted(names))


def _repeated(ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows (N,) whose id an earlier row has; 0 is none."""
    _, first = np.unique(ids, return_index=True)
    again = np.ones(ids.size, np.bool_)
    again[first] = False
    again &= ids != 0
    return again
