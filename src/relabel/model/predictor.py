"""From a model's arrays to something that can be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError
from relabel.model import dense
from relabel.model.artifact import Model


class Predictor(Protocol):
    """A loaded model: inputs (n, D) float32 in, probabilities (n, C) float32 out."""

    inputs: int
    classes: int

    def __call__(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give probabilities (n, C) of inputs (n, D)."""
        ...


PREDICTORS: dict[str, Callable[[Model], Predictor]] = {dense.KIND: dense.DensePredictor}
"""Kind of model -> its predictor. Every learner's kind stands here."""


def load(model: Model) -> Predictor:
    """Make the predictor of a model.

    Raises UserError for a kind this version does not know, or tensors that do not fit the sizes.
    """
    if model.kind not in PREDICTORS:
        raise UserError(
            f"model kind {model.kind!r}: this version knows {', '.join(PREDICTORS)}; use the relabel that wrote it"
        )
    return PREDICTORS[model.kind](model)
