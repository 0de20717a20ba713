"""A share of few rows, and what it may be of many."""

from __future__ import annotations

import math

from relabel.evaluation.comparison import Comparison, Interval

Z = 1.959963984540054
"""Standard deviations of a two-sided 95% interval."""


def wilson(hits: float, count: int) -> Interval | None:
    """Give a share with Wilson's 95% interval (1927); None of nothing.

    hits: how many of them; no whole number where rows count in part.
    """
    if not count:
        return None
    share, spread = hits / count, Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    reach = Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Interval(
        max(0.0, min(share, middle - reach)), share, min(1.0, max(share, middle + reach))
    )  # rounding may cross


def difference(hits: tuple[float, float], count: int) -> Interval:
    """Give the first share less the second with Newcombe's 95% interval (1998), both of the same `count`, which is 1 or more."""
    first, second = (wilson(each, count) for each in hits)
    assert first is not None and second is not None  # noqa: S101, PT018  # of something
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    value = first.value - second.value
    return Interval(value - below, value, value + above)


def widened(found: Comparison) -> Interval:
    """Widen the accuracy's gain to what so few rows can exclude.

    A bootstrap of rows of which none changed knows of no other: its interval is a point, although it may stand for nearly all rows.
    Newcombe's interval (1998) for the difference of two shares, of mended and worsened rows, has Wilson's bounds for each instead.
    """
    gain, rows = found.gain["accuracy"], found.groups
    changed = (found.mcnemar.mended * rows / found.rows, found.mcnemar.worsened * rows / found.rows)
    wide = difference(changed, rows)
    low, high = gain.value - (wide.value - wide.low), gain.value + (wide.high - wide.value)
    return Interval(min(gain.low, low), gain.value, max(gain.high, high))
