"""Promises of the meeting of several hosts, on loopback: each test has an address of its own there."""

from __future__ import annotations

import itertools
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relabel.container import links
from relabel.container.companions import LONGEST_REASON, Ending, Meeting, follow, leading
from relabel.container.configuration import Hosts
from relabel.container.signals import Stopped
from relabel.errors import PlatformError

ADDRESSES = (f"127.{os.getpid() % 250 + 1}.{n // 250 % 250}.{n % 250 + 1}" for n in itertools.count())
JOB = "a-job"


def never() -> None:
    """Say that no signal has come."""


def stopped() -> None:
    """Say that one has."""
    raise Stopped(signal.SIGTERM)


@pytest.fixture
def meeting() -> Meeting:
    """Two hosts of which the first leads, in a hurry."""
    return of("b")


def of(*followers: str) -> Meeting:
    """Make the meeting of some followers with a leader that nobody else has."""
    leader = next(ADDRESSES)
    return Meeting(Hosts(leader, (leader, *followers)), job=JOB, patience=20, farewell=5, silence=6)


def seen_by(meeting: Meeting, name: str) -> Meeting:
    """Give the same meeting as another host knows it."""
    return replace(meeting, hosts=replace(meeting.hosts, current=name))


@contextmanager
def following(meeting: Meeting) -> Iterator[list[Future[Ending]]]:
    """Let every follower follow, in a thread each, until it ends."""
    with ThreadPoolExecutor(8) as threads:
        yield [threads.submit(follow, seen_by(meeting, name), never) for name in meeting.followers]


def seconds(began: float) -> float:
    """Say how long ago that was."""
    return time.monotonic() - began


def address(meeting: Meeting) -> tuple[str, int]:
    """Say where the leader listens."""
    return meeting.hosts.leader, meeting.port


def test_one_host_opens_nothing() -> None:
    """A job on one machine needs no network: not even a port that cannot exist is in its way."""
    with leading(Meeting(Hosts(), port=-1)) as tell:
        tell(Ending(0), never)


@pytest.mark.parametrize(
    "ending", [Ending(0), Ending(2, "lr is -1:\nß \U0001f600 \x00"), Ending(143, "stopped by SIGTERM")]
)
def test_every_follower_hears_how_the_leader_ended(ending) -> None:
    """The same code and the same reason, on each of three hosts; nobody waits for anything else."""
    meeting = of("b", "c", "d")
    with leading(meeting) as tell, following(meeting) as heard:
        time.sleep(0.3)
        assert not any(one.done() for one in heard), "the leader has not ended yet"
        began = time.monotonic()
        tell(ending, never)
        assert seconds(began) < 1
        assert [one.result(5) for one in heard] == [ending] * 3


def test_a_long_reason_is_cut(meeting) -> None:
    """What goes over the link is bounded, whatever the reason is made of."""
    with leading(meeting) as tell, following(meeting) as (heard,):
        tell(Ending(2, "\U0001f600" * 100_000), never)
        assert heard.result(5) == Ending(2, "\U0001f600" * LONGEST_REASON)


def test_the_leader_may_start_later(meeting) -> None:
    """A follower calls until it is answered."""
    with following(meeting) as (heard,):
        time.sleep(1)
        with leading(meeting) as tell:
            tell(Ending(0), never)
        assert heard.result(5) == Ending(0)


def test_a_late_follower_is_told_of_a_success(meeting, caplog) -> None:
    """A job that is over before a host has started waits for it, and the log says for how long and for whom."""
    caplog.set_level(logging.INFO)
    with leading(meeting) as tell, ThreadPoolExecutor(1) as threads:
        told = threads.submit(tell, Ending(0), never)
        time.sleep(1)
        assert not told.done()
        assert follow(seen_by(meeting, "b"), never) == Ending(0)
        told.result(2)
    assert "b may still call within 20 s" in caplog.text


def test_a_host_that_never_comes_is_given_up(meeting, caplog) -> None:
    """After a success the wait counts from the leader's start; a long job does not wait again."""
    with leading(replace(meeting, patience=1, farewell=0.2)) as tell:
        time.sleep(0.5)
        began = time.monotonic()
        tell(Ending(0), never)
        assert 0.3 < seconds(began) < 1.5
    assert "b never called" in caplog.text


def test_after_a_failure_nobody_is_awaited_for_long(meeting) -> None:
    """A job that failed fails as a whole: a late host has nothing to learn from it."""
    with leading(replace(meeting, farewell=0.5)) as tell:
        began = time.monotonic()
        tell(Ending(2, "lr is -1"), never)
        assert seconds(began) < 2


def test_a_signal_ends_the_leaders_wait_quietly(meeting) -> None:
    """Its work is complete: a stop shortens the wait for others and is no failure."""
    with leading(meeting) as tell:
        began = time.monotonic()
        tell(Ending(0), stopped)
        assert seconds(began) < 2


