"""The other hosts of a job: the leader trains and writes, every other host waits for it and leaves with it.

Each follower calls the leader once, and hears how the job ended when the leader has written everything:

    follower  {"job": "mine", "host": "algo-2"}
    leader    {"code": 2, "reason": "lr is -1: give a number above 0"}
    follower  {}

In between only the kernels work, so that nothing runs beside the training and a busy leader never looks like a dead one. The leader's kernel
takes the calls and keeps what is said, which is read at the end; both probe the idle link every few seconds, so that a host that died or a
link that was cut is noticed.
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from relabel.container import links
from relabel.container.configuration import Hosts
from relabel.container.signals import Stopped
from relabel.errors import PlatformError

log = logging.getLogger(__name__)

PORT = 29417
"""Below the range from which systems take ports for outgoing connections."""

LONGEST_REASON = 1024
HELLO = 2.0
"""How long a caller has to say who it is, in seconds; a follower says it at once."""

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the leader ended: its exit code and, where that is not 0, why."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where the hosts of a job meet, and how patiently; times in seconds.

    job:      the platform's name for it, the same on each host, or "".
    patience: by how much the hosts' starts may differ.
    farewell: how long the leader waits at its end for those that have called to leave, and after a failure for those that have not called.
    silence:  after this time a link on which no probe is answered counts as cut.
    """

    hosts: Hosts
    job: str = ""
    port: int = PORT
    patience: float = 600
    farewell: float = 10
    silence: float = 30

    @property
    def followers(self) -> list[str]:
        """Names of the hosts that wait, sorted."""
        return sorted({*self.hosts.all} - {self.hosts.leader})


@contextmanager
def leading(meeting: Meeting) -> Iterator[Callable[[Ending, Check], None]]:
    """Take the followers' calls while the block runs; it is given the function that tells them the ending.

    That function returns when they have left, when their time is over, or when its check raises Stopped. Nothing that a caller sends makes it
    raise. Without followers nothing is opened.

    Raises PlatformError where the port cannot be had.
    """
    if not meeting.followers:
        yield lambda _ending, _check: None
        return
    started = time.monotonic()
    try:
        listener = links.listen(meeting.hosts.leader, meeting.port, meeting.silence)
    except OSError as error:
        raise PlatformError(f"port {meeting.port} is needed for the other hosts ({error.strerror}): free it") from error
    with listener:
        log.info("%s trains; %s waits for it and leaves with it", meeting.hosts.leader, ", ".join(meeting.followers))
        yield lambda ending, check: _tell(listener, meeting, ending, started, check)


def follow(meeting: Meeting, check: Check) -> Ending:
    """Wait for the leader and say how it ended.

    check: asked about twice a second; what it raises ends the wait.

    Raises PlatformError where the leader does not answer in time, ends without a word or can no longer be reached.
    """
    leader = meeting.hosts.leader
    with _called(meeting, check) as link:
        log.info("%s waits for %s, which trains", meeting.hosts.current, leader)
        try:
            links.watch(link, meeting.silence)
            links.say(link, {"job": meeting.job, "host": meeting.hosts.current})
            ending = _ending(links.hear(link, math.inf, check))
        except OSError as error:
            raise PlatformError(
                f"{leader} ended without a word or can no longer be reached ({error}): see its log, and start the job again"
            ) from error
        if ending is None:
            raise PlatformError(f"what answers on port {meeting.port} of {leader} is not this job: free that port")
        with suppress(OSError):
            links.say(link, {})
    return ending


def _called(meeting: Meeting, check: Check) -> socket.socket:
    leader = meeting.hosts.leader
    try:
        return links.call(leader, meeting.port, meeting.patience, check)
    except OSError as error:
        raise PlatformError(
            f"{leader} has not answered on port {meeting.port} for {meeting.patience:.0f} s ({error}): see its log. In a private "
            "network, let the hosts of a job reach each other"
        ) from error


def _ending(said: dict[str, Any]) -> Ending | None:
    code, reason = said.get("code"), said.get("reason")
    if type(code) is not int or code not in range(256) or not isinstance(reason, str):
        return None
    return Ending(code, reason)


def _tell(listener: socket.socket, meeting: Meeting, ending: Ending, started: float, check: Check) -> None:
    """Tell all who have called or will; a signal ends the waits, not the telling of those who are there."""
    said = {"code": ending.code, "reason": ending.reason[:LONGEST_REASON]}
    until = max(time.monotonic() + meeting.farewell, started + meeting.patience if ending.code == 0 else 0)
    told: list[tuple[str, socket.socket]] = []
    with ExitStack() as open_links, suppress(Stopped):
        for name, link in _callers(listener, meeting, until, check):
            told.append((name, open_links.enter_context(link)))
            with suppress(OSError):
                links.say(link, said)
        until = time.monotonic() + meeting.farewell
        for name, link in told:
            try:
                links.hear(link, until, check)
            except OSError:
                log.warning("%s has gone or does not answer; the job ends without it", name)


def _callers(
    listener: socket.socket, meeting: Meeting, until: float, check: Check
) -> Iterator[tuple[str, socket.socket]]:
    """Give the name and the link of each follower, until none is missing or the time is over."""
    missing = set(meeting.followers)
    waiting = False
    while missing and (left := until - time.monotonic()) > 0:
        if links.ready(listener, min(left, links.SLICE)):
            called = _answered(listener, meeting)
            if called is not None:
                missing.discard(called[0])
                yield called
            continue
        check()
        if not waiting:
            log.info("the work is done; %s may still call within %.0f s", ", ".join(sorted(missing)), left)
        waiting = True
    if missing:
        log.warning("%s never called", ", ".join(sorted(missing)))


def _answered(listener: socket.socket, meeting: Meeting) -> tuple[str, socket.socket] | None:
    """Take one call: the follower's name and link, or None for a stranger, on whom is hung up."""
    with ExitStack() as unknown, suppress(OSError):
        link = unknown.enter_context(listener.accept()[0])
        said = links.hear(link, time.monotonic() + HELLO, lambda: None)
        if said.get("job") == meeting.job and said.get("host") in meeting.followers:
            unknown.pop_all()
            return said["host"], link
    return None
