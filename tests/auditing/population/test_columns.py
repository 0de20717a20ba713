"""Promises of columns of the data: what their strings are read as, and which parts they are cut into."""

from __future__ import annotations

import resource
from datetime import datetime, timedelta

import numpy as np
import pytest

from relabel.auditing.population import bins, columns


def strings(values) -> np.ndarray:
    """Make a column of the data."""
    return np.array(values, object)


def rows_of(column: columns.Column) -> dict[str, int]:
    """Give the rows of each part that is drawn."""
    return {part.name: int(part.chosen.sum()) for part in column.drawn}


@pytest.mark.parametrize("values", [["1", "2", "3"] * 40, ["1.5", "x"] * 60])
def test_names_that_look_like_numbers_stay_names(values) -> None:
    """Few of them are codes."""
    found = columns.cut(strings(values))
    assert found.numbers is None
    assert rows_of(found) == {name: values.count(name) for name in values}


@pytest.mark.parametrize("missing", ["", " ", "NA", "n/a", "null", "None", "NaN", "nan"])
def test_missing_values_leave_a_column_what_it_is(missing) -> None:
    """Numbers stay numbers, times stay times, and of names the missing are a part of their own."""
    numbers = [str(n % 100) if n % 7 else missing for n in range(700)]
    found = columns.cut(strings(numbers))
    assert found.numbers is not None
    assert np.isnan(found.numbers).sum() == 100
    assert sum(rows_of(found).values()) == 600
    assert columns.cut(strings(["2024-01-05", "2024-02-05", missing] * 40)).numbers is not None
    assert rows_of(columns.cut(strings(["ann", missing] * 40))) == {"ann": 40, bins.EMPTY: 40}


def test_dates_are_cut_in_the_order_of_time() -> None:
    """Named by their days, whichever zone they were written in."""
    start = datetime.fromisoformat("2024-01-01T12:00+00:00")
    days = [(start + timedelta(days=n)) for n in range(200)]
    for written in (
        [day.strftime("%Y-%m-%d") for day in days],
        [day.strftime("%Y-%m-%d %H:%M") for day in days],
        [day.strftime("%Y-%m-%dT%H:%M:%SZ") for day in days],
        [(day + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00") for day in days],
    ):
        found = columns.cut(strings(written[::-1]))
        assert [*rows_of(found).values()] == [40] * 5
        assert found.drawn[0].name == "2024-01-01 to 2024-02-09"
        assert found.drawn[-1].name == "2024-06-09 to 2024-07-18"


@pytest.mark.parametrize(
    ("step", "name"),
    [(60, "2024-01-01 00:00 to 2024-01-01 00:39"), (1, "2024-01-01 00:00:00 to 2024-01-01 00:00:39")],
)
def test_times_of_one_day_are_named_as_finely_as_they_need(step, name) -> None:
    """So that no two parts have the same end."""
    start = datetime.fromisoformat("2024-01-01T00:00:00")
    found = columns.cut(strings([(start + timedelta(seconds=step * n)).isoformat() for n in range(200)]))
    assert found.drawn[0].name == name


def test_times_that_no_calendar_holds_are_names() -> None:
    """The zone of a time may carry it out of the years there are."""
    assert columns.cut(strings(["0001-01-01T00:00+05:00", "2024-01-01"] * 40)).numbers is None


def test_a_column_without_parts_says_why() -> None:
    """In words for people; what stands in a row is not in them."""
    for values, why in (
        ([""] * 99, "no row has a value"),
        ([f"secret {n}" for n in range(99)], "no value stands in 30 rows"),
        (["x"] * 99, "all rows have the same value"),
        ([str(n) if n < 40 else "" for n in range(99)], "40 rows have a value, 60 are needed"),
        (["7"] * 900 + [f"{n}.5" for n in range(20)], "nearly all rows have the same value"),
    ):
        found = columns.cut(strings(values))
        assert (len(found.drawn), found.why) == (0, why)


def test_one_long_value_does_not_cost_memory_for_every_row() -> None:
    """Strings are held as they are, not each as wide as the longest; and a name is cut."""
    rows = 20_000
    values = strings(["ann", "bob"] * (rows // 2))
    values[:40] = "x" * 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = columns.cut(values)
    assert (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    )  # of kB; each as wide as the longest would take 8 GB
    assert max(len(part.name) for part in found.drawn) == bins.LONGEST
