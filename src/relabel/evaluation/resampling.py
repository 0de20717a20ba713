"""Metrics under the bootstrap: what they would have been with other rows and other seeds.

Duplicate groups are drawn whole, for their rows do not speak independently. Everything a metric needs of a group is a
sum, so a resample is one row of a matrix product. Letters: R resamples, G blocks of duplicate groups, S seeds, n rows,
C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import metrics

BLOCKS = 2048
"""More groups than this are dealt at random into as many blocks, which are drawn whole.

The standard error of what is measured then has a relative error of 1 / sqrt(2 BLOCKS), 1.6%, less than that of 1,000
resamples, and large data cost no more than small.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """How often each part is drawn.

    block: (n,) int64, the block of each row.
    times: (1 + R, G) float64, how often a block is drawn; entry 0 is the sample itself, every block once.
    seeds: (R, S) float64, weight of each seed in the deviation of a mean over seeds; each resample's sum to 0.
    """

    block: NDArray[np.int64]
    times: NDArray[np.float64]
    seeds: NDArray[np.float64]


def draw(group: NDArray[np.int64], *, seeds: int, resamples: int, seed: int) -> Draws:
    """Draw G of the G blocks and, independently, S - 1 of the S seeds, with replacement.

    S - 1 and not S, since the variance of so few would come out too small by that factor (the rescaled bootstrap of Rao
    and Wu 1988); and as that variance is itself known from few, each deviation is divided by a draw of its relative
    error, as in Student's t. With one seed there is nothing to draw from.
    """
    rng = np.random.default_rng(seed)
    _, block = np.unique(group, return_inverse=True)
    count = int(block.max()) + 1
    if count > BLOCKS:
        block, count = (rng.permutation(count) % BLOCKS)[block], BLOCKS
    picks = max(seeds - 1, 1)
    return Draws(
        block=block.astype(np.int64),
        times=np.concatenate([np.ones((1, count)), _times(rng, count, count, resamples)]),
        seeds=(_times(rng, seeds, picks, resamples) / picks - 1.0 / seeds)
        / np.sqrt(rng.chisquare(picks, (resamples, 1)) / picks),
    )


def resampled(
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    draws: Draws,
    given_true: NDArray[np.float64] | None,
) -> dict[str, NDArray[np.float64]]:
    """Compute each metric of each seed on the rows drawn: name -> (1 + R, S), for probability (S, n, C).

    With given_true (C, C) = P(given j | true i) there are two more (Patrini et al. 2017): `accuracy_corrected`, whose
    mean over the noise is the accuracy on true labels (backward correction), and `log_loss_corrected`, the loss of
    predicting the given label through the noise (forward correction).
    """
    seeds = [_metrics(draws, labels, one, given_true) for one in probability]
    return {name: np.stack([one[name] for one in seeds], axis=1) for name in seeds[0]}


def spread(values: NDArray[np.float64], draws: Draws) -> NDArray[np.float64]:
    """Give R deviations of the mean over seeds from what it would be with other rows and other seeds, around 0.

    values: (1 + R, S), one figure of each seed on the rows drawn.

    The two kinds of luck are drawn apart and added. Drawing seeds as well as rows from one table would count what
    differs between seeds within a row three times (Owen 2007); here the rows' part holds it once, and the seeds' part is
    shrunk to what the seeds differ by beyond it.
    """
    sample, drawn = values[0], values[1:]
    mean = drawn.mean(axis=1)
    rows: NDArray[np.float64] = mean - np.median(mean)
    if sample.size == 1 or not np.ptp(sample):
        return rows
    within = (drawn - mean[:, None]).var(axis=0).sum() / (sample.size - 1)
    beyond = max(0.0, 1.0 - within / sample.var(ddof=1))
    rows += math.sqrt(beyond) * (draws.seeds @ sample)
    return rows


def _metrics(
    draws: Draws,
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    given_true: NDArray[np.float64] | None,
) -> dict[str, NDArray[np.float64]]:
    """Each metric (1 + R,) of one seed's probabilities (n, C)."""
    classes = probability.shape[1]
    predicted = probability.argmax(axis=1)
    place, gap = metrics.calibration_gaps(labels, probability)
    per_row = {"log_loss": metrics.log_losses(labels, probability)}
    if given_true is not None:
        per_row["accuracy_corrected"] = np.linalg.inv(given_true)[labels, predicted]
        per_row["log_loss_corrected"] = metrics.log_losses(labels, probability @ given_true)
    support, named, found, gaps, *sums = _drawn(
        draws,
        _sums(draws, labels, None, classes),
        _sums(draws, predicted, None, classes),
        _sums(draws, labels, predicted == labels, classes),
        _sums(draws, place, gap, metrics.BINS),
        *(_sums(draws, np.zeros_like(labels), values, 1) for values in per_row.values()),
    )
    rows = support.sum(axis=1)
    return {
        "accuracy": found.sum(axis=1) / rows,
        "macro_f1": np.nanmean(metrics.f1_of(found, support, named), axis=1),
        "ece": np.abs(gaps).sum(axis=1) / rows,
        **{name: total[:, 0] / rows for name, total in zip(per_row, sums, strict=True)},
    }


def _drawn(draws: Draws, *sums: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Sum (G, k) over the blocks of each draw: (1 + R, k) each, in one product."""
    ends = np.cumsum([part.shape[1] for part in sums])[:-1]
    return np.split(draws.times @ np.concatenate(sums, axis=1), ends, axis=1)


def _sums(
    draws: Draws, kind: NDArray[np.integer], values: NDArray[np.floating | np.bool_] | None, kinds: int
) -> NDArray[np.float64]:
    """Sum values (n,), or count rows, per block and kind: (G, kinds)."""
    blocks = draws.times.shape[1]
    flat = np.bincount(draws.block * kinds + kind, weights=values, minlength=blocks * kinds)
    return flat.reshape(blocks, kinds).astype(np.float64)


def _times(rng: np.random.Generator, parts: int, picks: int, resamples: int) -> NDArray[np.float64]:
    """How often each part is among the picks of each resample: (R, parts)."""
    picked = rng.integers(0, parts, (resamples, picks)) + parts * np.arange(resamples)[:, None]
    flat = np.bincount(picked.ravel(), minlength=resamples * parts)
    return flat.reshape(resamples, parts).astype(np.float64)
