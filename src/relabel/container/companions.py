"""The hosts of a job: they meet before the work, hear at once of one that is gone, and leave together, the leader last.

Each follower calls the leader once, and the link stays open until the end:

    follower  {"job": "mine", "host": "algo-2"}
    leader    {"port": 40001}                       all are here, and this is where they exchange arrays
    either    {"code": 2, "reason": "lr is -1"}     a failure, which the leader passes on: all others end as this one did
    leader    {"leave": true}                       everything is written

In between only the kernels work: both probe the idle link every few seconds, so that a host that died or a link that was cut is noticed, and
a host whose processor is busy never looks like a dead one.
"""

from __future__ import annotations

import json
import logging
import math
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Condition, Thread, Timer
from typing import Any

from relabel.container import links
from relabel.container.configuration import Hosts
from relabel.container.signals import Stopped
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError

log = logging.getLogger(__name__)

PORT = 29417
"""Below the range from which systems take ports for outgoing connections."""

LONGEST_REASON = 1024
HELLO = 10.0
"""How long a caller has to say who it is, in seconds; a follower says it at once."""

SIGNALLED = 128
"""What is added to a signal's number to make an exit code."""

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a host ended: its exit code and, where that is not 0, why."""

    code: int
    reason: str = ""

    def error(self) -> BaseException:
        """Say it to those who end because of it."""
        if self.code > SIGNALLED:
            return Stopped(self.code - SIGNALLED, self.reason)
        kinds: dict[int, type[RelabelError]] = {1: AlgorithmError, 2: UserError}
        return kinds.get(self.code, PlatformError)(self.reason)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where the hosts of a job meet, and how patiently; times in seconds.

    job:      the platform's name for it, the same on each host, or "".
    patience: by how much the hosts' starts, and their ends after a success, may differ.
    grace:    how long a host may take to end by itself after it heard that another has failed.
    farewell: how long hosts wait for each other after a failure.
    silence:  after this time a link on which no probe is answered counts as cut.
    """

    hosts: Hosts
    job: str = ""
    port: int = PORT
    patience: float = 600
    grace: float = 15
    farewell: float = 20
    silence: float = 30

    @property
    def names(self) -> tuple[str, ...]:
        """All hosts, in the order of their ranks; the leader is the first."""
        return tuple(sorted({*self.hosts.all}))

    @property
    def followers(self) -> list[str]:
        """All hosts but the leader."""
        return list(self.names[1:])


class Companions:
    """The other hosts of a job, as one of them knows them.

    address:  this host's, as the others reach it.
    exchange: address and port at which arrays are exchanged.
    listener: the leader's socket of that port; None on followers.
    kept:     what exchanges arrays: it lives as long as this, for letting go of it waits for exchanges that nobody answers any more.
    """

    address = "127.0.0.1"
    exchange = ("", 0)
    listener: socket.socket | None = None

    def __init__(self, meeting: Meeting, overdue: Callable[[BaseException], None]) -> None:
        self._meeting, self._overdue = meeting, overdue
        self.kept: list[object] = []
        self._links: dict[str, socket.socket] = {}
        self._heard = Condition()
        self._failed: Ending | None = None
        self._leaving = self._dismissed = False
        self._gone: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """All hosts, in the order of their ranks."""
        return self._meeting.names

    @property
    def rank(self) -> int:
        """This host's place among them; the leader's is 0."""
        return self.names.index(self._meeting.hosts.current)

    def check(self) -> None:
        """Raise what another host ended with: the error of its kind with its name, PlatformError where it is gone, Stopped."""
        if self._failed is not None:
            raise self._failed.error()

    def await_failure(self, seconds: float) -> None:
        """Wait until a host is known to have failed, and raise as `check` does; return where none is."""
        self._wait(lambda: self._failed is not None, seconds, lambda: None)
        self.check()

    def await_leave(self, check: Check) -> None:
        """Wait, when the work is done, until the leader has written everything; raises as both checks do."""
        self._wait(lambda: self._dismissed or self._failed is not None, math.inf, check)
        self.check()

    def leave(self, ending: Ending, check: Check) -> None:
        """Tell a failure to the others and let them leave: the leader returns when they have, a follower when the leader lets it.

        What `check` raises ends the wait, nothing else does: all that this host has to write is written.
        """
        with self._heard:
            self._leaving = True
        if ending.code:
            reason = f"{self._meeting.hosts.current}: {ending.reason}"[:LONGEST_REASON]
            self._note(self._meeting.hosts.current, Ending(ending.code, reason))
        seconds = self._meeting.farewell if ending.code else self._meeting.patience
        with suppress(Stopped):
            if self.rank:
                self._wait(lambda: self._dismissed or bool(self._gone), seconds, check)
                return
            self._tell({"leave": True})
            self._wait(lambda: self._gone >= {*self._links}, seconds, check)

    def join(self, name: str, link: socket.socket) -> None:
        """Listen to a host from now on."""
        links.watch(link, self._meeting.silence)
        link.settimeout(None)
        self._links[name] = link
        self.address = link.getsockname()[0]
        Thread(target=self._listen, args=(name, link), daemon=True).start()

    def begin(self, port: int) -> None:
        """Tell all that all are here."""
        self.exchange = (self.address, port)
        self._tell({"port": port})

    def await_begin(self, check: Check) -> None:
        """Wait until all are here."""
        self._wait(lambda: self.exchange[1] > 0 or self._failed is not None, math.inf, check)
        self.check()

    def close(self) -> None:
        """Hang up."""
        with self._heard:
            self._leaving = True
        if self.listener is not None:
            self.listener.close()
        for link in self._links.values():
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # a thread that still reads would keep it open
            link.close()

    def _wait(self, done: Callable[[], bool], seconds: float, check: Check) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._heard:
                if self._heard.wait_for(done, min(links.SLICE, max(0.0, until - time.monotonic()))):
                    return
            check()

    def _tell(self, said: Mapping[str, Any], *, but: str = "") -> None:
        for name, link in self._links.items():
            if name != but:
                with suppress(OSError):
                    links.say(link, said)

    def _listen(self, name: str, link: socket.socket) -> None:
        """Take what a host says until it hangs up; the kernel ends the wait where no probe is answered."""
        why = "hung up"
        try:
            with link.makefile("rb") as lines:
                while line := lines.readline(links.LONGEST_LINE):
                    self._take(name, _said(line))
        except (OSError, ValueError) as error:
            why = str(error)
        with self._heard:
            self._gone.add(name)
            expected = self._leaving or self._dismissed
            self._heard.notify_all()
        if not expected:
            lost = (
                f"{name} ended without a word or can no longer be reached ({why}): see its log, and start the job again"
            )
            self._note(name, Ending(PlatformError.exit_code, lost))

    def _take(self, name: str, said: Mapping[str, Any]) -> None:
        match said:
            case {"code": int(code), "reason": str(reason)} if 0 < code < 2 * SIGNALLED:
                self._note(name, Ending(code, reason))
            case {"port": int(port)} if self.rank:
                with self._heard:
                    self.exchange = (self._links[name].getpeername()[0], port)
                    self._heard.notify_all()
            case {"leave": True} if self.rank:
                with self._heard:
                    self._dismissed = True
                    self._heard.notify_all()
            case _:
                self._note(name, Ending(PlatformError.exit_code, f"what answers for {name} is not this job"))

    def _note(self, name: str, ending: Ending) -> None:
        """Keep the first failure and pass it on: the leader to all others, a follower its own to the leader."""
        with self._heard:
            if self._failed is not None:
                return
            self._failed = ending
            self._heard.notify_all()
        mine = name == self._meeting.hosts.current
        if mine or self.rank == 0:
            self._tell({"code": ending.code, "reason": ending.reason}, but=name)
        if not mine:
            log.warning("the job ends because of another host: %s", ending.reason)
            late = Timer(self._meeting.grace, self._end_late, [ending])
            late.daemon = True
            late.start()

    def _end_late(self, ending: Ending) -> None:
        if not self._leaving:
            self._overdue(ending.error())


