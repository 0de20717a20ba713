"""The model that an endpoint serves, loaded once per process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import table
from relabel.codecs.codec import Takes, Texts
from relabel.data.tokens import FIRST
from relabel.errors import UserError
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model
from relabel.model.predictor import Predictor
from relabel.text import reader
from relabel.text.reader import Reader

BLOCK = 1024
"""Texts that are read and predicted at a time: bounds the memory of many."""


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """An artifact, its predictor, and what reads texts for it, where it takes texts.

    takes:    what it predicts.
    spoken:   media types in which that is sent.
    computes: held while texts are read and predicted. Readers and stemmers remember, so they are for one thread at a time, and two would not be
              faster: a worker has one core, and most of their work holds the interpreter.
    """

    artifact: Artifact
    predictor: Predictor
    read: Reader | None = None
    takes: Takes = field(init=False)
    spoken: frozenset[str] = field(init=False)
    computes: Lock = field(init=False, repr=False, default_factory=Lock)

    def __post_init__(self) -> None:
        width = self.predictor.inputs if self.artifact.text is None or self.artifact.text.kind == "encoder" else None
        object.__setattr__(self, "takes", Takes(width, self.read is not None))
        object.__setattr__(self, "spoken", frozenset(table.spoken(self.takes)))

    def __call__(self, inputs: NDArray[np.float32] | Texts) -> NDArray[np.float32]:
        """Give probabilities (n, C) of vectors (n, D) or of texts (n,)."""
        if isinstance(inputs, np.ndarray):
            return self.predictor(inputs)
        with self.computes:
            blocks = [self._of_texts(inputs[start : start + BLOCK]) for start in range(0, len(inputs), BLOCK)]
        return np.concatenate([np.empty((0, self.predictor.classes), np.float32), *blocks])

    def _of_texts(self, texts: Texts) -> NDArray[np.float32]:
        assert self.read is not None  # noqa: S101  # no other model takes texts
        read: Any = self.read(texts)
        return self.predictor(read)


def load(folder: Path) -> Served:
    """Load a model folder, all into memory: what happens to its files later changes no answer.

    Raises UserError where it is not complete, or names another number of classes than the model or its noise has.
    """
    loaded = artifact.load(folder)
    if loaded.training_rows is not None:  # a map of a file that is cut would end the process
        loaded = replace(loaded, training_rows=np.array(loaded.training_rows))
    called = predictor.load(loaded.model)
    if loaded.noise is not None and loaded.noise.shape != (called.classes, called.classes):
        raise UserError(
            f"{folder}: noise of the shape {loaded.noise.shape} for a model of {called.classes} classes: "
            "give the artifact as the job wrote it"
        )
    if len(loaded.classes) != called.classes:
        raise UserError(
            f"{folder}: {len(loaded.classes)} class names for a model of {called.classes} classes: "
            "give the artifact as the job wrote it"
        )
    if loaded.text is not None and loaded.text.kind == "words" and _ids(loaded.model) != len(loaded.text.terms) + FIRST:
        raise UserError(
            f"{folder}: {len(loaded.text.terms):,} terms for a model of another number: give the artifact as the job wrote it"
        )
    return Served(loaded, called, None if loaded.text is None else reader.load(loaded.text))


def _ids(model: Model) -> int:
    """Give how many ids a model of words knows."""
    return model.sizes["words"] if "words" in model.sizes else model.sizes.get("terms", -1) + FIRST
