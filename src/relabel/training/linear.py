"""Linear models of all folds and of many strengths of regularisation at once, in closed form.

Least squares on the labels (ridge regression) needs of the rows only sums of products, and those of a fold's training rows are those of all
rows less the fold's own: one pass over the features serves every fold and every strength. On noisy labels a well-regularised linear model
finds more errors than a network that is not regularised, and its scores are linear in the inputs: they do not level off at the noise of
the labels, which is what tells noise from doubt (`auditing.channel`).

Letters: N rows, D inputs, C classes, F folds, L strengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from relabel.data import passes
from relabel.data.examples import Features
from relabel.data.stretches import mapped
from relabel.training.folds import NEVER, FoldPlan

STRENGTHS = (0.3, 1.0, 3.0, 10.0)
"""L strengths, in units of the training rows, for inputs of deviation 1."""

JUDGES = 2
"""Folds whose held-out labels choose the strength: a fit is a third power of D, and two tell as well as all."""

SHARPNESS = 5.0
"""Logits are scores times this: the scores of two classes differ by about 1 where a row is surely of either."""

BLOCK = 4096
"""Rows multiplied at a time, in single precision; blocks are summed in double."""

CONSTANT = 1e-6
"""Deviation of a column, in units of 1 + its size, below which it says nothing."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weighted sums over rows, of inputs x (D,) with a 1 after them, and of labels y (C,), one 1 among zeros.

    squares: (D + 1, D + 1) of x x'; its last entry is the weight of the rows.
    targets: (D + 1, C) of x y'.
    """

    squares: Array
    targets: Array

    def less(self, other: _Sums) -> _Sums:
        """The sums over the rows that are not the other's."""
        return _Sums(self.squares - other.squares, self.targets - other.targets)


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """What linear models need to know of the rows.

    parts:    sums over each fold, of inputs less `shift` (D,).
    fold:     (N,) of every row.
    strength: of the regularisation.
    """

    parts: list[_Sums]
    shift: Array
    fold: NDArray[np.int16]
    strength: float


def summed(
    features: Features, plan: FoldPlan, labels: NDArray[np.int64], weights: NDArray[np.float32], classes: int
) -> Folds:
    """Read the training rows once, by the folds of the plan's first repeat.

    labels:  (N,) classes, 0 to C-1 on the training rows.
    weights: (N,) of each row in the squares.

    Of the strengths that one is taken whose scores go along best with the held-out labels of JUDGES folds, whatever their scale.
    """
    fold = plan.fold[0]
    shift = features.take(np.flatnonzero(fold != NEVER)[:BLOCK]).mean(axis=0, dtype=np.float64)
    parts = [
        _sums(features, plan.held_out(0, number), labels, weights, shift=shift, classes=classes)
        for number in range(plan.folds)
    ]
    judges = parts[:JUDGES]
    best = max(STRENGTHS, key=lambda strength: _agreement(_models(parts, shift, strength, judges), judges))
    return Folds(parts, shift, fold, best)


def out_of_fold(features: Features, rows: Folds, without: int = NEVER) -> Array:
    """Give probabilities (N, C) of all rows from linear models that did not learn from them.

    without: a fold that no model may learn from; it has had its say in the strength alone.

    Rows in no fold, or in that without, are scored by the mean of all models. The order of the rows is what counts: how sure the
    probabilities are is not calibrated.
    """
    used = [number for number in range(len(rows.parts)) if number != without]
    models = _models([rows.parts[number] for number in used], rows.shift, rows.strength)
    mean = np.mean(models, axis=0)
    return _probabilities(features, rows, {NEVER: mean, without: mean, **dict(zip(used, models, strict=True))})


def _models(parts: list[_Sums], shift: Array, strength: float, left_out: list[_Sums] | None = None) -> list[Array]:
    """For each part, or each of those to be left out, the model (D + 1, C) of all others."""
    whole = _Sums(np.sum([part.squares for part in parts], axis=0), np.sum([part.targets for part in parts], axis=0))
    scale = _scale(whole.squares, shift)
    return [_solved(whole.less(part), scale, strength) for part in (parts if left_out is None else left_out)]


