"""The one gate: channels in, Examples out, or every problem of every file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from relabel.data import (
    checks,
    duplicates,
    embeddings,
    labels,
    layout,
    metadata,
    notes,
    ordered,
    reviewed,
    splitting,
    texts,
)
from relabel.data.embeddings import Embeddings
from relabel.data.examples import Examples, Features, Split
from relabel.data.parts import Part, opened
from relabel.data.room import Room
from relabel.data.rows import Rows
from relabel.data.shards import ALONE, Shards
from relabel.data.texts import Arena
from relabel.errors import UserError
from relabel.settings import TrainSettings

Scalar = TypeVar("Scalar", bound=np.generic)


def read(
    channels: Mapping[str, Path], settings: TrainSettings, room: Room | None = None, shards: Shards = ALONE
) -> Examples:
    """Read the data of a training job. Nothing is written but what has no room in memory, and nothing that a file holds is run.

    channels: folders by name: `train` (`training`), `dev` (`val`, `valid`, `validation`), `test`, and
              `reviewed`, what people decided; `layout` tells what they may hold.
    settings: names of the columns, expected width, shares and seed of a split that must be drawn.
    room:     what may lie in memory; without it all is taken there.
    shards:   which channels have other files on other hosts; then all hosts read together, and each gets the rows of all.

    The features are one float32 array in memory, or `Stored` on disk, with the same values; None where no file has embeddings, and then all
    have texts. What a person should know of the rows is in `notes`.
    Raises UserError with all problems; each begins with the file's name as `channel/file`.
    """
    shards.check(channels)
    found = layout.find(channels, shards.elsewhere)
    arena = Arena(room)
    opening = [opened(source, settings, arena) for source in found.sources]
    answers, unread = reviewed.read(found.reviewed)
    every = shards.gathered(opening, [*found.problems, *unread], found.notes, arena)
    parts = every.parts
    problems = [*every.problems, *_against(parts, settings)]
    if problems:
        raise UserError(*problems, *shards.said(embeddings.scanned(every.own)))
    own, unsound = embeddings.read(every.own, room)
    if problems := shards.said(unsound):
        raise UserError(*problems)
    vectors = every.joined(own)
    rows = _rows(parts, vectors, metadata.names(settings))
    examples = examples_of(rows, vectors.features, settings, (*every.notes, *notes.embedded(parts)))
    examples = replace(examples, notes=(*examples.notes, *notes.texts(parts, settings.text_column)))
    if answers:
        examples = reviewed.applied(examples, answers)
    if problems := list(checks.survivors(examples)):
        raise UserError(*problems)
    return examples


def _against(parts: Sequence[Part], settings: TrainSettings) -> list[str]:
    """Say what is wrong with files seen together."""
    encoded = labels.encode(_joined([part.labels for part in parts if part.labels is not None]))
    return [
        *checks.widths(parts, settings.width_expected),
        *checks.inputs(parts, settings.text_column),
        *checks.repeated_ids(parts),
        *checks.no_labels(parts, encoded),
        *checks.classes(parts, encoded),
        *checks.missing_metadata(parts, metadata.names(settings)),
    ]


def _rows(parts: Sequence[Part], vectors: Embeddings, others: Sequence[str]) -> Rows:
    """Put the columns of all parts one after another."""
    sizes = [part.rows for part in parts]
    names, codes = labels.named(_joined([part.labels for part in parts if part.labels is not None]))
    columns = {name: _column([part.metadata.get(name) for part in parts], sizes) for name in others}
    return Rows(
        files=tuple(part.name for part in parts),
        file=np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        row=np.concatenate([np.arange(size, dtype=np.int64) for size in sizes]),
        split=np.repeat([part.split for part in parts], sizes).astype(np.uint8),
        names=names,
        codes=codes,
        ids=_column([part.ids for part in parts], sizes),
        texts=texts.joined([part.texts for part in parts], sizes),
        keys=vectors.keys,
        hashes=vectors.hashes,
        metadata={name: column for name, column in columns.items() if column is not None},
    )


def examples_of(
    rows: Rows, features: Features | None, settings: TrainSettings, passed_over: Sequence[str] = ()
) -> Examples:
    """Draw the splits that are missing, find duplicates, and bring the rows into the order of splits.

    rows:        in the order of files.
    features:    (N, D) in the same order, or None where there are texts alone. An array of float32 in memory is reordered in place;
                 anything else stays where it is, and is looked up by row.
    passed_over: sentences that come first among the notes.
    """
    named = labels.encode(np.array(rows.names, np.object_))
    codes = named.codes[rows.codes]
    group = duplicates.groups(features, rows.texts, keys=rows.keys)
    split = _completed(rows.split, codes, group, settings)
    order = np.argsort(split, kind="stable")
    group, split = duplicates.renumbered(group[order]), split[order]
    keys = _in_order(rows.keys, order)
    examples = Examples(
        features=None if features is None else ordered.by_row(features, order),
        labels=codes[order],
        split=split,
        group=group,
        left_out=duplicates.left_out(group, split),
        trusted=np.zeros(order.size, np.bool_),
        ids=np.full(order.size, "", np.object_) if rows.ids is None else rows.ids[order],
        texts=None if rows.texts is None else rows.texts.among(order),
        classes=named.classes,
        files=rows.files,
        file=rows.file[order],
        row=rows.row[order],
        metadata={name: column[order] for name, column in rows.metadata.items()},
        keys=keys,
        hashes=keys if rows.hashes is rows.keys else _in_order(rows.hashes, order),
    )
    about = (notes.drawn(rows.split, split, settings.seed), notes.duplicated(examples), notes.empty(examples))
    return replace(examples, notes=(*passed_over, *(note for subject in about for note in subject)))


def _completed(
    given: NDArray[np.uint8], codes: NDArray[np.int64], group: NDArray[np.int64], settings: TrainSettings
) -> NDArray[np.uint8]:
    """Draw dev and test from train where they are not given; rows with duplicates in a given split stay in train."""
    shares = {Split.DEV: settings.dev_share, Split.TEST: settings.test_share}
    shares = {split: share for split, share in shares.items() if split not in given}
    free = np.flatnonzero((given == Split.TRAIN) & ~duplicates.left_out(group, given))
    split = given.copy()
    if shares:
        split[free] = splitting.draw(codes[free], group[free], shares, seed=settings.seed)
    return split


def _in_order(column: NDArray[Scalar] | None, order: NDArray[np.intp]) -> NDArray[Scalar] | None:
    return None if column is None else column[order]


def _column(columns: Sequence[NDArray[np.object_] | None], sizes: Sequence[int]) -> NDArray[np.object_] | None:
    """Join a column of all parts: "" where a part lacks it, None where all do."""
    if all(column is None for column in columns):
        return None
    blank = (np.full(size, "", np.object_) for size in sizes)
    return _joined([empty if column is None else column for column, empty in zip(columns, blank, strict=True)])


def _joined(columns: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.concatenate([np.empty(0, np.object_), *columns])
