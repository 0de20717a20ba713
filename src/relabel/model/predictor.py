"""From a model's arrays to something that can be called."""

from __future__ import annotations

import importlib
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError
from relabel.model import dense
from relabel.model.artifact import Model
from relabel.text.subwords import MISSING


class Predictor(Protocol):
    """A loaded model: what it takes of n rows in, probabilities (n, C) float32 out.

    inputs:  numbers of a vector, 0 where it takes tokens.
    classes: C.
    """

    inputs: int
    classes: int

    def __call__(self, inputs: Any, /) -> NDArray[np.float32]:
        """Give probabilities (n, C) of vectors (n, D) float32, or of Tokens."""
        ...


@runtime_checkable
class Hidden(Protocol):
    """A predictor whose last layer takes a vector of each row, which is what the model has made of the row.

    hidden_width: H, numbers of that vector; 0 where the last layer is the first.
    """

    hidden_width: int

    def hidden(self, inputs: Any, /) -> NDArray[np.float32]:
        """Give what the last layer takes, (n, H), of what `Predictor` takes."""
        ...


def with_hidden(predictor: Predictor) -> Hidden | None:
    """Give the predictor where it has a hidden layer; None for linear models and trees."""
    return predictor if isinstance(predictor, Hidden) and predictor.hidden_width else None


PREDICTORS: dict[str, str] = {
    dense.KIND: "relabel.model.dense:DensePredictor",
    "lstm": "relabel.model.neural:NeuralPredictor",
    "pooled": "relabel.model.neural:NeuralPredictor",
    "convolutional": "relabel.model.neural:NeuralPredictor",
    "tfidf": "relabel.model.tfidf:TfidfPredictor",
    "boosted": "relabel.model.boosted:BoostedPredictor",
    "fine_tuned": "relabel.model.fine_tuned:FineTunedPredictor",
}
"""Kind of model -> where its predictor is: those of some kinds need libraries that an endpoint of another kind must not load."""


def load(model: Model) -> Predictor:
    """Make the predictor of a model.

    Raises UserError for a kind this version does not know, a library that is not there, or tensors that do not fit the sizes.
    """
    if model.kind not in PREDICTORS:
        raise UserError(
            f"model kind {model.kind!r}: this version knows {', '.join(PREDICTORS)}; use the relabel that wrote it"
        )
    module, _, name = PREDICTORS[model.kind].partition(":")
    try:
        found: Predictor = getattr(importlib.import_module(module), name)(model)
    except ModuleNotFoundError as error:
        raise UserError(f"a model of the kind {model.kind}: {MISSING.format(error.name)}") from None
    except KeyError as error:
        raise UserError(
            f"a model of the kind {model.kind} without {error} among its sizes or tensors: give the artifact as the job wrote it"
        ) from None
    return found
