"""Links between the hosts of a job: a TCP connection that the kernel watches, over which short lines of JSON go."""

from __future__ import annotations

import ipaddress
import json
import select
import socket
import time
from collections.abc import Callable, Mapping
from concurrent import futures
from concurrent.futures import Future
from threading import Thread
from typing import Any

LONGEST_LINE = 16384
"""In bytes; nobody is heard out for longer."""

WAITING_CALLS = 1024
"""Links that the kernel keeps until they are taken."""

SLICE = 0.5
"""Longest wait without a look at signals, in seconds."""

CALL = 2.0
"""How long one call may take to be answered, in seconds."""


def listen(name: str, port: int, silence: float) -> socket.socket:
    """Open the port on every address, or on the one address that is the host's name.

    Links that are taken from it are watched from their first moment, see `watch`. Raises OSError where the port cannot be had.
    """
    try:
        address = str(ipaddress.IPv4Address(name))
    except ValueError:
        address = ""
    listener = socket.create_server((address, port), backlog=WAITING_CALLS)
    watch(listener, silence)
    return listener


def call(name: str, port: int, patience: float, check: Callable[[], None]) -> socket.socket:
    """Call a host until it answers: while it starts, its name may be unknown and its port closed.

    Raises the last OSError where that takes longer than `patience` seconds, and at once what `check` raises.
    """
    answer: Future[socket.socket] = Future()
    Thread(target=_dial, args=(name, port, time.monotonic() + patience, answer), daemon=True).start()
    try:
        while not futures.wait([answer], SLICE).done:
            check()
    finally:
        answer.cancel()
    return answer.result()


def _dial(name: str, port: int, until: float, answer: Future[socket.socket]) -> None:
    """Dial until somebody answers or nobody asks any more; in a thread, for no signal ends the search for a name, which may take long."""
    pause = SLICE / 8
    while not answer.done():
        try:
            link = socket.create_connection((name, port), timeout=CALL)
        except Exception as error:  # noqa: BLE001  # it is raised where somebody waits
            final = time.monotonic() > until or not isinstance(error, OSError)
            if final and answer.set_running_or_notify_cancel():
                answer.set_exception(error)
        else:
            if answer.set_running_or_notify_cancel():
                answer.set_result(link)
            else:
                link.close()
        time.sleep(pause)
        pause = min(2 * pause, SLICE)


def watch(link: socket.socket, silence: float) -> None:
    """Let the kernel probe a link on which nothing is said, and give it up after so many seconds without an answer."""
    every = max(1, round(silence / 6))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(silence * 1000))


def ready(link: socket.socket, seconds: float) -> bool:
    """Wait until there is something to take from a link or a listener; False where there is not."""
    waiting = select.poll()
    waiting.register(link, select.POLLIN)
    return bool(waiting.poll(seconds * 1000))


def say(link: socket.socket, said: Mapping[str, Any]) -> None:
    """Send one line."""
    link.sendall(json.dumps(said).encode() + b"\n")


def hear(link: socket.socket, until: float, check: Callable[[], None]) -> dict[str, Any]:
    """Wait for one line, whoever sends whatever; one that is no JSON object says nothing, {}.

    until: by the monotonic clock. check: asked where nothing comes.

    Raises OSError where no line comes: in time, before the other side hangs up, or within its longest length.
    """
    line = b""
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing was said")
        if not ready(link, min(left, SLICE)):
            check()
            continue
        more = link.recv(LONGEST_LINE - len(line))
        if not more:
            raise ConnectionError("hung up")
        line += more
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