def test_a_leader_that_is_stopped_tells_those_who_are_there(meeting) -> None:
    """Who has called learns of it even where no time is left."""
    with leading(meeting) as tell, following(meeting) as (heard,):
        time.sleep(0.5)
        tell(Ending(143, "stopped by SIGTERM"), stopped)
        assert heard.result(5) == Ending(143, "stopped by SIGTERM")


@pytest.mark.parametrize("listening", [True, False])
def test_a_signal_ends_the_followers_wait(meeting, listening) -> None:
    """Before the leader answers and after: what the check raises comes through, within a second."""
    signals = threading.Event()

    def check() -> None:
        if signals.is_set():
            stopped()

    with ThreadPoolExecutor(1) as threads:
        if listening:
            with leading(meeting):
                waiting = threads.submit(follow, seen_by(meeting, "b"), check)
                time.sleep(0.3)
                signals.set()
                assert isinstance(waiting.exception(1), Stopped)
        else:
            waiting = threads.submit(follow, seen_by(meeting, "b"), check)
            signals.set()
            assert isinstance(waiting.exception(1), Stopped)


def test_a_signal_does_not_wait_for_a_slow_resolver(meeting, monkeypatch) -> None:
    """Looking up the name of a host that has not started may take longer than a container is given to stop."""
    asked = threading.Event()

    def slow(*_: object, **__: object) -> list[object]:
        asked.set()
        time.sleep(2)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    def check() -> None:
        if asked.is_set():
            stopped()

    began = time.monotonic()
    with pytest.raises(Stopped):
        follow(seen_by(meeting, "b"), check)
    assert seconds(began) < 1.5


def test_a_name_that_can_be_no_name_is_no_endless_wait() -> None:
    """A host name that no resolver takes ends the job at once."""
    with pytest.raises(UnicodeError):
        follow(Meeting(Hosts("b", ("a" * 64 + ".x", "b"))), never)


def test_a_leader_that_never_answers_is_named(meeting) -> None:
    """After its patience the follower says who did not answer, on which port."""
    began = time.monotonic()
    with pytest.raises(PlatformError, match=rf"{meeting.hosts.leader} has not answered on port {meeting.port} for 1 s"):
        follow(seen_by(replace(meeting, patience=1), "b"), never)
    assert seconds(began) < 3


def test_an_unknown_name_is_asked_again() -> None:
    """The name of a host that has not started may not be known yet: that is no failure before the patience is over."""
    hosts = Hosts("b", ("a.invalid", "b"))
    with pytest.raises(PlatformError, match=r"a\.invalid has not answered"):
        follow(Meeting(hosts, patience=0.3), never)


def test_a_port_that_is_taken_is_said(meeting) -> None:
    """The leader does not train for hours with nobody able to hear of it."""
    with (
        socket.create_server(address(meeting)),
        pytest.raises(PlatformError, match=f"port {meeting.port} is needed"),
        leading(meeting),
    ):
        pass


LEADER = """
import sys, time
from relabel.container.companions import *
from relabel.container.configuration import Hosts
name, = sys.argv[1:]
with leading(Meeting(Hosts(name, (name, "b")), job="a-job")):
    print("ready", flush=True)
    time.sleep(60)
"""

FOLLOWER = """
import sys
from relabel.container.companions import *
from relabel.container.configuration import Hosts
leader, name, *others = sys.argv[1:]
print("ready", flush=True)
print(follow(Meeting(Hosts(name, (leader, name, *others)), job="a-job"), lambda: None))
"""


