"""How accuracy grows with the number of training rows: a power law, and what it says of more rows than there are.

Letters: K sizes, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from relabel.errors import AlgorithmError

SPEEDS = np.linspace(0.1, 1.5, 57)
"""Exponents that are tried. Slower than the first is hardly growth towards a limit, faster than the last is a step."""

LEAST = 3
"""Sizes; a curve of three parameters needs as many."""

FURTHEST = 20.0
"""How many times the rows there are an answer may be: nothing is known beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class PowerLaw:
    """Curves accuracy(n) = limit - lack * (n / unit) ** -speed, one for each resample; entry 0 is of the sample itself.

    limit, lack, speed: (1 + R,) float64; lack is 0 or more, limit 1 or less.
    unit:               rows, the largest size of the fit.
    """

    limit: NDArray[np.float64]
    lack: NDArray[np.float64]
    speed: NDArray[np.float64]
    unit: float

    def at(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Give the accuracy with this many rows, one number or (1 + R,): (1 + R,)."""
        accuracy: NDArray[np.float64] = self.limit - self.lack * (np.asarray(rows) / self.unit) ** -self.speed
        return accuracy

    def more(self, rows: float, gain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Say how many more than `rows` rows raise the accuracy by the gain (1 + R,): (1 + R,).

        0 for no gain or less; infinite where the limit lies below, or that is more than FURTHEST times the rows.
        """
        missing = self.limit - self.at(rows) - gain
        with np.errstate(divide="ignore", invalid="ignore"):
            needed = self.unit * (self.lack / missing) ** (1 / self.speed)
        more = np.where((missing > 0) & (needed <= FURTHEST * rows), needed - rows, np.inf)
        return np.where(gain > 0, more, 0.0)


def fit(sizes: ArrayLike, accuracy: NDArray[np.float64]) -> PowerLaw:
    """Fit a curve to each line of accuracy (1 + R, K) at sizes (K,), in rows.

    Weighted least squares: a size weighs as its rows, since few rows follow no power law yet. For a given exponent the other
    two parameters are a straight line's, so all exponents of SPEEDS are tried: nothing can fail to converge, and a thousand
    resamples cost a few products.

    Raises AlgorithmError where sizes do not fit or are fewer than LEAST.
    """
    rows = np.asarray(sizes, dtype=np.float64)
    if rows.ndim != 1 or rows.size < LEAST or accuracy.ndim != 2 or accuracy.shape[1] != rows.size:  # noqa: PLR2004 (two axes)
        raise AlgorithmError(f"accuracy {accuracy.shape} does not fit {rows.shape} sizes, or these are below {LEAST}")
    weight = rows / rows.sum()
    tried = [_line((rows / rows.max()) ** -speed, accuracy, weight) for speed in SPEEDS]
    best = np.argmin([error for _, _, error in tried], axis=0)
    limit, lack = (np.stack([line[part] for line in tried])[best, np.arange(len(accuracy))] for part in (0, 1))
    return PowerLaw(limit, lack, SPEEDS[best], float(rows.max()))


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Fit y (n, K) = limit - lack x (K,), with lack from 0 and limit to 1: limit, lack and squared error, (n,) each."""
    middle, height = float(weight @ x), y @ weight
    around = weight * (x - middle)
    lack = np.maximum(-(y @ around) / float(around @ x), 0.0)
    limit = height + lack * middle
    above = limit > 1
    lack = np.where(above, ((1 - y) @ (weight * x)) / float(weight @ x**2), lack).clip(min=0)
    limit = np.where(above, 1.0, limit)
    error = ((y - limit[:, None] + lack[:, None] * x) ** 2) @ weight
    return limit, lack, error
