"""A memory limit that is hit: the job in a control group of its own, of either version, whose limit is below what it needs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from disk import IN_NAMESPACE
from trial import Case, Trial, Whole, judged

GROUPS = Path("/sys/fs/cgroup")
MIB = 1 << 20
LIMITS, FEW = (100, 200, 300, 400, 430, 450, 470, 490, 510, 560), (100, 440)
"""MiB. A job needs about 500, nearly all of it libraries."""
SCRIPT = """
set -eu
group=$1; seen=$2; shift 2
echo $$ >"$group/cgroup.procs"
mount --bind "$group" "$seen"
exec "$@"
"""

PRETENDED = 200_000
"""Bytes of memory that a job is told it has, so that it leaves its embeddings on the disk."""
PRETENCE = """
set -eu
said=$1; shift
while [ "$1" != -- ]; do mount --bind "$said" "$1"; shift; done
shift
exec "$@"
"""


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Try limits from far below the need to near it."""
    for limit in FEW if short else LIMITS:
        yield Case(f"{limit} MiB", partial(_tried, whole, limit))


def missing() -> str:
    """Say why nothing can be tried here; "" where it can."""
    try:
        with _group(1 << 30):
            return ""
    except OSError as error:
        return f"no control group with a memory limit can be made here ({error.strerror})"


def pretended(said: Path) -> tuple[str, ...]:
    """Give what is put before a command that shall see little memory, and have as much as it likes; `said` is a file that may be written."""
    said.write_text(f"{PRETENDED}\n")
    version_1 = (GROUPS / "memory").is_dir()
    top, name = (GROUPS / "memory", "memory.limit_in_bytes") if version_1 else (GROUPS, "memory.max")
    entries = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = [
        top / group.lstrip("/") for _, kinds, group in entries if ("memory" if version_1 else "") in kinds.split(",")
    ]
    places = [str(folder / name) for folder in dict.fromkeys([top, *own]) if (folder / name).exists()]
    return (*IN_NAMESPACE, "sh", "-c", PRETENCE, "sh", str(said), *places, "--")


def _tried(whole: Whole, limit: int, folder: Path) -> Trial:
    job = whole.copy(folder)
    with _group(limit * MIB) as (group, seen):
        # The group is shown to the job as a container's own: where it looks for its limit.
        around = ("unshare", "--mount", "sh", "-c", SCRIPT, "sh", str(group), str(seen))
        ended = job.run(around=around)
    return judged(whole, job, ended, names=("out of memory", "more memory"))


@contextmanager
def _group(limit: int) -> Iterator[tuple[Path, Path]]:
    """Make a group; yield it and the place where a container sees its own. Raises OSError where that cannot be."""
    first = (GROUPS / "memory").is_dir()
    seen = GROUPS / "memory" if first else GROUPS
    group = seen / f"relabel-faults-{os.getpid()}-{time.monotonic_ns()}"
    group.mkdir()
    try:
        (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(limit))
        with suppress(OSError):  # a kernel that does not count swap has nothing to limit there
            (group / ("memory.memsw.limit_in_bytes" if first else "memory.swap.max")).write_text(
                str(limit if first else 0)
            )
        yield group, seen
    finally:
        group.rmdir()
