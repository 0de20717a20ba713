"""How many processor cores this process may use: those it may run on, or fewer where a control group's quota gives it less time."""

from __future__ import annotations

import math
import os
from pathlib import Path


def count(groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Count them, at least 1; a part of a core counts as one. Never raises."""
    there = len(os.sched_getaffinity(0))
    quota, period = _quota(groups)
    return max(1, min(there, math.ceil(quota / period))) if quota > 0 and period > 0 else there


def _quota(groups: Path) -> tuple[int, int]:
    """Give the time of processors per period, in microseconds, from control groups of either version; (0, 0) where there is no limit."""
    said = _text(groups / "cpu.max").split() or [
        _text(groups / "cpu" / "cpu.cfs_quota_us"),
        _text(groups / "cpu" / "cpu.cfs_period_us"),
    ]
    try:
        quota, period = map(int, said)
    except ValueError:  # "max", or nothing
        return 0, 0
    return quota, period


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
