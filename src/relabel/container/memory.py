"""What the kernel says of a container's memory, from control groups of either version."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of the control group, or of the machine where the group has no limit.

    limit: bytes.
    peak:  bytes, None where the kernel does not tell.
    kills: processes killed for want of memory since the group was made, None where the kernel does not tell.
    """

    limit: int
    peak: int | None = None
    kills: int | None = None


def read(groups: Path = Path("/sys/fs/cgroup")) -> Memory:
    """Read the group that a container sees as its own; never raises."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if (first := groups / "memory").is_dir():
        limit, peak, events = "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"
        groups = first
    else:
        limit, peak, events = "memory.max", "memory.peak", "memory.events"
    # version 1 says "no limit" by a number near 2^63, version 2 by a word
    return Memory(
        limit=min(_number(_text(groups / limit)) or machine, machine),
        peak=_number(_text(groups / peak)),
        kills=_entry(_text(groups / events), "oom_kill"),
    )


def _entry(text: str, name: str) -> int | None:
    """Find the number of one `name number` line."""
    numbers = [line.removeprefix(f"{name} ") for line in text.splitlines() if line.startswith(f"{name} ")]
    return _number(numbers[0]) if numbers else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
