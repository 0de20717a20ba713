"""Whether rows have changed, asked again after every window for as long as one likes: a test by betting.

A gambler who starts with 1 bets against "nothing has changed". Before a batch of rows is seen, a direction is learned in which earlier windows
differ from one half of the reference (Fisher's discriminant), and limits along it, beyond which p of the rows lie. The other half, which had no
part in that, says how large p may be: an upper bound (Clopper and Pearson 1934). The bet is that more of the batch lies beyond; it pays the
likelihood ratio of a larger share and the bound. Where nothing has changed no strategy makes money on the average, so wealth ever reaches w with
a chance of 1 / w at most (Ville 1939), however often one looks. So wealth of 2 / alpha is an alarm: half of `alpha` is for luck of the windows,
half for all bounds together.

Shekhar and Ramdas (2023), and Podkopaev and Ramdas (2023, "Sequential predictive two-sample and independence testing") bet on pairs of fresh
rows. Here the reference is one sample that is looked at again and again: paired with windows, its own luck would be taken for drift in the end,
so it is bounded instead, and drift smaller than the reference can tell from its own luck never alarms. A part 1 / (t (t + 1)) of the wealth
enters the game with batch t and none is put back, so that years without drift cost little of what later drift can win.
Letters: m rows of the reference, n of a batch, d numbers of a row, F with squares, K limits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from scipy.stats import beta

from relabel.evaluation.drift.window import Rows

LIMITS = (0.5, 0.8, 0.9, 0.95, 0.99)
"""Shares of the reference's learning half below each limit."""

STEPS = np.array([0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
"""How far from the bound to 1 the shares lie that are bet on; the stake is divided evenly."""

REMEMBERED = 0.9
"""What an earlier batch counts for when a direction is learned, for each batch since."""

RIDGE = 0.1
SMALLEST = 1e-6
FAR = 30.0
"""Standard deviations at which a number is cut off."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What has been seen and won so far; all that must be kept between looks.

    batches: how many were seen.
    rows:    weight of the rows that `sums` (F,) are over.
    stakes:  (K,) logarithm of the wealth that is in the game, for each limit.
    """

    batches: int
    rows: float
    sums: NDArray[np.float64]
    stakes: NDArray[np.float64]

    @classmethod
    def none(cls) -> Evidence:
        """Give what is known before the first batch."""
        return cls(0, 0.0, np.empty(0), np.full(len(LIMITS), -np.inf))

    @property
    def log_wealth(self) -> float:
        """Natural logarithm of the wealth."""
        kept = -math.log(self.batches + 1)
        return float(np.logaddexp(kept, logsumexp(self.stakes) - math.log(len(LIMITS))))

    def alarms(self, alpha: float) -> bool:
        """Tell whether drift is proved, with a chance of being wrong, ever, of at most alpha."""
        return self.log_wealth >= math.log(2 / alpha)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The reference as a betting table: the same for all batches.

    learns, bounds: (m / 2, F) float64, the two halves of the reference.
    moments: mean and scale (d,) by which rows become standard, then those of their squares.
    whitens: (F, F), inverse covariance of `learns`.
    alpha:   of the alarm that is wanted.
    """

    learns: NDArray[np.float64]
    bounds: NDArray[np.float64]
    moments: tuple[NDArray[np.float64], ...]
    whitens: NDArray[np.float64]
    alpha: float

    def standard(self, rows: Rows) -> NDArray[np.float64]:
        """Give rows (n, F) as the table sees them."""
        return _standard(_numbers(rows), self.moments)


def table(reference: Rows, alpha: float, *, seed: int = 0) -> Table:
    """Lay out the reference, of 4 rows at least, for an alarm of the error `alpha`."""
    order = np.random.default_rng(seed).permutation(len(reference))
    numbers = _numbers(reference)
    first, second = numbers[order[::2]], numbers[order[1::2]]
    mean, scale = _moments(first)
    moments = (mean, scale, *_moments(np.square((first - mean) * scale)))
    learns = _standard(first, moments)
    covariance = learns.T @ learns / len(learns) + RIDGE * np.eye(learns.shape[1])
    return Table(learns, _standard(second, moments), moments, np.asarray(np.linalg.inv(covariance)), alpha)


def bet(evidence: Evidence, game: Table, batch: Rows) -> Evidence:
    """Bet on a batch (n rows) by what earlier ones showed, and learn from it. Each row counts once: copies of it say nothing new."""
    rows, t = game.standard(batch), evidence.batches + 1
    entering = math.log(1 / (t * (t + 1)))
    stakes = np.logaddexp(evidence.stakes, entering) + _won(evidence, game, rows)
    sums = rows.sum(axis=0) + (REMEMBERED * evidence.sums if evidence.sums.size else 0.0)
    return Evidence(t, len(rows) + REMEMBERED * evidence.rows, sums, stakes)


def _won(evidence: Evidence, game: Table, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithm of what the bets (K,) pay."""
    if not evidence.rows:
        return np.zeros(len(LIMITS))  # nothing is known to bet on
    direction = game.whitens @ (evidence.sums / evidence.rows - game.learns.mean(axis=0))
    limits = np.quantile(game.learns @ direction, LIMITS)
    beyond = (game.bounds @ direction)[:, None] > limits
    t = evidence.batches + 1
    error = game.alpha / 2 / (len(LIMITS) * t * (t + 1))  # of all bounds together alpha / 2
    bound = _upper(beyond.sum(axis=0), len(beyond), error)
    hits = ((rows @ direction)[:, None] > limits).sum(axis=0)
    return _paid(hits, len(rows), bound)


def _paid(hits: NDArray[np.int64], count: int, bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithm of the mean likelihood ratio (K,) of larger shares and the bound."""
    shares = bound + (1 - bound) * STEPS[:, None]  # (steps, K)
    ratio = hits * np.log(shares / bound) + (count - hits) * np.log((1 - shares) / (1 - bound))
    return np.asarray(logsumexp(ratio, axis=0) - math.log(len(STEPS)))


def _upper(hits: NDArray[np.int64], count: int, error: float) -> NDArray[np.float64]:
    """Give the upper bounds (K,) of shares, of which each is too small with the chance `error` at most."""
    found = beta.ppf(1 - error, hits + 1, np.maximum(count - hits, SMALLEST))
    return np.asarray(np.where(hits >= count, 1 - SMALLEST, found)).clip(SMALLEST, 1 - SMALLEST)


def _numbers(rows: Rows) -> NDArray[np.float64]:
    """Give what is compared of rows: how they are seen, and how sure the model is."""
    top = rows.confidence().astype(np.float64).clip(SMALLEST, 1 - SMALLEST)
    return np.concatenate([rows.seen.astype(np.float64), np.log(top / (1 - top))[:, None]], axis=1)


def _moments(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    varies = deviation > SMALLEST * (1 + np.abs(mean))
    return mean, np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)


def _standard(rows: NDArray[np.float64], moments: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Standardise rows and their squares: (n, F), squares cut off where one row would speak for all."""
    mean, scale, square_mean, square_scale = moments
    first = ((rows - mean) * scale).clip(-FAR, FAR)
    return np.concatenate([first, ((np.square(first) - square_mean) * square_scale).clip(-FAR, FAR)], axis=1)
