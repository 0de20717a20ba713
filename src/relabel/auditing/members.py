"""What linear and network members of the audit say together: the true label's probabilities, and the noise of the given ones.

The linear members alone find the noise: their scores are linear in the inputs and do not level off where a network, which has learned the
noise as well, does. With the noise known, the networks' probabilities are taken back through it, and all members are weighed by what they
explain. Only where they explain the labels far better with another noise, the linear members were too simple, and that one is taken.

Letters: N rows, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from relabel.auditing import channel, posterior, probabilities
from relabel.auditing.channel import Channel
from relabel.auditing.noise import Estimate, NoiseRates, Z

FLOOR = 0.01
"""Least probability of a true label that is read out of a network's probability of given ones."""

REFUTED = 0.99
"""Level of the likelihood-ratio test at which the linear members' noise is given up."""

TAILS = 0.004
"""By how much further down an interval reaches: the outermost rows of a model look like errors more often than they are."""

FEWEST = 2.0
"""Wrong rows, as estimated, up to which there may be none: about as many come from what `channel` takes to have been before."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Out-of-fold probabilities (N, C) of linear models and of networks; of all rows, those of dev and test too.

    Raises UserError where they are no probabilities.
    """

    linear: Array
    network: Array

    def __post_init__(self) -> None:
        for name in ("linear", "network"):
            given = getattr(self, name)
            object.__setattr__(self, name, probabilities.checked(given, *given.shape))


def learned(
    members: Members,
    labels: NDArray[np.int64],
    learning: NDArray[np.bool_],
    group: NDArray[np.int64],
    truth: NDArray[np.int64] | None = None,
) -> Estimate:
    """Learn from given labels (N,) of the rows (N,) in `learning`, which lie in duplicate groups (N,), and of which true labels may be known.

    truth: (N,), -1 where it is not known; the labels are those from before people verified any.

    The interval is that of the linear members' likelihood, stretched to hold the other estimate where that is taken.
    """
    among = np.flatnonzero(learning)
    alone = channel.fit(labels, [members.linear], group, truth=truth, among=among)
    both = [members.linear, members.network]
    all_of_them = [*both, posterior.true_given_input(members.network, alone.given_true, FLOOR)]
    known = channel.fit(labels, all_of_them, given_true=alone.given_true, truth=truth, among=among)
    free = channel.fit(labels, both, group, truth=truth, among=among)
    classes = members.linear.shape[1]
    limit = chi2.ppf(REFUTED, classes * (classes - 1)) / 2
    if (free.likelihood - known.likelihood) * among.size > limit:
        return Estimate(free.true_given_input(both), _rates(free, labels[among], alone.given_true), free.right)
    return Estimate(known.true_given_input(all_of_them), _rates(alone, labels[among], alone.given_true), alone.right)


def relearned(
    members: Members,
    labels: NDArray[np.int64],
    learning: NDArray[np.bool_],
    before: Estimate,
    *,
    cleaned: bool,
    truth: NDArray[np.int64] | None = None,
) -> Estimate:
    """Weigh other members, with the noise as it was found before.

    cleaned: they were trained without the worst rows, so that there is no noise to take their probabilities back through.
    """
    evidence = [members.linear, members.network]
    if not cleaned:
        evidence.append(posterior.true_given_input(members.network, before.rates.given_true, FLOOR))
    among = np.flatnonzero(learning)
    fitted = channel.fit(labels, evidence, given_true=before.rates.given_true, truth=truth, among=among)
    return Estimate(fitted.true_given_input(evidence), before.rates, before.right)


def _rates(fitted: Channel, labels: NDArray[np.int64], other: Array) -> NoiseRates:
    """The rates with their 95% interval, which holds the other estimate."""
    classes = len(other)
    reach = Z * fitted.deviation
    low = np.minimum(fitted.given_true - reach, other) - TAILS
    counts = np.bincount(labels, minlength=classes)[:, None]
    low[fitted.given_true * counts <= FEWEST] = 0.0
    high = np.maximum(fitted.given_true + reach, other)
    return NoiseRates(fitted.given_true, low.clip(min=0.0), high.clip(max=1.0))
