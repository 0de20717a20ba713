"""Given labels as true ones that came through a noisy channel: what the true ones are like, and how noisy the channel is.

    P(given j | x) = sum_i eta_i(x) T_ij,    eta(x) = softmax(sum_m log p_m(x) / d_m W_m + b)

p_m are out-of-fold probabilities of several kinds of models, d_m the deviation of their logarithms. Weights, bias and noise T are found
together by maximum likelihood: a member counts for as much as it explains, and what even a calibrated model of *true* labels could not
explain is noise. Unlike anchors, which take the rows at the ends for surely right, it needs no row that is sure. Networks with a noise
layer learn the same inside their training (Sukhbaatar et al. 2015, Goldberger and Ben-Reuven 2017); here only these few numbers are left.

Where people verified a label, the true class i is known, and of the sum only its term is left. People may choose rows by x and by the given
label: what they saw of these is in the likelihood, so the choice does not bias it (missing at random, Rubin 1976). That holds only while the
label as it was given stays in the data.

Letters: M members, n rows that are learned from, N rows, C classes, P = (M C + 1) C + C C numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from relabel.data.stretches import mapped

TINY = 1e-7
"""Probabilities are clipped here before a logarithm: single precision knows no smaller ones beside 1."""

LEAST = 1e-300
"""What models say of a true label that people verified is not less."""

MOST_WRONG = 0.49
"""Most that a class's errors sum to: its true label stays the likeliest, and the matrix can be inverted."""

MOST_ROWS = 30_000
"""More rows are thinned to about this many: the rates are then known to half a percent."""

MOST_NUMBERS = 1_000
"""Numbers whose errors are judged together: the slopes of MOST_ROWS rows take 240 MB then."""

RIGHT, WRONG = 10.0, 0.5
"""Rows that every class is taken to have shown before: rightly labelled, and wrongly with each other label."""

STIFFNESS = 1.0
"""How firmly weights are held to the mean of the members, in units of the log-likelihood."""

SCATTER = np.uint64(0x9E3779B97F4A7C15)
"""Multiplier that scatters row numbers (Fibonacci hashing): thinned rows follow no order of the data."""

Array = NDArray[np.float64]
Evidence = NDArray[np.floating] | Sequence[NDArray[np.floating]]
"""Probabilities (M, N, C): one array, or M of (N, C)."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """A fitted channel.

    scale:      (M,) float64, the deviation of each member's logarithms.
    weight:     (M C, C) float64 and
    bias:       (C,) float64, from the members' logarithms, of deviation 1, to the logits of the true label.
    given_true: (C, C) float64, P(given j | true i); a row's errors sum to MOST_WRONG at most.
    deviation:  (C, C) float64, standard errors of given_true; zero where that was given.
    right:      (C, C) float64, covariance of its diagonal, the rates of right labels, among each other.
    likelihood: mean log-likelihood of the rows that were learned from.
    """

    scale: Array
    weight: Array
    bias: Array
    given_true: Array
    deviation: Array
    right: Array
    likelihood: float

    def true_given_input(self, evidence: Evidence) -> Array:
        """Give eta (N, C) = P(true | x) from the members' probabilities (M, N, C)."""

        def eta(*members: NDArray[np.floating]) -> Array:
            return _softmax(_features(np.stack(members), self.scale) @ self.weight + self.bias)

        return mapped(eta, *evidence)


def fit(
    labels: NDArray[np.int64],
    evidence: Evidence,
    group: NDArray[np.int64] | None = None,
    given_true: Array | None = None,
    truth: NDArray[np.int64] | None = None,
    *,
    among: NDArray[np.intp] | None = None,
) -> Channel:
    """Fit the channel to labels (N,), 0 to C-1, and out-of-fold probabilities (M, N, C) of M kinds of models.

    group:      (N,) duplicate group of each row: rows of one group do not speak independently. By default each row is its own.
    given_true: (C, C), to take the noise for known, for example from an earlier pass.
    truth:      (N,) true labels where they are known, else -1. By default none is.
    among:      (n,) rows that are learned from; others may have no label. By default all.

    The errors are those of the maximum of a likelihood whose parts are the groups (White 1982, with the information in place of the
    Hessian). They take the form above for true; how far that may be, they cannot know. With more than MOST_NUMBERS numbers, weights and
    biases are taken for known and rates for independent, which makes them a little too small.
    """
    among = np.arange(labels.size) if among is None else among
    rows, chosen = among.size, among[_thinned(among.size)]
    taken = np.stack([member[chosen] for member in evidence])
    members, _, classes = taken.shape
    scale = _scale(taken)
    possible = np.ones((chosen.size, classes)) if truth is None else _possible(truth[chosen], classes)
    problem = _Problem(labels[chosen], _features(taken, scale), possible, members, given_true)
    found = minimize(
        problem.loss,
        problem.start(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 500, "ftol": 1e-9, "gtol": 1e-6},
    )
    weight, bias, noise = problem.parts(found.x)
    eta = _softmax(problem.features @ weight + bias)
    deviation = right = np.zeros((classes, classes))
    if given_true is None and chosen.size:
        judge = _errors if problem.start().size <= MOST_NUMBERS else _independent_errors
        deviation, right = judge(problem, eta, noise, chosen if group is None else group[chosen])
        deviation, right = deviation * np.sqrt(chosen.size / rows), right * (chosen.size / rows)
    own = problem.joint(eta, noise).sum(axis=1)
    return Channel(scale, weight, bias, noise, deviation, right, float(np.log(own).mean()) if chosen.size else 0.0)


