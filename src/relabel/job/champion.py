"""The champion: the model that serves now, which an earlier job made. It comes through the channel `model`.

Nothing here loads torch, unless the champion's own kind needs it: what is wrong with a champion is said before any fit begins.
Letters: N rows, n rows predicted, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.container.configuration import MODEL
from relabel.data.examples import Examples, Inputs
from relabel.data.room import Room
from relabel.errors import UserError
from relabel.model import predictor, training_rows
from relabel.model.artifact import Artifact
from relabel.model.predictor import Predictor
from relabel.text import cache, reader
from relabel.training.out_of_fold import predict


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """A champion that fits the data of the job.

    order:   (C,) of each class of the job, its place among the champion's.
    vectors: folder in which vectors of texts are kept.
    check:   raises where the job must end.
    room:    where vectors of texts may lie; in memory without it.
    """

    artifact: Artifact
    predictor: Predictor
    order: NDArray[np.intp]
    vectors: Path = Path()
    check: Callable[[], None] = lambda: None
    room: Room | None = None

    @property
    def knows_its_rows(self) -> bool:
        """Whether it can be told which rows it was trained on."""
        return self.artifact.training_rows is not None

    def predicted(self, examples: Examples, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Give probabilities (n, C) of rows (n,), in the job's order of classes. It reads them as its endpoint does."""
        if self.artifact.input == "embedding" and examples.features is not None:
            said = predict(self.predictor, examples.features, rows)
        else:
            said = predict(self.predictor, self._read(examples, rows), np.arange(rows.size))
        return said[:, self.order]

    def seen(self, examples: Examples) -> NDArray[np.bool_]:
        """Tell which rows (N,) it was trained on, or on a duplicate of; none where it does not know its rows."""
        known = np.zeros(len(examples), dtype=np.bool_)
        rows = self.artifact.training_rows
        if rows is None or not rows.size:
            return known
        if examples.features is not None:
            known |= training_rows.known_rows(rows, examples.features)
        if examples.texts is not None:
            told = np.flatnonzero(~examples.texts.blank)
            known[told] |= training_rows.known(rows, training_rows.text_hashes(examples.texts.among(told)))
        return np.asarray(np.isin(examples.group, examples.group[known]))

    def _read(self, examples: Examples, rows: NDArray[np.intp]) -> Inputs:
        """Read the texts of rows as the champion does."""
        text = self.artifact.text
        assert text is not None and examples.texts is not None  # noqa: S101, PT018  # else it would not fit the data
        texts = examples.texts[rows]
        if self.artifact.input == "text":
            inputs: Inputs = reader.load(text)(texts)
            return inputs
        return cache.embedded(texts, text, self.vectors, check=self.check, room=self.room)


def fitted(
    found: Artifact,
    examples: Examples,
    *,
    vectors: Path = Path(),
    check: Callable[[], None] = lambda: None,
    room: Room | None = None,
) -> Champion:
    """Make a champion of a model for the rows of this job.

    Raises UserError, with all problems, where it knows other classes, takes what the rows do not have, or cannot be used.
    """
    problems = [*_other_classes(found, examples)]
    try:
        made = predictor.load(found.model)
    except UserError as error:
        raise UserError(*problems, *(f"the champion (channel `{MODEL}`): {each}" for each in error.problems)) from None
    problems += _other_inputs(found, made, examples)
    if problems:
        raise UserError(*problems)
    order = np.array([found.classes.index(name) for name in examples.classes])
    return Champion(found, made, order, vectors, check, room)


def _other_classes(found: Artifact, examples: Examples) -> list[str]:
    if {*found.classes} == {*examples.classes}:
        return []
    ours, theirs = ", ".join(examples.classes), ", ".join(found.classes)
    said = f"the champion (channel `{MODEL}`) knows the classes {theirs}, the data has {ours}"
    return [f"{said}: models of other classes cannot be compared; give one of these classes, or leave the champion out"]


def _other_inputs(found: Artifact, made: Predictor, examples: Examples) -> list[str]:
    if found.input == "text":
        return [] if examples.texts is not None else [_unreadable("texts", "embeddings alone: set text_column")]
    if examples.features is None:
        embeds = found.text is not None and found.text.kind == "encoder" and examples.texts is not None
        return [] if embeds else [_unreadable(f"embeddings of width {made.inputs}", "texts alone: give embeddings too")]
    width = examples.features.shape[1]
    if width == made.inputs:
        return []
    return [_unreadable(f"embeddings of width {made.inputs}", f"embeddings of width {width}: make them as it had them")]


def _unreadable(takes: str, has: str) -> str:
    return f"the champion (channel `{MODEL}`) takes {takes}, and the data has {has}, or leave the champion out"
