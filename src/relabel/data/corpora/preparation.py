"""A source of texts and labels made into train, dev and test: two passes, of which the first keeps a few numbers for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from relabel import files
from relabel.data import phrases
from relabel.data.corpora import card, writing
from relabel.data.corpora.corpus import Corpus
from relabel.data.corpora.drawing import LEFT_OUT, Draw, Drawn, drawn
from relabel.data.corpora.survey import Survey, kept, survey
from relabel.data.corpora.writing import Writer
from relabel.data.examples import Split
from relabel.data.layout import CARD, READ
from relabel.errors import UserError

PAGE = "card.md"
COLUMNS = ("review", "label", "id")
STEPS = 1000

Progress = Callable[[str, int, int], None]
"""progress(what is done, how much of it, of how much)."""


def prepare(corpus: Corpus, folder: Path, asked: Draw, suffix: str, progress: Progress) -> dict[str, Any]:
    """Write the tables of the three splits and the card; give the card. The same source and seed give the same bytes.

    folder: holds nothing that a training job would read beside the new tables.
    suffix: format of the tables, `parquet` or `csv`.

    Raises UserError where the source is unsound or changes while it is read, or the folder has other tables.
    """
    _check(folder, suffix)
    rows = survey(corpus, lambda done: progress("reading", int(done * STEPS), STEPS))
    found = drawn(rows, asked)
    said = card.card(corpus, rows, asked, found, {split: writing.name(split, suffix) for split in Split})
    with writing.written(folder, suffix, _columns(rows)) as writers:
        _write(corpus, rows, found, writers, lambda done: progress("writing", int(done * STEPS), STEPS))
    files.write_json(folder / CARD, said)
    files.write_text(folder / PAGE, card.page(said))
    return said


def _check(folder: Path, suffix: str) -> None:
    """Raise UserError where a job that is given the folder would read more than what is written now."""
    ours = {writing.name(split, suffix) for split in Split}
    present = sorted(folder.iterdir()) if folder.is_dir() else []
    others = [path.name for path in present if path.suffix.lower() in READ and path.name not in ours]
    if others:
        raise UserError(
            f"{folder}: {phrases.names(others)} would be read as data beside the new tables: choose an empty folder"
        )


def _columns(rows: Survey) -> tuple[str, ...]:
    return COLUMNS if rows.named else COLUMNS[:2]


def _write(
    corpus: Corpus, rows: Survey, found: Drawn, writers: Mapping[Split, Writer], progress: Callable[[float], None]
) -> None:
    """Read the source again, and write each row where it was drawn to."""
    columns = len(_columns(rows))
    number, ended = 0, rows.label.size
    for batch in corpus.batches():
        for text, label, name, _ in kept(batch):
            if number == ended or rows.classes[rows.label[number]] != label:
                raise UserError(f"{corpus.name}: it changed while it was read: start again")
            place = found.split[number]
            if place != LEFT_OUT:
                row = (text, label, "" if rows.repeated[number] else name)
                writers[Split(place)](row[:columns])
            number += 1
        progress(batch.done)
    if number != ended:
        raise UserError(f"{corpus.name}: it changed while it was read: start again")
