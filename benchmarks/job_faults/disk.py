"""A volume that is full: at every write.

The job writes into a small file system in memory, alone in a mount namespace, whose size goes from nothing to more than it needs. It holds either
all that the job writes, as the platform's volume does, or one of its folders.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from trial import Case, Trial, Whole, judged

PAGE = 4096
VOLUMES = {"all": "", "checkpoints": "checkpoints", "results": "output", "model": "model"}
MANY = {"all": 30, "checkpoints": 8, "results": 20, "model": 8}
FEW = {"all": 4, "checkpoints": 1, "results": 1, "model": 1}
"""Sizes tried of each."""
IN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
SCRIPT = """
set -eu
size=$1; volume=$2; shift 2
mkdir -p "$volume"
mount -t tmpfs -o "size=$size" none "$volume"
code=0; "$@" || code=$?
cp -a "$volume" "$volume.kept"
exit $code
"""


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Try sizes from one page on, in even steps of pages, the last of which is all that is needed."""
    for name, folder in VOLUMES.items():
        need, steps = _pages(whole.job.out / folder), (FEW if short else MANY)[name]
        for size in sorted({1 + n * (need + need // 8) // steps for n in range(steps + 1)}):
            yield Case(f"{size} pages for {name} ({need} in the end)", partial(_tried, whole, folder, size))


def missing() -> str:
    """Say why nothing can be tried here; "" where it can."""
    tried = subprocess.run(
        [*IN_NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else f"no file system can be mounted here: {tried.stderr.strip()}"


def _pages(folder: Path) -> int:
    """Count pages: each file's own, and one for what tells of it."""
    return sum(2 + path.stat().st_size // PAGE for path in folder.rglob("*"))


def _tried(whole: Whole, folder: str, pages: int, place: Path) -> Trial:
    job = whole.copy(place)
    volume = job.out / folder
    around = (*IN_NAMESPACE, "sh", "-c", SCRIPT, "sh", str(pages * PAGE), str(volume))
    ended = job.run(around=around)
    shutil.rmtree(volume)
    Path(f"{volume}.kept").rename(volume)
    failure = job.out / "output" / "failure"
    ended = type(ended)(ended.code, ended.log, failure.read_text() if failure.exists() else "")
    return judged(whole, job, ended, names=("o space left", "cannot be written"))
