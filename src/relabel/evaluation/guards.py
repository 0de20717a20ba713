"""What a model that is more often right must not lose: log loss, and being right on every class.

Letters: n rows, C classes, R resamples, G blocks of duplicate groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import comparison, metrics, resampling
from relabel.evaluation.comparison import RESAMPLES, Interval
from relabel.evaluation.resampling import Draws

MOST = 100
"""Classes above which confusions of a thousand resamples would take too much memory: noise then stays in the figures of classes."""


def gains(
    labels: NDArray[np.int64],
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    group: NDArray[np.int64],
    *,
    seed: int,
    noise: NDArray[np.float64] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Give the gains in log_loss, macro_f1 and worst_recall, by probabilities (n, C) of one model each, of labels (n,) in duplicate groups (n,).

    worst_recall: the recall of the class of which most is missed, among classes that were drawn.
    noise: (C, C) P(given j | true i), undone where it is given: in the log loss forward, in the confusion backward (Patrini et al. 2017).
    """
    draws = resampling.draw(group, seeds=1, resamples=resamples, seed=seed)
    old, new = (_figures(labels, side, draws, noise) for side in (before, after))
    return {name: comparison.interval((new[name] - old[name])[:, None], draws) for name in old}


def _figures(
    labels: NDArray[np.int64], probability: NDArray[np.floating], draws: Draws, noise: NDArray[np.float64] | None
) -> dict[str, NDArray[np.float64]]:
    """Each figure (1 + R,) of one model, higher is better."""
    classes = probability.shape[1]
    read = probability if noise is None else probability @ noise
    losses = draws.times @ np.bincount(draws.block, metrics.log_losses(labels, read), draws.times.shape[1])
    rows = draws.times @ np.bincount(draws.block, minlength=draws.times.shape[1])
    predicted = probability.argmax(axis=1)
    if classes <= MOST:
        confusion = _confusions(labels, predicted, draws, classes)
        if noise is not None:
            confusion = (np.linalg.inv(noise).T @ confusion).clip(min=0)
        found, support, named = np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(axis=2), confusion.sum(axis=1)
    else:
        found = _counted(labels[predicted == labels], draws.block[predicted == labels], draws, classes)
        support, named = (_counted(each, draws.block, draws, classes) for each in (labels, predicted))
    recall = np.divide(found, support, out=np.ones_like(support), where=support > 0)
    return {
        "log_loss": -losses / rows,
        "macro_f1": np.nanmean(metrics.f1_of(found, support, named), axis=1),
        "worst_recall": recall.min(axis=1).clip(max=1.0),
    }


def _confusions(
    labels: NDArray[np.int64], predicted: NDArray[np.intp], draws: Draws, classes: int
) -> NDArray[np.float64]:
    """Count rows with label i that were predicted j on the rows drawn: (1 + R, C, C)."""
    return _counted(labels * classes + predicted, draws.block, draws, classes**2).reshape(-1, classes, classes)


def _counted(kind: NDArray[np.integer], block: NDArray[np.int64], draws: Draws, kinds: int) -> NDArray[np.float64]:
    """Count rows of each kind on the rows drawn: (1 + R, kinds)."""
    blocks = draws.times.shape[1]
    counts = np.bincount(block * kinds + kind, minlength=blocks * kinds).reshape(blocks, kinds)
    return draws.times @ counts.astype(np.float64)
