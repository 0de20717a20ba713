"""Multinomial logistic regression on the terms of texts, weighed by how rare they are: the baseline that networks must beat.

Letters: n rows, V terms, C classes, K columns of weights that are free: C, or the one difference of two classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from relabel.data.examples import Inputs
from relabel.data.tokens import Tokens
from relabel.model import tfidf
from relabel.model.artifact import Model
from relabel.training import terms
from relabel.training.learner import Run, Snapshot, Watch
from relabel.training.member import Member
from relabel.training.out_of_fold import predict

PENALTIES = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125)
"""Of these, times `weight_decay`, watched rows choose the penalty."""

STEPS = 200
"""Most steps of a fit."""

FLAT = 1e-4
"""Slope of the mean loss, in its steepest direction, at which a fit has ended."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tfidf:
    """Fits linear models of texts. A fit takes seconds, so one that was stopped begins again.

    classes:      C.
    terms:        V, of the vocabulary that the texts were read with.
    weight_decay: what is least is the sum of the rows' losses plus half of this times the sum of squared weights. It holds for a sum, not for
                  a mean: the same figure was found best for 500 rows and for 10,000. Where rows are watched, it is chosen around this.
    """

    classes: int
    terms: int
    weight_decay: float = 0.5
    kind: str = tfidf.KIND

    def identity(self) -> Mapping[str, Any]:
        """Give what decides a fit."""
        return dataclasses.asdict(self)

    def fit_one(self, inputs: Tokens, member: Member, watch: Watch | None, run: Run) -> Model:
        """Fit one member. The rareness of terms is that in its own rows, of which very many texts are a part (see `terms.part`)."""
        rows = member.rows[terms.part(inputs.lengths[member.rows], member.seed)]
        rows = rows[member.weights[rows] > 0]
        matrix = terms.counted(inputs, self.terms, rows)
        idf = terms.rareness(matrix)
        terms.weigh(matrix, idf)
        problem = _Problem(matrix, targets(member, rows, self.classes), member.weights[rows])
        chosen = PENALTIES if watch and self.weight_decay else (1.0,)
        solution, best, least = problem.start(), None, np.inf
        for n, times in enumerate(chosen):
            at = _Progress(run, n * STEPS, len(chosen) * STEPS)
            solution = problem.solved(self.weight_decay * times, solution, at)
            model = self._model(idf, *problem.weights(solution))
            loss = _loss(model, inputs, watch) if watch else -np.inf
            if loss >= least:
                break
            best, least = model, loss
        assert best is not None  # noqa: S101  # the first loss is finite
        return best

    def _model(self, idf: Array, weight: Array, bias: Array) -> Model:
        tensors = {"idf": idf, "weight": weight, "bias": bias}
        single = {name: value.astype(np.float32) for name, value in tensors.items()}
        return Model(self.kind, {"terms": self.terms, "classes": self.classes}, single)


def targets(member: Member, rows: NDArray[np.integer], classes: int) -> Array:
    """Give how likely each class is (n, C) on the rows (n,) of a member."""
    own = member.targets[rows]
    shares: Array = own.astype(np.float64) if own.ndim > 1 else np.eye(classes)[own]
    return shares


@dataclass(slots=True)
class _Progress:
    """Steps of a fit as its run sees them."""

    run: Run
    done: int
    total: int

    def __call__(self, _solution: Array) -> None:
        self.run.safe_point(self.done, self.total, lambda: Snapshot(0, {}, {}))
        self.done += 1


class _Problem:
    """The loss of weights and biases, as one vector (K * ids + K,), and its slope."""

    def __init__(self, rows: terms.Matrix, wanted: Array, mass: NDArray[np.float32]) -> None:
        self._rows, self._wanted, self._mass = rows, wanted, mass.astype(np.float64)[:, None]
        classes = wanted.shape[1]
        self._spread = np.array([[-0.5, 0.5]]) if classes == 2 else np.eye(classes)  # (K, C)  # noqa: PLR2004

    def start(self) -> Array:
        return np.zeros((self._rows.shape[1] + 1) * len(self._spread))

    def weights(self, solution: Array) -> tuple[Array, Array]:
        """Give weights (ids, C) and biases (C,)."""
        free = solution.reshape(-1, len(self._spread)) @ self._spread
        return free[:-1], free[-1]

    def solved(self, penalty: float, solution: Array, progress: Callable[[Array], None]) -> Array:
        options = {"maxiter": STEPS, "gtol": FLAT, "ftol": 1e-9}
        found = scipy.optimize.minimize(
            self._loss, solution, (penalty,), "L-BFGS-B", jac=True, callback=progress, options=options
        )
        return np.asarray(found.x)

    def _loss(self, solution: Array, penalty: float) -> tuple[float, Array]:
        weight, bias = np.split(solution.reshape(-1, len(self._spread)), [-1])
        logits = (self._rows @ weight + bias) @ self._spread
        logits -= logits.max(axis=1, keepdims=True)
        shares = np.exp(logits)
        total = shares.sum(axis=1, keepdims=True)
        away = self._mass * (shares / total * self._wanted.sum(axis=1, keepdims=True) - self._wanted)
        along = away @ self._spread.T
        pull = penalty * weight @ (self._spread @ self._spread.T)
        loss = (self._mass * self._wanted * (np.log(total) - logits)).sum() + 0.5 * (weight * pull).sum()
        slope = np.concatenate([self._rows.T @ along + pull, along.sum(axis=0, keepdims=True)])
        mass = self._mass.sum()
        return float(loss / mass), slope.ravel() / mass


def _loss(model: Model, inputs: Inputs, watch: Watch) -> float:
    probability = predict(tfidf.TfidfPredictor(model), inputs, watch.rows)
    return watch.loss(probability)
