"""How noisy given labels are, and in which way.

Letters: N rows, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""Standard deviations of a two-sided 95% interval."""

Kind = Literal["class_conditional", "ambiguous", "none", "unclear"]

FEW = 0.02
"""Share of wrong labels that cannot be told from none: the outermost rows of a model without noise look like so much of it."""

DOUBTED = 0.05
"""Share of labels that the model would give otherwise, from which on rows are ambiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class NoiseRates:
    """Rates of given labels.

    given_true: (C, C) float64, P(given j | true i); rows sum to 1 and every diagonal entry is above 1/2.
    low, high:  (C, C) float64, 95% interval of each entry.
    """

    given_true: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kind of noise, and what speaks for it.

    kind:  class_conditional: labels are wrong at rates that depend on the true class; these rows can be found and treated.
           ambiguous: what disagrees are rows that resemble several classes; whether their labels are wrong, nobody can tell from them.
           none: hardly a label disagrees. unclear: the interval of the share holds FEW.
    wrong, low, high: share of wrong labels among those of the training rows as they were given, before people verified any, under
           class-conditional noise, with its 95% interval.
    doubted: share of labels that would come out otherwise if the rows were labelled again like this: the mean of 1 - P(given | x).
    """

    kind: Kind
    wrong: float
    low: float
    high: float
    doubted: float

    @property
    def hidden(self) -> bool:
        """Whether wrong labels, if there are any, sit among ambiguous rows, where the posterior sees none."""
        return self.wrong < FEW and self.doubted >= DOUBTED

    def sentence(self) -> str:
        """Say it to people."""
        share = f"{self.wrong:.1%} of the training labels as given ({self.low:.1%} to {self.high:.1%})"
        said = {
            "class_conditional": f"{share} are wrong at rates that depend on the class",
            "ambiguous": f"labels disagree ({self.doubted:.1%}) where rows resemble several classes, and hardly any elsewhere ({share} "
            "at most): no sign of wrong labels that a model could find",
            "none": f"no sign of wrong labels: {share} at most",
            "unclear": f"{share} may be wrong: too few rows, or too poor a model, to tell from none",
        }
        return said[self.kind]


def verdict(wrong: float, low: float, high: float, doubted: float) -> Verdict:
    """Judge from the share of wrong labels, its interval, and the share of doubted labels; `Verdict` tells what they mean."""
    kind: Kind = "class_conditional" if low >= FEW else "unclear"
    if high < FEW:
        kind = "ambiguous" if doubted >= DOUBTED else "none"
    return Verdict(kind, wrong, low, high, doubted)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What the rows' true labels are likely to be before one looks at the given ones, and how those come about.

    eta:        (N, C) float64, P(true | x).
    rates:      of the noise, with intervals.
    right:      (C, C) float64, covariance of the rates of right labels, the diagonal of the rates, among each other.
    """

    eta: NDArray[np.float64]
    rates: NoiseRates
    right: NDArray[np.float64]
