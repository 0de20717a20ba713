"""Out-of-fold probabilities: every row scored by models that never saw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.model.predictor import Predictor
from relabel.training.folds import FoldPlan

BLOCK = 8192


def predict(predictor: Predictor, inputs: Inputs, rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Give probabilities (n, C) of the chosen rows (n,), block by block."""
    out = np.empty((rows.size, predictor.classes), dtype=np.float32)
    for start in range(0, rows.size, BLOCK):
        out[start : start + BLOCK] = predictor(inputs.take(rows[start : start + BLOCK]))
    return out


def out_of_fold(predictors: Sequence[Predictor], plan: FoldPlan, inputs: Inputs) -> NDArray[np.float64]:
    """Give probabilities (N, C) of all rows from the fold members, which come in the order of `plan.places()`.

    A training row is scored once per repeat, by the member that held it out, and averaged over the repeats; a row that no member
    trains on is scored by all of them.
    """
    total = np.zeros((plan.fold.shape[1], predictors[0].classes))
    for predictor, (repeat, fold) in zip(predictors, plan.places(), strict=True):
        held = plan.held_out(repeat, fold)
        total[held] += predict(predictor, inputs, held) / len(plan.fold)
    never = plan.never()
    for start in range(0, never.size, BLOCK):
        rows = never[start : start + BLOCK]
        batch = inputs.take(rows)  # read once for all members
        for predictor in predictors:
            total[rows] += predictor(batch) / len(predictors)
    total /= total.sum(axis=1, keepdims=True)
    return total
