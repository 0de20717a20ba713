"""Listening sockets: one for each worker, all on one port, made and kept by the parent.

The kernel deals connections out to them evenly. A worker that dies leaves its socket, with the connections that wait there, to the worker that
replaces it. One socket for all would leave most connections to whichever worker wakes first; sockets that the workers make would die with them.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable

from relabel.errors import UserError

WAITING = 2048
"""Connections that the kernel keeps until a worker takes them."""

SO_ATTACH_FILTER = 26
NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of TCP's flags
    (0x45, 0, 1, 0x02),  # SYN set: the next line, else the one after it
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # let through
)
"""A packet filter (code, jump if true, jump if false, operand), see socket(7) and the kernel's networking/filter.rst."""


def sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """Open `count` sockets on one address.

    Raises UserError where somebody else has it, or it cannot be had.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        # The sockets below would share the port with another server's of their kind; this one shares it with nobody.
        with socket.socket(family, kind) as alone:
            alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            alone.bind(address)
            address = alone.getsockname()
        return [_listening(family, kind, address) for _ in range(count)]
    except OSError as error:
        raise UserError(f"port {port} on {host} cannot be had ({error.strerror}): choose another with --port") from None


def refuse_new(listeners: Iterable[socket.socket]) -> None:
    """Let no further connection begin; those that have begun still arrive and are taken.

    Closing a socket resets whatever waits there. After this nothing comes that could be reset: who knocks now finds the port closed when it
    knocks again. Where the system has no such filters nothing happens.
    """
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in NO_SYN))
    for listener in listeners:
        try:
            listener.setsockopt(
                socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(NO_SYN), ctypes.addressof(program))
            )
        except OSError:
            continue


def _listening(family: int, kind: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(address)
    made.listen(WAITING)
    return made
