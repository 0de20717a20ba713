"""From the environment to a tracker, and from how a job ends to what the tracker hears of it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import relabel
from relabel import errors
from relabel.container import metrics
from relabel.container.environment import Environment
from relabel.container.signals import Stopped
from relabel.tracking import clerk
from relabel.tracking.tracker import Silent, Status, Tracker

log = logging.getLogger(__name__)

RUN = "mlflow_run.json"
"""File among the checkpoints that names the run, so that a job that is started again goes on with it."""


@contextmanager
def tracked(environment: Environment, checkpoints: Path, given: Mapping[str, Any]) -> Iterator[Tracker]:
    """Track what happens in the block, where a server is named; metric lines are told as they are logged.

    given: settings as they were given: a job that is started again with others is another run.
    """
    if not environment.tracking_server:
        yield Silent()
        return
    try:
        clerks = clerk.employed(_about(environment, checkpoints, given), environment.variables)
        tracker = clerks.__enter__()
    except OSError as error:
        log.warning("MLflow does not keep the record of this job, which goes on without it: %s", error)
        yield Silent()
        return
    lines = _Lines(tracker)
    logging.getLogger(metrics.LOGGER).addHandler(lines)
    try:
        yield from _followed(tracker)
    finally:
        logging.getLogger(metrics.LOGGER).removeHandler(lines)
        clerks.__exit__(None, None, None)


def _followed(tracker: Tracker) -> Iterator[Tracker]:
    try:
        yield tracker
    except (Stopped, SystemExit) as stopped:
        tracker.ended(Status.KILLED, str(stopped))
        raise
    except Exception as error:
        tracker.ended(Status.FAILED, str(errors.explained(error)))
        raise
    tracker.ended(Status.FINISHED)


class _Lines(logging.Handler):
    """Hears metric lines, as the platform does."""

    def __init__(self, tracker: Tracker) -> None:
        super().__init__()
        self._tracker = tracker

    def emit(self, record: logging.LogRecord) -> None:
        """Tell the tracker the figures of a line."""
        self._tracker.measured(metrics.figures(record.getMessage()))


def _about(environment: Environment, checkpoints: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the clerk must know from the start; nothing secret, for others may see a process's arguments."""
    told = json.dumps({name: str(value) for name, value in given.items()}, sort_keys=True)
    tags = {"relabel.version": relabel.__version__, "relabel.job": environment.job_name}
    tags |= {"mlflow.source.name": "relabel train", "mlflow.source.type": "JOB"}
    tags |= {"mlflow.source.git.commit": environment.revision}
    return {
        "kept": str(checkpoints / RUN),
        "job": hashlib.sha256(told.encode()).hexdigest()[:16],
        "name": environment.run,
        "texts": environment.tracks_texts,
        "tags": {name: text for name, text in tags.items() if text},
    }