@contextmanager
def met(meeting: Meeting, check: Check, overdue: Callable[[BaseException], None]) -> Iterator[Companions]:
    """Wait for the other hosts, and be with them while the block runs.

    overdue: called in another thread where a host has failed and this one has not begun to leave in time: whatever holds it up, it must end.

    Raises PlatformError where the port cannot be had or a host does not come in time, and at once what `check` raises.
    """
    together = Companions(meeting, overdue)
    log.info("%s waits for the other hosts: all are %s", meeting.hosts.current, ", ".join(meeting.names))
    try:
        if meeting.hosts.is_leader:
            _receive(meeting, together, check)
        else:
            _call(meeting, together, check)
        log.info("%d hosts are here: %s", len(meeting.names), ", ".join(meeting.names))
        yield together
    except PlatformError as error:
        if not together.exchange[1]:  # those who have come hear who has not
            together.leave(Ending(error.exit_code, str(error)), check)
        raise
    finally:
        together.close()


def _call(meeting: Meeting, together: Companions, check: Check) -> None:
    leader = meeting.hosts.leader
    try:
        link = links.call(leader, meeting.port, meeting.patience, check)
        links.say(link, {"job": meeting.job, "host": meeting.hosts.current})
    except OSError as error:
        raise PlatformError(
            f"{leader} has not answered on port {meeting.port} for {meeting.patience:.0f} s ({error}): see its log. In a private "
            "network, let the hosts of a job reach each other"
        ) from error
    together.join(leader, link)
    together.await_begin(check)


def _receive(meeting: Meeting, together: Companions, check: Check) -> None:
    """Take the followers' calls, until none is missing."""
    try:
        listener = links.listen(meeting.hosts.leader, meeting.port, meeting.silence)
    except OSError as error:
        raise PlatformError(f"port {meeting.port} is needed for the other hosts ({error.strerror}): free it") from error
    missing, until = {*meeting.followers}, time.monotonic() + meeting.patience
    with listener:
        while missing:
            check()
            together.check()
            if time.monotonic() > until:
                raise PlatformError(
                    f"{', '.join(sorted(missing))} did not call {meeting.hosts.leader} on port {meeting.port} within "
                    f"{meeting.patience:.0f} s: see the log there. In a private network, let the hosts of a job reach each other"
                )
            if links.ready(listener, links.SLICE) and (called := _answered(listener, meeting, missing)):
                together.join(*called)
                missing.discard(called[0])
    together.listener = links.listen(together.address, 0, meeting.silence)
    together.begin(together.listener.getsockname()[1])


def _answered(listener: socket.socket, meeting: Meeting, missing: set[str]) -> tuple[str, socket.socket] | None:
    """Take one call: the follower's name and link, or None for a stranger, on whom is hung up."""
    with ExitStack() as unknown, suppress(OSError):
        link = unknown.enter_context(listener.accept()[0])
        said = links.hear(link, time.monotonic() + HELLO, lambda: None)
        if said.get("job") == meeting.job and said.get("host") in missing:
            unknown.pop_all()
            return said["host"], link
    return None


def _said(line: bytes) -> dict[str, Any]:
    """Read a line; one that is no JSON object says nothing."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
