"""The work of the training job: data in, results and model out."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import threadpoolctl
import torch

import relabel
from relabel import settings
from relabel.container import gpu, memory, processors
from relabel.container.company import Company, agree
from relabel.container.configuration import Configuration
from relabel.container.paths import Paths
from relabel.data import reading
from relabel.data.digest import digest
from relabel.data.room import Room
from relabel.data.shards import Shards
from relabel.job import champion as champions
from relabel.job import material, population, reporting, stages
from relabel.job.build import build
from relabel.job.fits import Fits
from relabel.job.material import World
from relabel.model import artifact
from relabel.model.artifact import Artifact
from relabel.report import page
from relabel.results import (
    audit_table,
    cleaned,
    data_issues,
    explanations,
    journal,
    label_issues,
    metrics_file,
    neighbours,
    outlook_file,
    predictions,
    run_record,
    seed_files,
)
from relabel.results import champion as champion_file
from relabel.results import population as population_files
from relabel.results.findings import Findings
from relabel.settings import TrainSettings
from relabel.tracking.tracker import Tracker

log = logging.getLogger(__name__)

FITS, VECTORS = "fits", "vectors"
"""Folders of kept fits, and of vectors of texts, among the checkpoints."""

REPORT = 250
"""Bytes of memory that the report takes for each row while it is made: 190 were seen with ten million rows."""

GIVEN = "hyperparameters, channels, champion and image"
"""What decides which stages a host goes through: hosts that differ in it would wait for each other at different places."""

WRITERS = (
    audit_table.write,
    label_issues.write,
    cleaned.write,
    seed_files.write,
    journal.write,
    metrics_file.write,
    predictions.write,
    data_issues.write,
    explanations.write,
    outlook_file.write,
    population_files.write,
    neighbours.write,
    champion_file.write,
)


def run(
    paths: Paths,
    told: Configuration,
    given: Mapping[str, Any],
    *,
    champion: Artifact | None,
    job: str,
    progress: Callable[[str, int, int], None],
    check: Callable[[], None],
    tracker: Tracker,
    company: Company,
) -> Findings:
    """Read the channels, do the stages, write everything; the model last, so that a model folder which holds one means that all went well.

    given:    settings as they were given; which learner is meant may depend on the data.
    champion: the model that serves now, where there is one.
    job:      the platform's name for it, or "".
    progress: told (name of a fit, steps done, steps in all).
    check:    raises where the job must end.
    tracker:  told what is done and how it goes.
    company:  the hosts of the job, of which the first alone writes.
    """
    started, watch = datetime.now(UTC), _Stopwatch()
    pa.enable_signal_handlers(False)  # else a reader that a SIGTERM meets takes it for itself, and fails
    wanted = settings.parse(TrainSettings, given)
    population.check(wanted)
    agree(company, _decisive(told, wanted, champion), when="at the start", have="was given something else", give=GIVEN)
    room = Room.within(memory.read().limit)
    examples = reading.read(told.data_channels, wanted, room, Shards(told.sharded, company))
    vectors = told.checkpoints / VECTORS
    rival = None if champion is None else champions.fitted(champion, examples, vectors=vectors, check=check, room=room)
    chosen = material.chosen(examples, given, told.encoder_channel)
    threads = min(int(said[0]) for said in company.gather(np.array([chosen.threads or default_threads()])))
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        reporting.data(examples)
        name = digest(examples)
        watch.lap("reading")
        tracker.described(settings.as_dict(chosen), {"data": name, **_told(build(threads))})
        workers = chosen.threads or processors.count()
        world = World(told.encoder_channel, vectors, workers, check, progress, room)
        made = material.made(examples, chosen, world)
        reporting.notes(made.notes)
        examples = dataclasses.replace(examples, notes=(*examples.notes, *made.notes))
        watch.lap("reading texts")
        fits = _fits(told, chosen, f"{name}{made.version}", threads, world, measured=tracker.measured, company=company)
        findings, model = stages.run(examples, made, name, chosen, fits, champion=rival)
        fits.done()
        watch.lap("fits, audit and comparison")
    if company.rank:
        return findings
    _tables(paths.output_data, findings, check)
    watch.lap("writing")
    about: dict[str, Any] = {"job": job, "threads": threads, "hosts": company.names, "tracked": tracker.run}
    _record(paths.output_data, started=started, seconds=watch.seconds(fits.seconds), **about)
    _report(paths.output_data, chosen, len(examples))
    artifact.save(paths.model, model)
    reporting.findings(findings)
    tracker.results(paths.output_data, paths.model)
    return findings


def _fits(
    told: Configuration,
    chosen: TrainSettings,
    data: str,
    threads: int,
    world: World,
    *,
    measured: Callable[[Mapping[str, float], int], None] | None,
    company: Company,
) -> Fits:
    """Make what runs fits and keeps them; data: names what they are made of."""
    return Fits(
        folder=told.checkpoints / FITS,
        data=data,
        build=build(threads),
        every=chosen.checkpoint_seconds,
        clock=time.monotonic,
        check=world.check,
        progress=world.progress,
        measured=measured,
        company=company,
    )


def _tables(folder: Path, findings: Findings, check: Callable[[], None]) -> None:
    for write in WRITERS:
        check()
        write(folder, findings)


def _decisive(told: Configuration, wanted: TrainSettings, champion: Artifact | None) -> str:
    """Say what a host was given."""
    given = {
        "settings": settings.as_dict(wanted),
        "channels": [*told.channels],
        "sharded": sorted(told.sharded),
        "champion": None if champion is None else artifact.sha256(champion.model),
        "relabel": relabel.__version__,
    }
    return json.dumps(given, sort_keys=True, default=str)


def _record(
    folder: Path,
    *,
    started: datetime,
    seconds: Mapping[str, Any],
    job: str,
    threads: int,
    hosts: Sequence[str],
    tracked: str,
) -> None:
    """Write when, where and how long: the only file that differs when the same job runs again."""
    record = {
        "started": started.isoformat(),
        "seconds": seconds,
        "host": platform.node(),
        "hosts": list(hosts),
        "job": job,
        "cores": os.cpu_count(),
        "build": build(threads),
        "tracked": tracked,
    }
    run_record.write(folder, record)


def _report(folder: Path, chosen: TrainSettings, rows: int) -> None:
    """Write the report, or take an earlier one away. It is made of what was written before: a fault of it, or want of memory, costs no model."""
    try:
        page.remove(folder)
        if chosen.report == "on" and _has_memory(rows):
            page.write(folder)
    except Exception:
        log.exception(
            "the report could not be made; all other results are whole, and `relabel report` makes it of them"
        )


def _has_memory(rows: int) -> bool:
    """Tell whether there is memory for the report of so many rows beside what the job holds, and say so where there is not."""
    needed, left = rows * REPORT, memory.read().limit - memory.held()
    if needed > left:
        log.warning(
            "no report: of %s rows it takes about %.1f GiB of memory, and %.1f are left; with more `relabel report` makes it of the results",
            f"{rows:,}",
            needed / memory.GIB,
            left / memory.GIB,
        )
    return needed <= left


class _Stopwatch:
    """Seconds of the job's stages, one after another."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.monotonic()
        self.laps[name], self._last = now - self._last, now

    def seconds(self, each_fit: Mapping[str, float]) -> dict[str, Any]:
        """Give all stages, each fit among them, and their sum."""
        return {**self.laps, "each fit": each_fit, "all": sum(self.laps.values())}


def check_gpu(*, required: bool) -> None:
    """Give torch the last word: CUDA may fail to start although everything for it is there.

    Raises PlatformError where a GPU is required.
    """
    facts = gpu.read()
    warnings.filterwarnings("ignore", message="CUDA initialization", category=UserWarning)  # it is said here, once
    if facts.built_for and not gpu.problem(facts) and not torch.cuda.is_available():
        gpu.announce(
            f"CUDA does not start, although driver {facts.driver} and {facts.gpus} GPU are there", required=required
        )


def default_threads() -> int:
    """Give half the processor cores that this process may use, at most 4.

    The networks are small: more threads gain little, and threads that wait for each other at every small operation lose all of it when
    anything else runs on their cores (measured: 100 times slower).
    """
    return max(1, min(4, processors.count() // 2))


def _told(build: Mapping[str, Any]) -> dict[str, str]:
    return {f"build.{name}": str(value) for name, value in build.items()}
