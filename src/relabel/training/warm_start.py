"""Beginning with the weights of a model that is there, in place of drawn ones.

Members of a cross-validation never do: an earlier model has learned from the very rows that they are to be judged on, and its weights would
tell them those labels. Letters: C classes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from relabel.model import dense
from relabel.model.artifact import Model
from relabel.text.reader import TextInput
from relabel.training.learner import Learner
from relabel.training.learners.network import Network
from relabel.training.learners.one_by_one import OneByOne
from relabel.training.learners.stacked import Stacked

MEANINGLESS = {
    "tfidf": "a linear model ends at the same place wherever it begins",
    "boosted": "trees are grown from nothing",
    "fine_tuned": "it begins with its encoder",
}


def refusal(learner: Learner, model: Model, width: int, *, text: TextInput | None, own: TextInput | None) -> str:
    """Say why members of a learner cannot begin with a model; "" where they can.

    width: of the vectors that the members learn from; 0 of texts.
    text:  how the model reads texts; own: how the members do.
    """
    match learner:
        case Stacked():
            kind, sizes = learner.kind, learner.sizes(width)
        case OneByOne(one=Network() as one):
            kind, sizes = one.kind, dict(one.sizes)
        case _:
            return MEANINGLESS.get(str(learner.identity().get("kind")), "this learner has no weights to begin with")
    if model.kind != kind:
        return f"it is of the kind {model.kind}, and {kind} is trained"
    if kind != dense.KIND and _reading(text) != _reading(own):
        return "it reads texts with another vocabulary"
    if {**model.sizes} != sizes:
        others = [
            f"{name} {model.sizes.get(name)}, not {size}"
            for name, size in sizes.items()
            if model.sizes.get(name) != size
        ]
        return f"it is of other sizes: {', '.join(others)}"
    return ""


def aligned(model: Model, order: NDArray[np.intp]) -> Model:
    """Put a network's classes into another order: class c of the result is class order[c] (C,) of the model."""
    if model.kind == dense.KIND:
        last = model.sizes["depth"]
        weight, bias = f"weight.{last}", f"bias.{last}"
        changed = {weight: model.tensors[weight][:, order], bias: model.tensors[bias][order]}
    else:
        changed = {name: model.tensors[name][order] for name in ("head.weight", "head.bias")}
    return replace(model, tensors={**model.tensors, **{name: value.copy() for name, value in changed.items()}})


def _reading(text: TextInput | None) -> tuple[object, ...]:
    return () if text is None else (text.kind, dict(text.settings), text.terms)
