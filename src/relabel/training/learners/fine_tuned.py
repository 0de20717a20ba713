"""An encoder trained to the end of the job's own task, one member at a time under Lightning."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray

from relabel.data.tokens import Tokens
from relabel.model.artifact import Model
from relabel.model.networks.fine_tuned import ABOUT, KIND, FineTuned, packed
from relabel.text import encoder_files, encoder_network
from relabel.text.reader import TextInput
from relabel.training.learner import Run, Watch
from relabel.training.learners import network
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.member import Member
from relabel.training.network_fit import NetworkFit, Recipe

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; from there it falls in a line to 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """What all members begin with.

    encoder:  a network of transformers, which stays as it is.
    poolings: how its tokens become one vector.
    classes:  C.
    """

    encoder: Any
    poolings: tuple[str, ...]
    classes: int

    def drawn(self, seed: int) -> FineTuned:
        """Make the network: a copy of the encoder, and a layer of classes whose weights follow from the seed alone."""
        with torch.device("meta"):  # torch would draw the layer from the generator that all threads share
            made = FineTuned(self.encoder, self.poolings, self.classes)
        made.encoder = copy.deepcopy(self.encoder)
        made.head.to_empty(device="cpu")
        with torch.no_grad():
            made.head.weight.normal_(std=HEAD_SPREAD, generator=torch.Generator().manual_seed(seed))
            made.head.bias.zero_()
        return made

    def model(self, tensors: Mapping[str, NDArray[Any]]) -> Model:
        """Make a model of the network's arrays."""
        return Model(KIND, {"classes": self.classes}, {**tensors, ABOUT: packed(self.encoder, self.poolings)})


HEAD_SPREAD = 0.02
"""Deviation of the head's weights before training, that of BERT."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """Fits copies of an encoder; inputs are Tokens of its own tokenizer, see `encoder_files.subwords`.

    fingerprint: of the encoder's files.
    device:      "auto" takes a GPU when there is one.
    """

    base: Base
    fingerprint: str
    recipe: Recipe
    device: str = "auto"
    kind: str = KIND

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit; not the device, which changes last digits only."""
        recipe = dataclasses.asdict(self.recipe)
        return {"kind": self.kind, "classes": self.base.classes, "encoder": self.fingerprint, "recipe": recipe}

    def fit_one(self, inputs: Tokens, member: Member, watch: Watch | None, run: Run) -> Model:
        """Fit a member, going on from where an earlier run of it was stopped."""
        return network.ended(
            NetworkFit(self.base, self.recipe, inputs=inputs, member=member, watch=watch), run, self.device
        )


def learner(about: TextInput, *, classes: int, recipe: Recipe, device: str = "auto") -> OneByOne:
    """Make the learner that goes on training an encoder.

    about:  the encoder, see `encoder_files.describe`; of its settings only the pooling counts here.
    recipe: its learning rate rises and falls as WARM_UP says, and no words seem unknown: the encoder has no number for them.

    One member at a time, with all of torch's threads. Each takes four times the encoder's weights in memory while it is trained.
    Raises UserError where the folder is no encoder.
    """
    poolings = tuple(str(about.settings["pooling"]).split("+"))
    base = Base(encoder_network.loaded(encoder_files.place(about)), poolings, classes)
    own = dataclasses.replace(recipe, warm_up=WARM_UP, schedule="linear", word_dropout=0.0)
    one = Tuned(base, encoder_files.fingerprint(about), own, device)
    return OneByOne(one, workers=1, threads=torch.get_num_threads())
