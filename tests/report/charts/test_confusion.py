"""Promises of the figure of confusion."""

from __future__ import annotations

import numpy as np

from relabel.report.charts import confusion


def says(counts: list[list[int]], classes: tuple[str, ...]) -> str:
    """Give what the figure says in words."""
    return confusion.drawn("confusion", "Confusion", np.array(counts, np.float64), classes).says


def test_the_largest_mistake_is_the_one_with_the_largest_share() -> None:
    """Of a small class more may be lost than of a large one that has more rows mistaken; both numbers are told."""
    assert "30.0% of rare (30 of 100 rows) are taken for usual" in says([[900, 100], [30, 70]], ("usual", "rare"))


def test_a_handful_of_rows_is_no_largest_mistake() -> None:
    """A class with a few rows, all mistaken, does not stand for the others, unless there is no other mistake."""
    assert "10.0% of a (10 of 100 rows)" in says([[90, 10, 0], [5, 95, 0], [3, 0, 0]], ("a", "b", "c"))
    assert "100.0% of c (3 of 3 rows)" in says([[90, 0, 0], [0, 95, 0], [3, 0, 0]], ("a", "b", "c"))


def test_no_mistake_is_said_so() -> None:
    """A model that is always right has no largest mistake."""
    assert "No row is predicted as another class." in says([[3, 0], [0, 4]], ("a", "b"))
