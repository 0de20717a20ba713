"""The model that an endpoint serves, loaded once per process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relabel.errors import UserError
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact
from relabel.model.predictor import Predictor
from relabel.text import reader
from relabel.text.reader import Reader


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """An artifact, its predictor, and what reads texts for it, where it takes texts."""

    artifact: Artifact
    predictor: Predictor
    read: Reader | None = None


def load(folder: Path) -> Served:
    """Load a model folder.

    Raises UserError where it is not complete, or names another number of classes than the model or its noise has.
    """
    loaded = artifact.load(folder)
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
    return Served(loaded, called, None if loaded.text is None else reader.load(loaded.text))
