"""The one gate: channels in, Examples out, or every problem of every file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import checks, duplicates, embeddings, labels, layout, notes, reviewed, splitting
from relabel.data.examples import Dense, Examples, Split
from relabel.data.parts import Part, opened
from relabel.errors import UserError
from relabel.settings import TrainSettings


def read(channels: Mapping[str, Path], settings: TrainSettings) -> Examples:
    """Read the data of a training job. Nothing is written, and nothing that a file holds is run.

    channels: folders by name: `train` (`training`), `dev` (`val`, `valid`, `validation`), `test`, and
              `reviewed`, what people decided; `layout` tells what they may hold.
    settings: names of the columns, expected width, shares and seed of a split that must be drawn.

    The features are one float32 array in memory; None where no file has embeddings, and then all have texts. What a person
    should know of the rows is in `notes`.
    Raises UserError with all problems; each begins with the file's name as `channel/file`.
    """
    found = layout.find(channels)
    parts = [opened(source, settings) for source in found.sources]
    answers, unread = reviewed.read(found.reviewed)
    problems = [*found.problems, *(problem for part in parts for problem in part.problems), *unread]
    encoded = labels.encode(_joined([part.labels for part in parts if part.labels is not None]))
    problems += checks.widths(parts, settings.width_expected)
    problems += checks.inputs(parts, settings.text_column)
    problems += checks.repeated_ids(parts)
    problems += checks.no_labels(parts, encoded)
    problems += checks.classes(parts, encoded)
    if problems:
        raise UserError(*problems, *embeddings.scanned(parts))
    array, problems = embeddings.gathered(parts)
    if problems:
        raise UserError(*problems)
    examples = _examples(parts, array, encoded, settings, found.notes)
    if answers:
        examples = reviewed.applied(examples, answers)
    if problems := list(checks.survivors(examples)):
        raise UserError(*problems)
    return examples


def _examples(
    parts: Sequence[Part],
    array: NDArray[np.float32] | None,
    encoded: labels.Encoded,
    settings: TrainSettings,
    passed_over: Sequence[str],
) -> Examples:
    """Put the rows of all parts together, and draw the splits that are missing. The array is reordered in place."""
    sizes = [part.rows for part in parts]
    features = None if array is None else Dense(array)
    texts, ids = (_column(columns, sizes) for columns in ([p.texts for p in parts], [p.ids for p in parts]))
    given = np.repeat([part.split for part in parts], sizes).astype(np.uint8)
    group = duplicates.groups(features, texts)
    split = _completed(given, encoded.codes, group, settings)
    order = np.argsort(split, kind="stable")
    if array is not None and (order[1:] < order[:-1]).any():
        embeddings.reordered(array, order, kept=int(np.count_nonzero(split == Split.TRAIN)))
    group, split = duplicates.renumbered(group[order]), split[order]
    examples = Examples(
        features=features,
        labels=encoded.codes[order],
        split=split,
        group=group,
        left_out=duplicates.left_out(group, split),
        trusted=np.zeros(order.size, np.bool_),
        ids=np.full(order.size, "", np.object_) if ids is None else ids[order],
        texts=None if texts is None else texts[order],
        classes=encoded.classes,
        files=tuple(part.name for part in parts),
        file=np.repeat(np.arange(len(parts), dtype=np.int32), sizes)[order],
        row=np.concatenate([np.arange(size, dtype=np.int64) for size in sizes])[order],
    )
    about = (
        notes.embedded(parts),
        notes.drawn(given, split, settings.seed),
        notes.duplicated(examples),
        notes.empty(examples),
        notes.texts(parts, settings.text_column),
    )
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


def _column(columns: Sequence[NDArray[np.object_] | None], sizes: Sequence[int]) -> NDArray[np.object_] | None:
    """Join a column of all parts: "" where a part lacks it, None where all do."""
    if all(column is None for column in columns):
        return None
    blank = (np.full(size, "", np.object_) for size in sizes)
    return _joined([empty if column is None else column for column, empty in zip(columns, blank, strict=True)])


def _joined(columns: Sequence[NDArray[np.object_]]) -> NDArray[np.object_]:
    return np.concatenate([np.empty(0, np.object_), *columns])
