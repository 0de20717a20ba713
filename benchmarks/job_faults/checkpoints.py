"""Checkpoints that are torn or changed: each file of a stopped job, cut or with one bit turned."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from trial import Case, Trial, Whole, judged

from job import Job

TURNED = 16
"""Places at which one bit is turned."""


def cases(whole: Whole, *, short: bool) -> Iterator[Case]:
    """Harm the newest snapshot and a finished fit in every way, and bits of both at drawn places."""
    draw = random.Random(0)  # noqa: S311  # the same places each time
    places = [draw.random() for _ in range(TURNED)]
    harms: dict[str, Callable[[bytes], bytes]] = {
        "empty": lambda _: b"",
        "cut to half": lambda data: data[: len(data) // 2],
        "last byte gone": lambda data: data[:-1],
        "zeros, as long": lambda data: bytes(len(data)),
        "a page of zeros in it": lambda data: (
            data[: len(data) // 2] + bytes(len(data) // 8) + data[len(data) * 5 // 8 :]
        ),
    }
    harms |= {
        f"a bit turned in the header, {place:.2f}": partial(_turned, place=place, header=True) for place in places
    }
    harms |= {
        f"a bit turned in the arrays, {place:.2f}": partial(_turned, place=place, header=False) for place in places[::2]
    }
    if short:
        harms = dict(list(harms.items())[1::6])
    stopped = Stopped(whole)
    for kind, pattern in (("snapshot", "*.running.safetensors"), ("finished fit", "*.models.safetensors")):
        for name, harm in harms.items():
            yield Case(f"{kind}: {name}", partial(_tried, stopped, pattern, harm))
    for year, when in ((1970, 0), (2100, 4_102_444_800)):
        yield Case(f"all checkpoints dated {year}", partial(_dated, stopped, when))


class Stopped:
    """A job that was killed in the middle of a fit, from which each case begins."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        at = [n for n, event in enumerate(whole.events, 1) if ".running." in event.path and event.kind == "os.rename"]
        self.job = whole.copy(whole.job.root / "stopped")
        self.job.run({"act": "signal", "target": "container", "event": at[-1] + 3})
        fits = self.job.out / "checkpoints" / "fits"
        assert list(fits.glob("*.running.*")), "the job was not killed in a fit"

    def copy(self, folder: Path) -> Job:
        """Make the job once more, as it was when it was killed."""
        shutil.copytree(self.job.root, folder, dirs_exist_ok=True)
        return Job(folder)


def _tried(stopped: Stopped, pattern: str, harm: Callable[[bytes], bytes], folder: Path) -> Trial:
    job = stopped.copy(folder)
    victim = max((job.out / "checkpoints" / "fits").glob(pattern))
    victim.write_bytes(harm(victim.read_bytes()))
    return judged(stopped.whole, job, job.run())


def _dated(stopped: Stopped, when: int, folder: Path) -> Trial:
    job = stopped.copy(folder)
    for path in (job.out / "checkpoints").rglob("*"):
        os.utime(path, (when, when))
    return judged(stopped.whole, job, job.run())


def _turned(data: bytes, *, place: float, header: bool) -> bytes:
    """Turn one bit, at a share of the header's length or of the rest."""
    end = 8 + int.from_bytes(data[:8], "little")
    at = int(place * end) if header else end + int(place * (len(data) - end))
    return data[:at] + bytes([data[at] ^ 1 << int(place * 1000) % 8]) + data[at + 1 :]
