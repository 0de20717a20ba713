"""Numbers with which the loss grows or falls.

Letters: n rows that count, L numbers looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from relabel.auditing.data_issues import intervals
from relabel.auditing.population import bins, columns
from relabel.auditing.population.bins import Part
from relabel.auditing.population.judged import Judged
from relabel.data.examples import Examples
from relabel.text import measures

CLEAR = 0.05
"""The loss goes with a number where their rank correlation is surely farther from 0 than this."""

POLARITY = "polarity"


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """A number with which the loss surely goes.

    correlation: of ranks.
    interval:    its interval, which holds together with those of all numbers looked at.
    sentence:    for people.
    """

    measure: str
    title: str
    correlation: float
    interval: tuple[float, float]
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    """What may go with the loss: its values (n,), NaN where there is none, cut into parts."""

    measure: str
    title: str
    values: NDArray[np.floating]
    parts: Sequence[Part]


def find(examples: Examples, judged: Judged, measured: Mapping[str, NDArray[np.float32]]) -> tuple[Trend, ...]:
    """Find the numbers with which the loss surely goes, among the measures of texts and the columns of the data, the surest first.

    measured: name -> (N,), NaN where a row was not measured.
    """
    looked = [each for each in _numbers(examples, judged, measured) if each.parts]
    found = [_trend(each, judged.loss, len(looked)) for each in looked]
    clear = [each for each in found if _sure(each) > CLEAR]
    return tuple(sorted(clear, key=lambda each: -_sure(each)))


def _sure(trend: Trend) -> float:
    """Give how far from 0 the correlation is at least."""
    low, high = trend.interval
    return max(low, -high)


def _numbers(examples: Examples, judged: Judged, measured: Mapping[str, NDArray[np.float32]]) -> Iterator[_Number]:
    """Give what is a number or a time. Of polarity it is the distance from neutral that matters."""
    for name, values in measured.items():
        own, title = values[judged.rows], measures.TITLES[name]
        if name == POLARITY:
            own, title = np.abs(own), "Distance of the polarity from neutral"
        yield _Number(name, title, own, bins.of_numbers(own))
    for name, strings in examples.metadata.items():
        column = columns.cut(strings[judged.rows])
        if column.numbers is not None:
            yield _Number(f"{bins.METADATA}{name}", name, column.numbers, column.drawn)


def _trend(number: _Number, loss: NDArray[np.float64], looks: int) -> Trend:
    """Correlate ranks; the interval is that of Bonett and Wright (2000)."""
    values, title = number.values, number.title
    known = np.isfinite(values)
    value = float(np.nan_to_num(spearmanr(values[known], loss[known]).statistic))  # NaN where all losses are the same
    half = intervals.z(looks) * math.sqrt((1 + value**2 / 2) / (int(known.sum()) - 3))
    middle = math.atanh(min(max(value, -1 + 1e-12), 1 - 1e-12))
    low, high = math.tanh(middle - half), math.tanh(middle + half)
    first, *_, last = number.parts
    sentence = (
        f"{title}: the loss {'grows' if value > 0 else 'falls'} with it, rank correlation {value:+.2f} ({low:+.2f} to {high:+.2f}); "
        f"it is {loss[first.chosen].mean():.2f} at {first.name}, {loss[last.chosen].mean():.2f} at {last.name}"
    )
    return Trend(number.measure, title, value, (low, high), sentence)
