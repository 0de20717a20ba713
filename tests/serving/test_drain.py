"""Promises of a drain: it ends when nobody is left who could send more, or when its time is over."""

from __future__ import annotations

import os

import pytest

from relabel.serving.drain import LONGEST, PING_PERIOD, QUIET, Drain, Times


@pytest.mark.parametrize(
    ("times", "now", "over"),
    [
        (Times(), 1e9, False),
        (Times(began=100), 100 + QUIET / 2, False),
        (Times(began=100), 100 + QUIET + 0.1, True),
        (Times(began=100, request=101.9), 102.5, False),
        (Times(began=100, request=101.9), 101.9 + QUIET + 0.1, True),
        (Times(began=100, ping=98), 105, False),
        (Times(began=100, ping=103), 105, True),
        (Times(began=100, ping=50), 105, True),
        (Times(began=100, ping=98), 100 + PING_PERIOD + 0.1, True),
        (Times(began=100, request=114.9), 100 + LONGEST + 0.1, True),
    ],
)
def test_it_is_over_when_it_is_quiet_and_whoever_pings_was_told(times, now, over) -> None:
    """Or after the longest time, whoever still sends."""
    assert times.over(now) is over


def test_all_processes_of_a_server_see_it() -> None:
    """The parent begins it, the workers answer by it, and the parent hears of their requests."""
    now = [100.0]
    drain = Drain(lambda: now[0])
    assert not drain.active()
    drain.begin()
    now[0] = 101
    child = os.fork()
    if not child:
        seen = drain.active()
        drain.requested()
        os._exit(0 if seen else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    now[0] = 101 + QUIET - 0.1
    assert not drain.over()
    now[0] = 101 + QUIET + 0.1
    assert drain.over()
    now[0] = 200
    drain.begin()
    assert drain.over()
