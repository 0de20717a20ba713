"""Which of several treatments is better than none, on rows whose labels are noisy themselves, and is that sure?

Letters: n rows, C classes, T treatments.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from relabel.errors import AlgorithmError
from relabel.evaluation import metrics
from relabel.evaluation.comparison import LEVEL, Interval

Outcome = Literal["treated", "no_evidence", "would_hurt"]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one treatment gained on rows that it never touched; above 0 is better.

    log_loss:  of predicting given labels through their noise (forward correction, Patrini et al. 2017). It decides: its sign is right
               where plain accuracy on noisy labels has the wrong one.
    accuracy:  on true labels, as far as the noise lets one tell (backward correction).
    plain:     accuracy on the labels as given.

    The intervals hold for all treatments together with LEVEL (Bonferroni), over duplicate groups.
    """

    log_loss: Interval
    accuracy: Interval
    plain: Interval


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and why.

    outcome:  treated; or kept for lack of evidence, or because every treatment would hurt.
    best:     the treatment with the largest gain of log loss among those that do not hurt accuracy; "" where none was tried.
    why:      a sentence.
    rows, groups: tried on.
    smallest_accuracy, smallest_log_loss: gains of `best` smaller than this could not have been told from none; None where none was tried.
    """

    outcome: Outcome
    best: str
    why: str
    trials: Mapping[str, Trial] = dataclasses.field(default_factory=dict)
    rows: int = 0
    groups: int = 0
    smallest_accuracy: float | None = None
    smallest_log_loss: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return dataclasses.asdict(self)


def choose(
    labels: NDArray[np.int64],
    before: NDArray[np.floating],
    after: Mapping[str, NDArray[np.floating]],
    group: NDArray[np.int64],
    *,
    noise: NDArray[np.float64],
    verified: NDArray[np.bool_],
) -> Choice:
    """Choose by probabilities (n, C) of models without and with each treatment, on rows (n,) that neither of them saw.

    labels:   (n,) as given; those of rows that are `verified` (n,) by people are true, and scored without correction.
    group:    (n,) duplicate groups: rows of one group do not speak independently.
    noise:    (C, C) P(given j | true i) of the others.

    Raises AlgorithmError where shapes do not fit or nothing is tried.
    """
    if not after:
        raise AlgorithmError("no treatment to choose from")
    for probability in (before, *after.values()):
        metrics.check(labels, probability)
    reach = NormalDist().inv_cdf(1 - (1 - LEVEL) / 2 / len(after))
    old = _measures(labels, before, noise, verified)
    names, place = np.unique(group, return_inverse=True)
    trials = {}
    for name, probability in after.items():
        new = _measures(labels, probability, noise, verified)
        trials[name] = Trial(**{key: _interval(new[key] - old[key], place, reach) for key in old})
    return _chosen(trials, labels.size, names.size)


def _chosen(trials: Mapping[str, Trial], rows: int, groups: int) -> Choice:
    harmless = {name: trial for name, trial in trials.items() if trial.accuracy.high >= 0}
    best = max(harmless or trials, key=lambda name: trials[name].log_loss.value)
    trial = trials[best]
    said = (
        f"{best}: log loss {trial.log_loss.value:+.4f} ({trial.log_loss.low:+.4f} to {trial.log_loss.high:+.4f}), accuracy "
        f"{100 * trial.accuracy.value:+.2f} points ({100 * trial.accuracy.low:+.2f} to {100 * trial.accuracy.high:+.2f}), "
        f"corrected for noise, on {rows:,} rows that no treatment touched"
    )
    outcome: Outcome = "no_evidence"
    why = f"kept for lack of evidence: the best is {said}"
    if harmless and trial.log_loss.low > 0:
        outcome, why = "treated", f"treated by {said}"
    elif all(min(each.log_loss.high, each.accuracy.high) < 0 for each in trials.values()):
        outcome, why = "would_hurt", f"kept because every treatment would hurt: the best is {said}"
    return Choice(
        outcome,
        best,
        why,
        trials,
        rows,
        groups,
        smallest_accuracy=(trial.accuracy.high - trial.accuracy.low) / 2,
        smallest_log_loss=(trial.log_loss.high - trial.log_loss.low) / 2,
    )


def _measures(
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    noise: NDArray[np.float64],
    verified: NDArray[np.bool_],
) -> dict[str, NDArray[np.float64]]:
    """Each row's (n,) part in the figures of a `Trial`, higher is better."""
    predicted = probability.argmax(axis=1)
    right = (predicted == labels).astype(np.float64)
    through = np.where(verified[:, None], probability, probability @ noise)
    return {
        "log_loss": -metrics.log_losses(labels, through),
        "accuracy": np.where(verified, right, np.linalg.inv(noise)[labels, predicted]),
        "plain": right,
    }


def _interval(gain: NDArray[np.float64], place: NDArray[np.intp], reach: float) -> Interval:
    """The mean gain of rows (n,) and its interval of `reach` standard errors, with groups drawn whole; place: (n,) group, from 0."""
    mean = gain.mean()
    deviation = np.bincount(place, weights=gain - mean)
    error = float(np.sqrt((deviation**2).sum()) / gain.size)
    return Interval(float(mean - reach * error), float(mean), float(mean + reach * error))