def _sums(
    features: Features,
    rows: NDArray[np.intp],
    labels: NDArray[np.int64],
    weights: NDArray[np.float32],
    *,
    shift: Array,
    classes: int,
) -> _Sums:
    """Sum over rows (n,), block by block; inputs less `shift`, so that single precision loses nothing to a large offset."""
    width = shift.size + 1
    squares, targets = np.zeros((width, width)), np.zeros((width, classes))
    for block, values in passes.blocks(features, rows, BLOCK):
        inputs = _shifted(values, shift) * np.sqrt(weights[block])[:, None]
        named = np.zeros((block.size, classes), np.float32)
        named[np.arange(block.size), labels[block]] = np.sqrt(weights[block])
        squares += inputs.T @ inputs
        targets += inputs.T @ named
    return _Sums(*passes.summed(features, squares, targets))


def _shifted(values: NDArray[np.float32], shift: Array) -> NDArray[np.float32]:
    """The inputs (n, D + 1) of vectors (n, D), less the shift, with a 1 after them."""
    inputs = np.ones((len(values), shift.size + 1), np.float32)
    np.subtract(values, shift.astype(np.float32), out=inputs[:, :-1])
    return inputs


def _scored(values: NDArray[np.float32], shift: Array, model: NDArray[np.float32]) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = _shifted(values, shift) @ model
    return scores


def _scale(squares: Array, shift: Array) -> Array:
    """The deviation (D,) of each column; infinite where it does not vary, so that it weighs nothing."""
    mean = squares[-1, :-1] / squares[-1, -1]
    deviation = np.sqrt((np.diagonal(squares)[:-1] / squares[-1, -1] - mean**2).clip(min=0.0))
    return np.where(deviation <= CONSTANT * (1 + np.abs(shift)), np.inf, deviation)


def _solved(sums: _Sums, scale: Array, strength: float) -> Array:
    """The weights (D + 1, C) of least penalised squares; the last line is the intercept, which is not penalised."""
    mass = sums.squares[-1, -1]
    mean, share = sums.squares[-1, :-1] / mass, sums.targets[-1] / mass
    about = (sums.squares[:-1, :-1] - mass * np.outer(mean, mean)) / scale[:, None] / scale
    about[np.diag_indices_from(about)] += strength * mass
    along = (sums.targets[:-1] - mass * np.outer(mean, share)) / scale[:, None]
    factor = scipy.linalg.cho_factor(about, overwrite_a=True, check_finite=False)
    weight = scipy.linalg.cho_solve(factor, along, check_finite=False) / scale[:, None]
    return np.concatenate([weight, (share - mean @ weight)[None]])


def _agreement(models: list[Array], parts: list[_Sums]) -> float:
    """The mean over classes of the correlation of held-out scores with labels, from the sums alone."""
    pairs = list(zip(models, parts, strict=True))
    mass = sum(part.squares[-1, -1] for part in parts)
    label = sum(part.targets[-1] for part in parts) / mass
    score = sum(part.squares[-1] @ model for model, part in pairs) / mass
    both = sum((model * part.targets).sum(axis=0) for model, part in pairs) / mass - score * label
    spread = sum((model * (part.squares @ model)).sum(axis=0) for model, part in pairs) / mass - score**2
    deviation = np.sqrt(spread.clip(min=0.0) * (label - label**2))
    return float(np.divide(both, deviation, out=np.zeros_like(both), where=deviation > 0).mean())


def _probabilities(features: Features, rows: Folds, models: Mapping[int, Array]) -> Array:
    """Score rows (N,) by the model (D + 1, C) of their fold, and normalise: (N, C)."""
    scores = np.empty((rows.fold.size, models[NEVER].shape[1]))
    for number, model in models.items():
        own, single = np.flatnonzero(rows.fold == number), model.astype(np.float32)
        scores[own] = passes.mapped(features, own, partial(_scored, shift=rows.shift, model=single), BLOCK)
    return mapped(_normal, scores)


def _normal(scores: Array) -> Array:
    weight = np.exp(SHARPNESS * (scores - scores.max(axis=1, keepdims=True)))
    probability: Array = weight / weight.sum(axis=1, keepdims=True)
    return probability