@contextmanager
def running(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own that has said that it is ready; it is killed where it still runs."""
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_killed_leader_is_noticed_at_once(meeting) -> None:
    """A process that the kernel ends cannot say so; its connection does."""
    with running(LEADER, meeting.hosts.leader) as leader, following(meeting) as (heard,):
        time.sleep(0.3)
        began = time.monotonic()
        leader.kill()
        error = heard.exception(5)
        assert seconds(began) < 1
        assert isinstance(error, PlatformError)
        assert str(error).startswith(f"{meeting.hosts.leader} ended without a word")


def test_a_killed_follower_does_not_matter(caplog) -> None:
    """It has nothing to give: the other is told as ever, and the log has one line about it."""
    meeting = of("b", "c")
    with leading(meeting) as tell, running(FOLLOWER, meeting.hosts.leader, "b", "c") as killed:
        time.sleep(0.5)
        killed.kill()
        killed.wait()
        with ThreadPoolExecutor(1) as threads:
            heard = threads.submit(follow, seen_by(meeting, "c"), never)
            began = time.monotonic()
            tell(Ending(0), never)
            assert seconds(began) < 2
            assert heard.result(5) == Ending(0)
    assert [record.getMessage() for record in caplog.records] == [
        "b has gone or does not answer; the job ends without it"
    ]


def test_a_follower_that_hangs_holds_nobody_for_long(meeting, caplog) -> None:
    """The leader waits for it to leave no longer than its farewell."""
    with leading(replace(meeting, farewell=0.5)) as tell, socket.create_connection(address(meeting)) as hung:
        links.say(hung, {"job": JOB, "host": "b"})
        began = time.monotonic()
        tell(Ending(0), never)
        assert 0.4 < seconds(began) < 2
    assert "does not answer" in caplog.text


CUT = """
import fcntl, socket, struct, threading, time
from relabel.container.companions import *
from relabel.container.configuration import Hosts
from relabel.errors import PlatformError

def lo(flags):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
        fcntl.ioctl(any, 0x8914, struct.pack("16sh", b"lo", flags))  # SIOCSIFFLAGS

lo(1)
meeting = Meeting(Hosts("b", ("127.0.0.1", "b")), silence=2)
with leading(meeting):
    began = []
    threading.Timer(0.5, lambda: (began.append(time.monotonic()), lo(0))).start()
    try:
        follow(meeting, lambda: None)
    except PlatformError as error:
        print(f"{time.monotonic() - began[0]:.1f} s: {error}")
"""


def test_a_link_that_is_cut_is_noticed() -> None:
    """No end of the connection is closed, nothing is said any more: after the silence the follower gives the leader up."""
    apart = ["unshare", "--user", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user cannot have a network of its own, in which a link could be cut")
    ended = subprocess.run([*apart, sys.executable, "-c", CUT], capture_output=True, text=True, timeout=30, check=False)
    took, said = ended.stdout.split(" s: ")
    assert 1 <= float(took) <= 5
    assert said.startswith("127.0.0.1 ended without a word or can no longer be reached")


def speak(call: socket.socket, sent: bytes) -> None:
    """Send it all and say no more; the other side may hang up before the end."""
    with suppress(OSError):
        call.sendall(sent)
        call.shutdown(socket.SHUT_WR)


HELLO = json.dumps({"job": JOB, "host": "b"}).encode()
BYTES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from(
        [
            b"",
            b"\n",
            b"{}\n",
            b"[" * 16000 + b"\n",
            b"1" * 16000 + b"\n",
            b"x" * 20000,
            HELLO + b"\n" + HELLO + b"\n",
            b'{"job": "a-job", "host": ["b"]}\n',
            b'{"job": "a-job", "host": "stranger"}\n',
            b'{"job": "another", "host": "b"}\n',
            b'{"host": "b"}\n',
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
    ).map(lambda value: json.dumps(value).encode() + b"\n"),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(BYTES, max_size=4))
def test_no_stranger_disturbs_the_job(strangers) -> None:
    """Whatever others send to the port, before the follower calls: it hears the ending, and they hear nothing."""
    meeting = of("b")
    with leading(meeting) as tell:
        calls = [socket.create_connection(address(meeting), timeout=5) for _ in strangers]
        for call, sent in zip(calls, strangers, strict=True):
            speak(call, sent)
        with following(meeting) as (heard,):
            tell(Ending(0), never)
            assert heard.result(5) == Ending(0)
    for call in calls:
        with call, suppress(ConnectionError):  # where something was unread when it was hung up on
            assert call.recv(100) == b""


def test_a_stranger_that_says_nothing_is_hung_up_on(meeting) -> None:
    """It costs the leader two seconds at its end, not the job."""
    with leading(meeting) as tell, socket.create_connection(address(meeting)), following(meeting) as (heard,):
        began = time.monotonic()
        tell(Ending(0), never)
        assert seconds(began) < 4
        assert heard.result(5) == Ending(0)


ANSWERS = st.one_of(
    BYTES,
    st.fixed_dictionaries(
        {"code": st.none() | st.booleans() | st.integers() | st.floats(), "reason": st.none() | st.text()}
    ).map(lambda said: json.dumps(said).encode() + b"\n"),
)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
def test_whatever_answers_a_follower_it_ends_in_order(sent) -> None:
    """It takes an exit code with a reason, or says that the leader failed or is somebody else."""
    meeting = of("b")
    with socket.create_server(address(meeting)) as other, following(meeting) as (heard,):
        call, _ = other.accept()
        with call:
            speak(call, sent)
            error = heard.exception(5)
        if error is None:
            assert heard.result().code in range(256)
            assert isinstance(heard.result().reason, str)
        else:
            assert isinstance(error, PlatformError)
            assert meeting.hosts.leader in str(error)


def test_waiting_is_light() -> None:
    """A host that only waits loads nothing that trains, and stays below 30 MB."""
    script = textwrap.dedent("""
        import re, sys
        from pathlib import Path
        from relabel.cli import running, train
        from relabel.container import companions
        from relabel.job import main
        heavy = {"torch", "numpy", "pandas", "cleanlab", "asyncio", "ssl"} & set(sys.modules)
        peak = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())
        print(sorted(heavy), int(peak[1]) // 1024)
    """)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    heavy, megabytes = said.rsplit(" ", 1)
    assert heavy == "[]"
    assert int(megabytes) < 30
