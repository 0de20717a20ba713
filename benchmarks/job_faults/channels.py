"""Files of a channel that go away, or are cut short, while the job reads them and after.

A job that is told of little memory leaves embeddings on the disk and maps them: where such a file is cut, the kernel ends the process.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import disk
import memory
from trial import Case, Trial, Whole, judged

LATE = {"in the first fit": "/checkpoints/", "in the results": "/output/data/"}
FEW = 2
"""Ways to harm a file, in the short form."""


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Take away or cut each file before each time that it is opened, and once more when all has been read."""
    files = ("train.npy",) if short else ("train.npy", "train.csv", "test.npy", "dev.csv")
    mapped = not disk.missing()
    for name in files:
        opened = sum(event.kind == "open" and event.path.endswith(name) for event in whole.events)
        for act, fault in list(_faults(whole, name).items())[: FEW if short else None]:
            for n in sorted({1, opened}):
                moment = {"event": n, "file": name}
                yield Case(
                    f"{name} {act} at opening {n} of {opened}", partial(_tried, whole, name, {**fault, **moment})
                )
            for when, mark in LATE.items():
                n = next(n for n, e in enumerate(whole.events, 1) if mark in e.path and e.kind == "open")
                late = {**fault, "event": n}
                if not (short and mapped):
                    yield Case(f"{name} {act} {when}", partial(_tried, whole, name, late))
                if name.endswith(".npy") and mapped:
                    yield Case(f"{name} {act} {when}, on the disk", partial(_tried, whole, name, late, little=True))


def _faults(whole: Whole, name: str) -> dict[str, dict[str, Any]]:
    size = (whole.job.train / name).stat().st_size
    return {
        "removed": {"act": "remove"},
        "cut to half": {"act": "cut", "size": size // 2},
        "cut to nothing": {"act": "cut", "size": 0},
    }


def _tried(whole: Whole, name: str, fault: Mapping[str, Any], folder: Path, *, little: bool = False) -> Trial:
    job = whole.copy(folder)
    around = memory.pretended(folder / "limit") if little else ()
    ended = job.run({**fault, "victim": str(job.train / name)}, around=around)
    shutil.copy(whole.job.train / name, job.train / name)
    return judged(whole, job, ended, names=(name, "cut short", "become shorter"))
