"""The edge of the training job: from the platform's files to results, exit code and failure file."""

from __future__ import annotations

import logging
import os
import platform
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import threadpoolctl
import torch

import relabel
from relabel import errors, settings
from relabel.container import configuration, failure
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.container.signals import Stop, Stopped
from relabel.data import reading
from relabel.data.digest import digest
from relabel.errors import UserError
from relabel.job import reporting, stages
from relabel.job.fits import Fits
from relabel.model import artifact
from relabel.results import audit_table, cleaned, journal, label_issues, metrics_file, run_record, seed_files
from relabel.results.findings import Findings
from relabel.settings import TrainSettings

log = logging.getLogger(__name__)

FITS = "fits"
"""Folder of kept fits among the checkpoints."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Done:
    """How a job ended: its exit code and, where it went well, what it found."""

    code: int
    findings: Findings | None = None


def train(paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress) -> Done:
    """Run the training job in `paths`.

    overrides: settings that win over the hyperparameters.
    progress:  told (name of a fit, steps done, steps in all).

    Every ending is an exit code: 0; 128 + n where signal n asked it to end, with nothing explained; else that of the kind of failure, with
    its cause in the failure file and the traceback beside the results.
    """
    failure.clear(paths.failure, paths.output_data)
    try:
        with Stop() as stop:
            return Done(0, _train(paths, environment, overrides, progress, stop.check))
    except Stopped as stopped:
        log.warning("%s; finished fits are kept, start the job again to go on", stopped)
        return Done(stopped.exit_code)
    except Exception as error:  # noqa: BLE001  # every ending is explained
        explained = errors.explained(error)
        log.error("%s", explained)  # noqa: TRY400  # the traceback goes to its own file, and to the log where the fault is ours
        if not isinstance(explained, UserError):
            log.error("%s", traceback.format_exc())  # noqa: TRY400
        failure.write(paths.failure, explained)
        failure.write_traceback(paths.output_data, traceback.format_exc())
        return Done(explained.exit_code)


class _Stopwatch:
    """Seconds of the job's stages, one after another."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.monotonic()
        self.laps[name], self._last = now - self._last, now


def _train(
    paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress, check: Callable[[], None]
) -> Findings:
    started, watch = datetime.now(UTC), _Stopwatch()
    told = configuration.read(paths, environment)
    raw = {**told.hyperparameters, **overrides}
    chosen = settings.parse(TrainSettings, raw)
    for note in settings.retired_notes(TrainSettings, raw):
        log.warning("%s", note)
    if len(told.hosts.all) > 1:
        raise UserError(f"{len(told.hosts.all)} hosts: this version trains on one; set instance_count to 1")
    threads = chosen.threads or default_threads()
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        examples = reading.read(told.data_channels, chosen)
        reporting.data(examples)
        name = digest(examples)
        watch.lap("reading")
        fits = Fits(
            folder=told.checkpoints / FITS,
            data=name,
            build=build(threads),
            every=chosen.checkpoint_seconds,
            clock=time.monotonic,
            check=check,
            progress=progress,
        )
        findings, model = stages.run(examples, name, chosen, fits)
        check()
        watch.lap("fits, audit and comparison")
    folder = paths.output_data
    for write in (
        audit_table.write,
        label_issues.write,
        cleaned.write,
        seed_files.write,
        journal.write,
        metrics_file.write,
    ):
        write(folder, findings)
        check()
    watch.lap("writing")
    record = {
        "started": started.isoformat(),
        "seconds": {**watch.laps, "each fit": fits.seconds, "all": sum(watch.laps.values())},
        "host": platform.node(),
        "job": environment.job_name,
        "cores": os.cpu_count(),
        "build": build(threads),
    }
    run_record.write(folder, record)
    artifact.save(paths.model, model)  # last: a model folder that holds a model means that all went well
    reporting.findings(findings)
    return findings


def default_threads() -> int:
    """Give half the processor cores that this process may use, at most 4.

    The networks are small: more threads gain little, and threads that wait for each other at every small operation lose all of it when
    anything else runs on their cores (measured: 100 times slower).
    """
    return max(1, min(4, len(os.sched_getaffinity(0)) // 2))


def build(threads: int) -> dict[str, Any]:
    """Say what may change the last digits of a result."""
    packages = ("numpy", "torch", "pytorch-lightning", "cleanlab")
    versions = {name: metadata.version(name) for name in packages}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine()
    return {"relabel": relabel.__version__, **versions, "threads": threads, "device": device}
