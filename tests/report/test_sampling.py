"""Which rows a map draws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.report import sampling


@given(flags=st.lists(st.booleans(), max_size=300), most=st.integers(1, 200))
def test_a_sample_is_what_it_says(flags, most) -> None:
    """Never more rows than asked for, none twice, all counts true, and the weights add up to the data."""
    flagged = np.array(flags, bool)
    sample = sampling.drawn(flagged, most)
    assert sample.rows.size <= most
    assert np.unique(sample.rows).size == sample.rows.size
    assert flagged[sample.rows].sum() == sample.doubtful
    assert (sample.doubtful_of, sample.others_of) == (flagged.sum(), (~flagged).sum())
    if sample.doubtful and sample.others:
        assert sample.weight.sum() == pytest.approx(flagged.size)
    assert sample.rows.size == min(most, flagged.size) or not sample.doubtful or not sample.others


def test_all_rows_are_drawn_where_there_is_room() -> None:
    """Data that fit are drawn whole, and the sentence says so."""
    sample = sampling.drawn(np.arange(1200) % 2 == 0, 1200)
    assert sorted(sample.rows.tolist()) == list(range(1200))
    assert sample.sentence() == "All 1,200 rows are drawn."


def test_all_doubtful_rows_are_drawn_before_others() -> None:
    """Others give way to the doubtful ones, and are spread over all of the data."""
    flagged = np.arange(10_000) % 20 == 0
    sample = sampling.drawn(flagged, 1000)
    assert sample.doubtful == 500
    assert sample.sentence() == (
        "1,000 of 10,000 rows are drawn: all 500 doubtful ones and 500 of the 9,500 others, spread evenly over the data."
    )
    others = sample.rows[~flagged[sample.rows]]
    assert np.diff(others).max() <= 2 * 10_000 / 500


def test_too_many_doubtful_rows_leave_room_for_others() -> None:
    """Where the doubtful rows alone are too many, a third of the places is the others', and the sentence counts both."""
    sample = sampling.drawn(np.arange(1000) < 900, 90)
    assert (sample.doubtful, sample.others) == (60, 30)
    assert "60 of the 900 doubtful ones and 30 of the 100 others" in sample.sentence()


def test_neither_kind_lies_above_the_other() -> None:
    """Points are drawn in this order, that of the data; each keeps its own weight."""
    flagged = np.arange(5000) % 7 == 0
    sample = sampling.drawn(flagged, 2000)
    assert np.diff(sample.rows).min() > 0
    assert set(sample.weight[flagged[sample.rows]].tolist()) == {1.0}
    assert sample.weight[~flagged[sample.rows]].min() > 1


def test_a_sample_that_misleads_the_eye_is_told() -> None:
    """Where doubtful rows are drawn far more often than others, how common they are is said; where they are not, nothing."""
    flagged = np.arange(10_000) % 20 == 0
    assert (
        sampling.drawn(flagged, 1000).common()
        == "Doubtful rows look commoner here than they are: they are 5.0% of the data."
    )
    assert sampling.drawn(flagged, 10_000).common() == ""
