"""One fault, tried: what is looked at when the job has ended, and when it has been started again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from job import TIMES, Ended, Job
from relabel.container.failure import OURS

STOPPED, KILLED, BUS_ERROR = 143, 137, 135
"""Exit codes of the container's parent: the job was asked to end, or the kernel ended it."""

WELL, BARE, ASKED, NAMED, SILENT = (
    "ended well",
    "without report",
    "stopped as asked",
    "failed, cause named",
    "killed whole",
)
"""How a job may end. Where only the report cannot be written, or has no memory, the job ends well without it and its log says so."""

UNREPORTED = ("the report could not be made", "no report: of ")
REPORT = ("output/data/report.html", "output/data/figures/")


@dataclass(frozen=True)
class Event:
    """One moment of the unbroken job: seconds since its process began, what it did, to which file."""

    seconds: float
    kind: str
    path: str


@dataclass(frozen=True)
class Whole:
    """The unbroken job that all others are held to.

    seconds: how long the process that trains took.
    """

    job: Job
    results: Mapping[str, bytes]
    events: tuple[Event, ...]

    @property
    def seconds(self) -> float:
        """When the last event was."""
        return self.events[-1].seconds

    def copy(self, folder: Path) -> Job:
        """Make a job with the same inputs, nothing of which is done."""
        shutil.copytree(self.job.root / "input", folder / "input")
        return Job(folder)


@dataclass(frozen=True)
class Trial:
    """What became of one fault; nothing stands in the last three where all promises were kept.

    ended:        how the job ended: one of the words above.
    stage:        where it was then.
    said:         the first line of the failure file.
    lost:         what the next start did not give as the unbroken job gives it.
    half_written: what the fault left under a name that stands for a whole file, or beside one.
    unexplained:  what nobody said, or what was said wrongly.
    """

    ended: str
    stage: str
    said: str
    lost: tuple[str, ...]
    half_written: tuple[str, ...]
    unexplained: tuple[str, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """Every promise that was not kept."""
        return (*self.lost, *self.half_written, *self.unexplained)


@dataclass(frozen=True)
class Case:
    """A fault to try in an empty folder."""

    name: str
    tried: Callable[[Path], Trial] = field(repr=False)


def judged(whole: Whole, job: Job, ended: Ended, *, silent: bool = False, names: tuple[str, ...] = ()) -> Trial:
    """Look at a job that a fault has met, then start it again and hold its end to the unbroken one.

    silent: everything in the container was killed at once, so that nobody could say why.
    names:  of these, one must stand in the failure file where the job failed.
    """
    how, stage = _how(ended, silent=silent), job.stage()
    half_written = [*_half_written(whole, job)]
    if how in (WELL, BARE):
        half_written += (one for one in _differences(whole, job) if how == WELL or not one.startswith(REPORT))
    elif how != SILENT and ended.code < KILLED:  # whoever was killed in the middle of a write could sweep nothing
        half_written += [f"left over: {path.name}" for path in job.temporary()]
    again = job.run()
    lost = [f"started again: {problem}" for problem in _differences(whole, job)]
    if again.code:
        lost.append(f"started again, it ended with {again.code}: {again.failure or again.log[-300:]}")
    said = ended.failure.partition("\n")[0]
    return Trial(how, stage, said, tuple(lost), tuple(half_written), tuple(_unexplained(ended, how, names)))


def _how(ended: Ended, *, silent: bool) -> str:
    if ended.code == 0:
        return BARE if any(said in ended.log for said in UNREPORTED) else WELL
    if ended.code == STOPPED:
        return ASKED
    return SILENT if silent and not ended.failure else NAMED


def _half_written(whole: Whole, job: Job) -> Iterator[str]:
    """Whatever stands under its own name must be what it will be in the end; the description of a model comes last."""
    found = {name: data for name, data in job.results().items() if name in whole.results}
    yield from (f"half-written: {name}" for name, data in found.items() if data != whole.results[name])
    times = job.out / "output" / "data" / TIMES
    try:
        json.loads(times.read_bytes() if times.exists() else b"{}")
    except ValueError:
        yield f"half-written: {TIMES}"
    missing = [name for name in whole.results if name.startswith("model/") and name not in found]
    if "model/model.json" in found and missing:
        yield f"the model's description came before {', '.join(missing)}"


def _unexplained(ended: Ended, how: str, names: tuple[str, ...]) -> Iterator[str]:
    if how in (WELL, BARE, ASKED, SILENT):
        if ended.failure:
            yield f"no failure, but explained: {ended.failure}"
        return
    if not ended.failure:
        yield f"exit code {ended.code} and no failure file: {ended.log[-300:]}"
    elif OURS.strip() in ended.failure:
        yield f"the fault is taken for relabel's own: {ended.failure}"
    elif names and not any(name in ended.failure for name in names):
        yield f"the cause is not named: {ended.failure}"


def _differences(whole: Whole, job: Job) -> Iterator[str]:
    found = job.results()
    for name in sorted({*found, *whole.results}):
        if found.get(name) != whole.results.get(name):
            yield f"{name} is not that of the unbroken job" if name in found else f"{name} is missing"
    yield from (f"left over: {path.relative_to(job.out)}" for path in job.temporary() if path.name not in found)
