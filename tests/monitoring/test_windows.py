"""Traffic is cut into windows that lose and repeat no row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.errors import UserError
from relabel.monitoring import windows
from relabel.monitoring.windows import Span

SPANS = st.one_of(
    st.integers(50, 90).map(lambda n: Span(rows=n)), st.integers(1, 48).map(lambda n: Span(seconds=n * 3600))
)


def moments(*seconds):
    """Give times after the beginning of 1970."""
    return np.array(sorted(seconds), "datetime64[s]")


@given(st.lists(st.integers(0, 500_000), max_size=300), SPANS)
def test_every_row_is_in_one_window(seconds, span):
    """The windows follow each other from the first row to the last; none is empty."""
    time = moments(*seconds)
    found = windows.cut(time, span)
    places = [row for each in found for row in range(each.start, each.stop)]
    assert places == list(range(time.size))
    assert all(each.stop > each.start for each in found)


def test_windows_of_time_begin_where_hours_and_days_do():
    """Rows of one day of UTC are one window, whatever time the first one came."""
    time = moments(100, 86_399, 86_400, 86_401, 3 * 86_400)
    assert windows.cut(time, windows.parse("1d")) == [slice(0, 2), slice(2, 4), slice(4, 5)]


@pytest.mark.parametrize(("span", "until", "count"), [("60", 0, 1), ("50", 0, 2), ("1h", 3599, 0), ("1h", 3600, 1)])
def test_what_may_still_grow_waits(span, until, count):
    """With a moment given, a last window that is not full is left for the next time."""
    found = windows.cut(moments(*range(100)), windows.parse(span), until=np.datetime64(until, "s"))
    assert len(found) == count


@pytest.mark.parametrize("text", ["", "0", "-5", "1w", "1.5h", "1000 rows", "49", "9" * 12])
def test_no_window_is_said(text):
    """What is no size is refused with an example."""
    with pytest.raises(UserError, match="window"):
        windows.parse(text)
