"""What a change was worth on test rows whose labels people verified.

Which rows people look at depends on the model: the worst first, and some drawn by chance from the others. So the verified rows
alone flatter whatever the audit believes. Two strata mend that. Letters: S seeds, n test rows, C classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.evaluation import comparison, shares
from relabel.evaluation.comparison import Comparison, Interval

LEAST = 20
"""Rows drawn by chance below which nothing is said."""

ADDITIVE = ("accuracy", "log_loss")
"""Metrics that are means over rows, so that strata add up."""


@dataclass(frozen=True, slots=True, eq=False)
class Verified:
    """Before and after on verified labels.

    drawn: on the rows drawn by chance; without bias for all test rows that were not asked about for another reason.
    asked: on those other rows, None without any.
    share: of the test rows, those that `drawn` stands for.
    gain:  accuracy and log_loss -> the gain on all test rows: the mean of both strata, by their share of the rows.
    """

    drawn: Comparison
    asked: Comparison | None
    share: float
    gain: dict[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "rows": self.drawn.rows + (self.asked.rows if self.asked else 0),
            "share_drawn_for": self.share,
            "gain": {name: {"low": i.low, "value": i.value, "high": i.high} for name, i in self.gain.items()},
            "drawn": self.drawn.as_dict(),
            "asked": self.asked.as_dict() if self.asked else None,
        }


def verify(
    labels: NDArray[np.int64],
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    group: NDArray[np.int64],
    *,
    decided: NDArray[np.bool_],
    drawn: NDArray[np.bool_],
    seed: int,
) -> Verified | None:
    """Compare probabilities before and after (S, n, C) on the verified ones of the labels (n,); None below LEAST drawn rows.

    group:   (n,) duplicate groups.
    decided: (n,) labels that people verified.
    drawn:   (n,) of these, rows that were drawn uniformly from all that were not among the worst.

    Each drawn row stands for as many rows as there are for each, every other verified one for itself: weights by inverse
    probability of being asked, in the form of two strata, whose intervals are joined as those of independent means. It is
    without bias once the worst-first part of what was asked is answered; in a queue that is done in part, the unanswered
    ones count among the rows that the drawn ones stand for.
    """
    chance, rest = np.flatnonzero(decided & drawn), np.flatnonzero(decided & ~drawn)
    if chance.size < LEAST:
        return None
    parts = [
        comparison.compare(labels[rows], before[:, rows], after[:, rows], group[rows], seed=seed) if rows.size else None
        for rows in (chance, rest)
    ]
    share = 1.0 - rest.size / labels.size
    first, other = parts
    assert first is not None  # noqa: S101  # it has rows
    return Verified(first, other, share, {name: _joined(name, first, other, share) for name in ADDITIVE})


def _joined(name: str, drawn: Comparison, asked: Comparison | None, share: float) -> Interval:
    """The gain of both strata together."""
    one = shares.widened(drawn) if name == "accuracy" else drawn.gain[name]
    two = asked.gain[name] if asked else Interval(0.0, 0.0, 0.0)
    value = share * one.value + (1 - share) * two.value
    below = math.hypot(share * (one.value - one.low), (1 - share) * (two.value - two.low))
    above = math.hypot(share * (one.high - one.value), (1 - share) * (two.high - two.value))
    return Interval(value - below, value, value + above)
