"""Promises of the meeting of several hosts, on loopback: each test has an address of its own there."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from relabel.container import links
from relabel.container.companions import Companions, Ending, Meeting, met
from relabel.container.configuration import Hosts
from relabel.container.signals import Stopped
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError

ADDRESSES = (f"127.{os.getpid() % 250 + 1}.{n // 250 % 250}.{n % 250 + 1}" for n in itertools.count())
JOB = "a-job"
Part = Callable[[Companions], object]


def never() -> None:
    """Say that no signal has come."""


def stopped() -> None:
    """Say that one has."""
    raise Stopped(signal.SIGTERM)


@pytest.fixture
def meeting() -> Meeting:
    """Three hosts, in a hurry."""
    leader = next(ADDRESSES)
    names = (leader, "b", "c")
    return Meeting(Hosts(leader, names), job=JOB, patience=20, grace=0.5, farewell=5, silence=6)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads that stand for hosts."""
    with ThreadPoolExecutor(4) as threads:
        yield threads


def begin(pool: ThreadPoolExecutor, meeting: Meeting, parts: list[Part], late: list[object]) -> list[Future[object]]:
    """Let each host do its part, and leave as it did."""

    def host(name: str, part: Part) -> object:
        mine = replace(meeting, hosts=replace(meeting.hosts, current=name))
        outcome: object = None
        try:
            with met(mine, never, late.append) as together:
                try:
                    outcome, code = part(together), 0
                    if together.rank and outcome != "gone":
                        together.await_leave(never)
                except RelabelError as error:
                    outcome, code = error, error.exit_code
                together.leave(Ending(code, str(outcome) if code else ""), never)
        except RelabelError as error:  # it was told before it had begun
            return error
        except Stopped as stop:
            return f"{stop.exit_code} {stop}"
        return outcome

    return [pool.submit(host, name, part) for name, part in zip(meeting.names, parts, strict=True)]


def works_until_told(together: Companions) -> None:
    """Work as a job does: look at the others now and then."""
    while True:
        together.check()
        time.sleep(0.01)


def fails(error: Exception) -> Part:
    """Work that fails."""

    def part(_together: Companions) -> None:
        raise error

    return part


def test_all_hosts_meet_and_leave_together_the_leader_last(pool, meeting) -> None:
    """Ranks follow the names; followers that are done first wait until the leader has written everything."""
    written: list[str] = []

    def leads(together: Companions) -> int:
        time.sleep(0.5)
        written.append("model")
        return together.rank

    def follows(together: Companions) -> int:
        return together.rank

    hosts = begin(pool, meeting, [leads, follows, follows], [])
    hosts[1].add_done_callback(lambda _done: written.append("left"))
    assert [host.result(20) for host in hosts] == [0, 1, 2]
    pool.shutdown()  # what is called at an end comes after its result
    assert written == ["model", "left"]


@pytest.mark.parametrize("failing", [0, 2])
@pytest.mark.parametrize("kind", [UserError, PlatformError, AlgorithmError])
def test_a_failure_of_one_is_that_of_all(pool, meeting, failing, kind) -> None:
    """Of its kind, with its reason behind its name."""
    parts: list[Part] = [works_until_told] * 3
    parts[failing] = fails(kind("the reason"))
    outcomes = [host.result(20) for host in begin(pool, meeting, parts, [])]
    assert {type(outcome) for outcome in outcomes} == {kind}
    others = {str(outcome) for n, outcome in enumerate(outcomes) if n != failing}
    assert others == {f"{meeting.names[failing]}: the reason"}


def test_a_host_that_vanishes_is_named(pool, meeting) -> None:
    """Its link is closed by whoever ran it, and the others hear of it at once."""

    def vanishes(together: Companions) -> str:
        time.sleep(0.2)
        together.close()
        return "gone"

    outcomes = [host.result(20) for host in begin(pool, meeting, [works_until_told, works_until_told, vanishes], [])]
    assert all(str(outcome).startswith("c ended without a word") for outcome in outcomes[:2])
    assert all(isinstance(outcome, PlatformError) for outcome in outcomes[:2])


def test_a_stop_of_one_is_no_failure_of_the_others(pool, meeting) -> None:
    """They are stopped too, and know by whom."""

    def is_stopped(together: Companions) -> str:
        together.leave(Ending(143, "stopped by SIGTERM"), never)
        return "gone"

    outcomes = [host.result(20) for host in begin(pool, meeting, [works_until_told, works_until_told, is_stopped], [])]
    assert outcomes[:2] == ["143 c: stopped by SIGTERM"] * 2


def test_a_host_that_is_held_up_is_ended(pool, meeting) -> None:
    """Where its main thread does not look, another one says so after a while."""
    late: list[object] = []

    def held_up(_together: Companions) -> str:
        until = time.monotonic() + 10
        while not late and time.monotonic() < until:
            time.sleep(0.05)
        return "free again"

    begun = begin(pool, meeting, [held_up, fails(UserError("no")), works_until_told], late)
    assert begun[0].result(20) == "free again"
    assert [str(error) for error in late] == ["b: no"]


def test_a_host_that_never_comes_is_named(pool, meeting) -> None:
    """By the leader and by those who came."""
    hasty = replace(meeting, patience=3)

    def come(name: str) -> str:
        mine = replace(hasty, hosts=replace(hasty.hosts, current=name))
        try:
            with met(mine, never, lambda _error: None):
                return "met"
        except PlatformError as error:
            return str(error)

    follower, leader = [pool.submit(come, name) for name in hasty.names[1::-1]]
    assert leader.result(20).startswith("c did not call")
    assert "c did not call" in follower.result(20)


def test_a_leader_that_never_comes_is_named(meeting) -> None:
    """With the port, and what to look at in a private network."""
    alone = replace(meeting, patience=0.5, hosts=replace(meeting.hosts, current="b"))
    with (
        pytest.raises(PlatformError, match=f"{meeting.hosts.leader} has not answered on port"),
        met(alone, never, print),
    ):
        pass


@pytest.mark.parametrize("name", [0, 1])
def test_a_signal_ends_the_wait_for_the_others(meeting, name) -> None:
    """At once, whoever waits."""
    mine = replace(meeting, hosts=replace(meeting.hosts, current=meeting.names[name]))
    began = time.monotonic()
    with pytest.raises(Stopped), met(mine, stopped, print):
        pass
    assert time.monotonic() - began < meeting.patience / 2


def test_a_port_in_use_is_said(meeting) -> None:
    """With its number."""
    with (
        links.listen(meeting.hosts.leader, meeting.port, 6),
        pytest.raises(PlatformError, match=f"port {meeting.port}"),
        met(meeting, never, print),
    ):
        pass


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\n\r\n", b'{"job": "another", "host": "b"}\n', b"[1]\n", b'{"a":' * 3000 + b"\n"]
)
def test_strangers_are_hung_up_on(pool, meeting, said) -> None:
    """What they say changes nothing, before and while the hosts meet."""
    hosts = begin(pool, meeting, [lambda together: together.rank] * 3, [])
    with suppress(OSError), socket.create_connection((meeting.hosts.leader, meeting.port), timeout=1) as stranger:
        stranger.sendall(said)
    assert [host.result(20) for host in hosts] == [0, 1, 2]
