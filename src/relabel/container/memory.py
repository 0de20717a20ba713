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


def read(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> Memory:
    """Read the group that this process is in; never raises.

    groups: where groups are mounted. A container sees its own at the top, a process beside other groups finds it by name.
    own:    names of the groups of this process.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if (groups / "memory").is_dir():
        limit, peak, events = "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.oom_control"
        groups = _inside(groups / "memory", _text(own), "memory", limit)
    else:
        limit, peak, events = "memory.max", "memory.peak", "memory.events"
        groups = _inside(groups, _text(own), "", limit)
    # version 1 says "no limit" by a number near 2^63, version 2 by a word
    return Memory(
        limit=min(_number(_text(groups / limit)) or machine, machine),
        peak=_number(_text(groups / peak)),
        kills=_entry(_text(groups / events), "oom_kill"),
    )


def held(status: Path = Path("/proc/self/status")) -> int:
    """Give the bytes that this process holds for itself, without what the kernel keeps of files for it; 0 where it does not tell."""
    said = [line.split()[1] for line in _text(status).splitlines() if line.startswith("RssAnon:")]
    return 1024 * int(said[0]) if said else 0


def _inside(mounted: Path, names: str, controller: str, file: str) -> Path:
    """Find the folder of a process's group; where there is none, what is mounted is the group itself."""
    entries = [line.split(":", 2) for line in names.splitlines()]
    found = [mounted / name.lstrip("/") for _, kinds, name in entries if controller in kinds.split(",")]
    return next((folder for folder in found if (folder / file).is_file()), mounted)


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