class _Problem:
    """The penalised likelihood as a function of one vector: weights, biases, logits of the errors."""

    def __init__(
        self, labels: NDArray[np.int64], features: Array, possible: Array, members: int, given_true: Array | None
    ) -> None:
        """possible: (n, C), 1 for each class that may be the true one of a row, else 0."""
        self.labels, self.features, self.possible, self.known = labels, features, possible, given_true
        classes = self.classes = possible.shape[1]
        self.middle = np.tile(np.eye(classes) / members, (members, 1))  # (M C, C): the mean of the logarithms
        self.given = np.zeros((labels.size, classes))
        self.given[np.arange(labels.size), labels] = 1.0
        self.off = ~np.eye(classes, dtype=np.bool_)

    def start(self) -> Array:
        """Begin at the members' mean and little noise."""
        errors = np.full(self.classes * (self.classes - 1), np.log(0.2 / (self.classes - 1)))
        free = [self.middle.ravel(), np.zeros(self.classes)]
        return np.concatenate([*free, errors] if self.known is None else free)

    def parts(self, vector: Array) -> tuple[Array, Array, Array]:
        """Take weight (M C, C), bias (C,) and noise (C, C) out of the vector."""
        ends = [self.middle.size, self.middle.size + self.classes]
        weight, bias, errors = np.split(vector, ends)
        noise = self._share(errors) * MOST_WRONG if self.known is None else self.known
        if self.known is None:
            noise[~self.off] = 1.0 - noise.sum(axis=1)
        return weight.reshape(self.middle.shape), bias, noise

    def loss(self, vector: Array) -> tuple[float, Array]:
        """Give the mean of what is to be least, and its gradient."""
        weight, bias, noise = self.parts(vector)
        eta = _softmax(self.features @ weight + bias)
        joint = self.joint(eta, noise)
        likelihood = joint.sum(axis=1)
        clean = joint / likelihood[:, None]
        strain = weight - self.middle
        total = np.log(likelihood).sum() - STIFFNESS / 2 * (strain**2).sum() - STIFFNESS / 2 * (bias**2).sum() / 100
        slopes = [
            (self.features.T @ (clean - eta) - STIFFNESS * strain).ravel(),
            (clean - eta).sum(axis=0) - STIFFNESS * bias / 100,
        ]
        if self.known is None:
            before = np.where(self.off, WRONG, RIGHT)
            total += (before * np.log(noise)).sum()
            slope = (eta * self.possible / likelihood[:, None]).T @ self.given + before / noise
            slopes.append(self._errors_slope(vector[-self.off.sum() :], slope))
        count = max(self.labels.size, 1)
        return -total / count, -np.concatenate(slopes) / count

    def joint(self, eta: Array, noise: Array) -> Array:
        """Give P(true i, given label | x) (n, C) of the classes that are possible; none of these is 0."""
        return (eta * noise.T[self.labels]).clip(min=LEAST) * self.possible

    def _share(self, errors: Array) -> Array:
        """Each error's share (C, C) of the most that is allowed, from its logit; 0 on the diagonal."""
        shares = np.zeros((self.classes, self.classes))
        shares[self.off] = np.exp(errors.clip(-50.0, 50.0))
        shares /= 1.0 + shares.sum(axis=1, keepdims=True)
        return shares

    def _errors_slope(self, errors: Array, slope: Array) -> Array:
        """The slope in the logits (C (C - 1),) from that in the entries (C, C); what an error gains, the diagonal loses."""
        share = self._share(errors)
        net = slope - np.diagonal(slope)[:, None]
        slopes: Array = MOST_WRONG * share * (net - (share * net).sum(axis=1, keepdims=True))
        return slopes[self.off]


