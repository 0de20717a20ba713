"""What the fits of a job are made of: the learner, what its models take of each row, and each row as a vector.

    embeddings                      -> mlp on them
    texts and an encoder            -> mlp on the encoder's vectors; the encoder goes along with the model
    texts, with embeddings or not   -> a learner of texts on the numbers of their words

Letters: N rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relabel import settings
from relabel.data.examples import Examples, Features, Inputs
from relabel.errors import UserError
from relabel.settings import TrainSettings
from relabel.text.reader import TextInput
from relabel.training.learner import Learner
from relabel.training.learners.stacked import Stacked
from relabel.training.stack import Recipe

TEXT_LEARNERS = ("linear", "boosted", "lstm", "pooled", "convolutional", "fine_tuned")


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """What making the material asks of the world around it.

    encoder:  folder of an encoder, or None.
    cache:    folder in which vectors of texts are kept, or None.
    check:    raises where the job must end.
    progress: told (what is done, how much of it, of how much).
    """

    encoder: Path | None = None
    cache: Path | None = None
    check: Callable[[], None] = lambda: None
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None


ALONE = World()
"""No encoder, no cache, nobody who asks for an end."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What fits are made of.

    learner: fits members.
    inputs:  (N rows) what its models take.
    vectors: (N, D) every row as a vector, for linear members of the audit and for what looks at neighbours.
    text:    how an endpoint reads texts for the model; None where it takes embeddings alone.
    version: tells inputs apart that are made of the same data.
    """

    learner: Learner
    inputs: Inputs
    vectors: Features
    text: TextInput | None = None
    version: str = ""


def chosen(examples: Examples, given: Mapping[str, Any], encoder: Path | None = None) -> TrainSettings:
    """Give the settings with the learner that this data asks for, where none is named."""
    named = settings.parse(TrainSettings, given).learner
    usual = "mlp" if examples.features is not None or encoder is not None else "linear"
    return settings.parse(TrainSettings, {**given, "learner": named or usual})


def made(examples: Examples, said: TrainSettings, world: World = ALONE) -> Material:
    """Make the material of a job; `said.learner` names a learner.

    Raises UserError where data and learner do not go together.
    """
    if said.learner in ("", "mlp"):
        return _of_vectors(examples, said, world)
    raise UserError(f"learner {said.learner} is not there yet")


def recipe(said: TrainSettings) -> Recipe:
    """Take out of the settings what decides a fit of the mlp."""
    return Recipe(**{field.name: getattr(said, field.name) for field in dataclasses.fields(Recipe)})


def _of_vectors(examples: Examples, said: TrainSettings, world: World) -> Material:
    if examples.features is None:
        raise UserError(
            "the data has texts alone, and the learner mlp takes embeddings: give them, or a channel `encoder`, or choose another learner"
        )
    learner = Stacked(len(examples.classes), recipe(said))
    return Material(learner, examples.features, examples.features)
