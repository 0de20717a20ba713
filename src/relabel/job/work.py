"""The work of the training job: data in, results and model out."""

from __future__ import annotations

import os
import platform
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import threadpoolctl
import torch

import relabel
from relabel import settings
from relabel.container import gpu, processors
from relabel.container.configuration import Configuration
from relabel.container.paths import Paths
from relabel.data import reading
from relabel.data.digest import digest
from relabel.job import material, reporting, stages
from relabel.job.fits import Fits
from relabel.job.material import World
from relabel.model import artifact
from relabel.results import (
    audit_table,
    cleaned,
    data_issues,
    explanations,
    journal,
    label_issues,
    metrics_file,
    run_record,
    seed_files,
)
from relabel.results.findings import Findings
from relabel.settings import TrainSettings

FITS, VECTORS = "fits", "vectors"
"""Folders of kept fits, and of vectors of texts, among the checkpoints."""

WRITERS = (
    audit_table.write,
    label_issues.write,
    cleaned.write,
    seed_files.write,
    journal.write,
    metrics_file.write,
    data_issues.write,
    explanations.write,
)


def run(
    paths: Paths,
    told: Configuration,
    given: Mapping[str, Any],
    *,
    job: str,
    progress: Callable[[str, int, int], None],
    check: Callable[[], None],
) -> Findings:
    """Read the channels, do the stages, write everything; the model last, so that a model folder which holds one means that all went well.

    given:    settings as they were given; which learner is meant may depend on the data.
    job:      the platform's name for it, or "".
    progress: told (name of a fit, steps done, steps in all).
    check:    raises where the job must end.
    """
    started, watch = datetime.now(UTC), _Stopwatch()
    examples = reading.read(told.data_channels, settings.parse(TrainSettings, given))
    chosen = material.chosen(examples, given, told.encoder_channel)
    threads = chosen.threads or default_threads()
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        reporting.data(examples)
        name = digest(examples)
        watch.lap("reading")
        workers = chosen.threads or processors.count()
        world = World(told.encoder_channel, told.checkpoints / VECTORS, workers, check, progress)
        made = material.made(examples, chosen, world)
        watch.lap("reading texts")
        fits = Fits(
            folder=told.checkpoints / FITS,
            data=f"{name}{made.version}",
            build=build(threads),
            every=chosen.checkpoint_seconds,
            clock=time.monotonic,
            check=check,
            progress=progress,
        )
        findings, model = stages.run(examples, made, name, chosen, fits)
        watch.lap("fits, audit and comparison")
    for write in WRITERS:
        check()
        write(paths.output_data, findings)
    watch.lap("writing")
    record = {
        "started": started.isoformat(),
        "seconds": {**watch.laps, "each fit": fits.seconds, "all": sum(watch.laps.values())},
        "host": platform.node(),
        "job": job,
        "cores": os.cpu_count(),
        "build": build(threads),
    }
    run_record.write(paths.output_data, record)
    artifact.save(paths.model, model)
    reporting.findings(findings)
    return findings


class _Stopwatch:
    """Seconds of the job's stages, one after another."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.monotonic()
        self.laps[name], self._last = now - self._last, now


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


def build(threads: int) -> dict[str, Any]:
    """Say what may change the last digits of a result."""
    packages = ("numpy", "torch", "pytorch-lightning", "cleanlab")
    versions = {name: metadata.version(name) for name in packages}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {"relabel": relabel.__version__, **versions, "threads": threads, "device": device}