def _errors(problem: _Problem, eta: Array, noise: Array, group: NDArray[np.int64]) -> tuple[Array, Array]:
    """Standard errors (C, C) of the noise and the covariance (C, C) of its diagonal, with weights and biases not known either."""
    joint = problem.joint(eta, noise)
    likelihood = joint.sum(axis=1, keepdims=True)
    steps = joint / likelihood - eta
    rows, classes = steps.shape
    per_entry = (
        (eta * problem.possible)[:, :, None]
        * (problem.given[:, None, :] - problem.given[:, :, None])
        / likelihood[:, :, None]
    )
    slopes = np.concatenate(
        [
            (problem.features[:, :, None] * steps[:, None, :]).reshape(rows, -1),
            steps,
            per_entry[:, problem.off],
        ],
        axis=1,
    )  # (n, P): the slope of each row's log-likelihood
    free = problem.middle.size + classes
    prior = np.full(slopes.shape[1], STIFFNESS)
    prior[free:] = (WRONG / noise**2)[problem.off]
    information = slopes.T @ slopes + np.diag(prior)
    _, place = np.unique(group, return_inverse=True)
    together = np.zeros((int(place.max()) + 1, slopes.shape[1]))
    np.add.at(together, place, slopes)
    spread = np.linalg.solve(information, np.linalg.solve(information, together.T @ together).T)[free:, free:]
    of = np.nonzero(problem.off)[0]  # the true class of each error
    right = np.zeros((classes, classes))
    np.add.at(right, (of[:, None], of), spread)  # what an error gains, the diagonal loses
    deviation = np.diag(np.sqrt(np.diagonal(right).clip(min=0.0)))
    deviation[problem.off] = np.sqrt(np.diagonal(spread).clip(min=0.0))
    return deviation, right


def _independent_errors(problem: _Problem, eta: Array, noise: Array, _group: NDArray[np.int64]) -> tuple[Array, Array]:
    """The same without what would not fit into memory: each rate as if all else were known."""
    likelihood = problem.joint(eta, noise).sum(axis=1, keepdims=True)
    squares = ((eta * problem.possible / likelihood) ** 2).T @ problem.given
    variance = 1 / (squares + np.diagonal(squares)[:, None] + np.where(problem.off, WRONG, RIGHT) / noise**2)
    np.fill_diagonal(variance, 0.0)
    np.fill_diagonal(variance, variance.sum(axis=1))
    return np.sqrt(variance), np.diag(np.diagonal(variance))


def _possible(truth: NDArray[np.int64], classes: int) -> Array:
    """Mark the classes that may be a row's true one (n, C): the one that is known, else all."""
    possible: Array = np.concatenate([np.eye(classes), np.ones((1, classes))])[truth]  # the last one serves -1
    return possible


def _logs(evidence: NDArray[np.floating]) -> Array:
    """The members' logarithms (M, N, C), centred over the classes."""
    logs: Array = np.log(evidence.astype(np.float64).clip(min=TINY))
    logs -= logs.mean(axis=2, keepdims=True)
    return logs


def _scale(evidence: NDArray[np.floating]) -> Array:
    """The deviation (M,) of each member's logarithms; 1 where they do not vary."""
    logs = _logs(evidence)
    deviation = logs.std(axis=1).mean(axis=1) if logs.shape[1] else np.ones(len(logs))
    return np.where(deviation > TINY, deviation, 1.0)


def _features(evidence: NDArray[np.floating], scale: Array) -> Array:
    """The members' logarithms side by side (N, M C), in units of their deviation."""
    return np.concatenate(list(_logs(evidence) / scale[:, None, None]), axis=1)


def _softmax(logits: Array) -> Array:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    soft: Array = shifted / shifted.sum(axis=1, keepdims=True)
    return soft


def _thinned(rows: int) -> NDArray[np.intp]:
    """Give all rows, or about MOST_ROWS of more, scattered over them: always the same ones."""
    number = np.arange(rows)
    if rows <= MOST_ROWS:
        return number
    scattered = (number.astype(np.uint64) * SCATTER) >> np.uint64(32)
    return number[scattered < np.uint64((MOST_ROWS << 32) // rows)]
