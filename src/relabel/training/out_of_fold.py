"""Out-of-fold probabilities: every row scored by models that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data import passes
from relabel.data.examples import Inputs
from relabel.model.predictor import Predictor
from relabel.training.folds import FoldPlan

BLOCK = 8192


def predict(predictor: Predictor, inputs: Inputs, rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Give probabilities (n, C) of the chosen rows (n,), block by block."""
    if not rows.size:
        return np.empty((0, predictor.classes), dtype=np.float32)
    return passes.mapped(inputs, rows, lambda batch: predictor(batch).astype(np.float32, copy=False), BLOCK)


def out_of_fold(predictors: Sequence[Predictor], plan: FoldPlan, inputs: Inputs) -> NDArray[np.float64]:
    """Give probabilities (N, C) of all rows from the fold members, which come in the order of `plan.places()`.

    A training row is scored once per repeat, by the member that held it out, and averaged over the repeats; a row that no member
    trains on is scored by all of them.
    """
    total = np.zeros((plan.fold.shape[1], predictors[0].classes))
    for predictor, (repeat, fold) in zip(predictors, plan.places(), strict=True):
        held = plan.held_out(repeat, fold)
        total[held] += predict(predictor, inputs, held) / len(plan.fold)
    if (never := plan.never()).size:
        total[never] = passes.mapped(inputs, never, lambda batch: _mean(predictors, batch), BLOCK)
    total /= total.sum(axis=1, keepdims=True)
    return total


def _mean(predictors: Sequence[Predictor], batch: Any) -> NDArray[np.float64]:
    """Give the mean probabilities (b, C) of a batch by all members: it is read once for them."""
    total = np.zeros((len(batch), predictors[0].classes))
    for predictor in predictors:
        total += predictor(batch) / len(predictors)
    return total
