"""A column of the data read from its strings, as times, numbers or names, and cut into parts.

Letters: n rows that count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from relabel.auditing.population import bins
from relabel.auditing.population.bins import FEWEST, Part

COMMONEST = 10
"""Names that a figure shows; all of them are looked at."""

MANY = 12
"""A column whose values are numbers, more of them than this, is a number; one with fewer holds names that look like numbers."""

MISSING = frozenset({"", "na", "n/a", "nan", "none", "null"})
"""What stands for no value, in any case of its letters."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column cut into parts.

    numbers: (n,) float64, NaN where there is none, times as seconds since 1970; None for names.
    drawn:   parts that a figure shows; none where the column tells nothing.
    further: other parts that are looked at, made one by one: read them once.
    why:     for people, why none is drawn; "" where some are.
    """

    numbers: NDArray[np.float64] | None
    drawn: Sequence[Part]
    further: Iterable[Part] = ()
    why: str = ""


def cut(values: NDArray[np.object_]) -> Column:
    """Cut a column of strings (n,).

    Whole numbers may be ids as well as quantities: they are cut into ranges, and each number that stands in many rows is looked at by itself.
    """
    known = np.array([value.strip().casefold() not in MISSING for value in values.tolist()], bool)
    if not known.any():
        return Column(None, (), why="no row has a value")
    if (times := _read(values, known, _seconds)) is not None:
        return _ranges(times, bins.of_times(times))
    if (numbers := _read(values, known, float)) is not None and np.unique(numbers[np.isfinite(numbers)]).size > MANY:
        return _ranges(numbers, bins.of_numbers(numbers), bins.of_whole(numbers))
    return _names(np.where(known, values, ""))


def _ranges(numbers: NDArray[np.float64], drawn: Sequence[Part], further: Iterable[Part] = ()) -> Column:
    count = int(np.isfinite(numbers).sum())
    few = f"{count:,} rows have a value, {2 * FEWEST} are needed"
    why = few if count < 2 * FEWEST else "nearly all rows have the same value"
    return Column(numbers, drawn, further, "" if drawn else why)


def _names(names: NDArray[np.object_]) -> Column:
    parts = bins.of_categories(names)
    drawn = list(islice(parts, COMMONEST))
    if not drawn:
        return Column(None, (), why=f"no value stands in {FEWEST} rows")
    if drawn[0].chosen.all():
        return Column(None, (), why="all rows have the same value")
    return Column(None, drawn, parts)


def _read(
    values: NDArray[np.object_], known: NDArray[np.bool_], reads: Callable[[str], float]
) -> NDArray[np.float64] | None:
    """Read the known strings as numbers, the others as NaN; None where one is no number."""
    numbers = np.full(values.size, np.nan)
    try:
        numbers[known] = [reads(value.strip()) for value in values[known].tolist()]
    except (ValueError, OverflowError):
        return None
    return numbers


def _seconds(value: str) -> float:
    """Read a date or a time of ISO 8601; one that names no zone is in UTC."""
    moment = datetime.fromisoformat(value)
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).timestamp()
