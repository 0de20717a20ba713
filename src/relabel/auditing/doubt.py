"""How surely is a label wrong, by one model that is there already, for rows that come one by one?

The audit of a job asks models that never saw the row; here it is one model, and who asks must know whether it saw the row.
Letters: n rows, C classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relabel.auditing import posterior


class Doubt(NamedTuple):
    """What a model says of labels.

    posterior: (n,) float64, probability that the label is wrong.
    suggested: (n,) int64, the likeliest true class.
    """

    posterior: NDArray[np.float64]
    suggested: NDArray[np.int64]


def of(
    labels: NDArray[np.int64],
    probability: NDArray[np.floating],
    given_true: NDArray[np.float64],
    *,
    temperature: float,
    treated: bool,
) -> Doubt:
    """Judge labels (n,), 0 to C-1, by a model's probabilities (n, C), finite, and noise rates given_true (C, C).

    temperature: by how much the model is surer than labels that it never saw bear out (see `learn_temperature`).
    treated:     whether the model learned treated labels, and so tells P(true | x). Else it tells P(given | x), and the noise is undone.
    """
    soft = posterior.softened(probability.astype(np.float64), temperature)
    eta = soft if treated else posterior.true_given_input(soft, given_true)
    clean = posterior.true_given_both(eta, labels, given_true)
    wrong = 1.0 - np.take_along_axis(clean, labels[:, None], axis=1)[:, 0]
    return Doubt(wrong.clip(min=0.0), clean.argmax(axis=1))


def learn_temperature(
    labels: NDArray[np.int64], probability: NDArray[np.floating], given_true: NDArray[np.float64], *, treated: bool
) -> float:
    """Find the temperature of a model on rows that it never saw: labels (n,), -1 for none, as given; probabilities (n, C)."""
    through = given_true if treated else np.eye(len(given_true))
    known = labels >= 0
    return posterior.temperature(labels[known], probability[known].astype(np.float64), through)
