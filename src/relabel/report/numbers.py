"""Numbers as people read them. Whatever is not known is a dash."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
FINE = 0.005
"""Shares below this, all of an interval, get two digits behind the point of their percents."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and its 95% interval."""

    low: float
    value: float
    high: float

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Self:
        """Take one from JSON: low, value, high."""
        return cls(figures["low"], figures["value"], figures["high"])

    @property
    def width(self) -> float:
        """How far its ends are apart."""
        return self.high - self.low

    @property
    def above(self) -> bool:
        """Whether it is surely above 0."""
        return self.low > 0

    @property
    def below(self) -> bool:
        """Whether it is surely below 0."""
        return self.high < 0


def count(value: float | None) -> str:
    """Say a number of things, to the nearest whole.

    >>> count(5649.9)
    '5,650'
    """
    return DASH if value is None or not math.isfinite(value) else f"{round(value):,}".replace("-", MINUS)


def percent(value: float | None, digits: int = 1) -> str:
    """Say a share.

    >>> percent(0.1237)
    '12.4%'
    """
    return DASH if value is None or not math.isfinite(value) else _plain(100 * value, digits) + "%"


def points(gain: Interval, noun: str = " points") -> str:
    """Say a gain in shares as points of a percentage, with its interval.

    >>> points(Interval(0.002, 0.01, 0.018))
    '+1.0 points (+0.2 to +1.8)'
    """
    low, value, high = (100 * figure for figure in (gain.low, gain.value, gain.high))
    digits = 2 if max(abs(low), abs(high)) < 100 * FINE else 1
    return f"{signed(value, digits)}{noun} ({signed(low, digits)} to {signed(high, digits)})"


def gained(gain: Interval, digits: int = 3) -> str:
    """Say a gain that is no share, with its interval.

    >>> gained(Interval(0.11, 0.122, 0.128))
    '+0.122 (+0.110 to +0.128)'
    """
    return f"{signed(gain.value, digits)} ({signed(gain.low, digits)} to {signed(gain.high, digits)})"


def within(interval: Sequence[float]) -> str:
    """Say an interval of shares.

    >>> within([0.118, 0.126])
    '11.8% to 12.6%'
    """
    return f"{percent(interval[0])} to {percent(interval[1])}"


def between(interval: Sequence[float]) -> str:
    """Say an interval of numbers of things.

    >>> between([5448.1, 5851.7])
    '5,448 to 5,852'
    """
    return f"{count(interval[0])} to {count(interval[1])}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Say a number.

    >>> decimal(0.30719), decimal(1234.56, 1)
    ('0.307', '1,234.6')
    """
    return DASH if value is None or not math.isfinite(value) else _plain(value, digits)


def signed(value: float, digits: int) -> str:
    """Say a number with its sign; what rounds to 0 has none."""
    said = _plain(value, digits)
    return said if said.startswith(MINUS) or float(said.replace(",", "")) == 0 else f"+{said}"


def _plain(value: float, digits: int) -> str:
    said = f"{value:,.{digits}f}"
    if said.startswith("-"):
        said = said[1:] if float(said.replace(",", "")) == 0 else MINUS + said[1:]
    return said
