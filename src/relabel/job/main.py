"""The edge of the training job: from the platform's files to an exit code and, where it fails, a failure file.

What is wrong with the configuration is said before torch is loaded, which takes seconds.
"""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from relabel import errors, settings
from relabel.container import companions, configuration, failure, gpu
from relabel.container.companions import Ending, Meeting
from relabel.container.configuration import Configuration
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.container.signals import Stop, Stopped
from relabel.errors import RelabelError, UserError
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.results.findings import Findings

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Done:
    """How a job ended: its exit code, what it found where it went well, why it ended where it did not."""

    code: int
    findings: Findings | None = None
    reason: str = ""


def train(paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress) -> Done:
    """Run the training job in `paths`.

    overrides: settings that win over the hyperparameters.
    progress:  told (name of a fit, steps done, steps in all).

    Every ending is an exit code: 0; 128 + n where signal n asked it to end, with nothing explained; else that of the kind of failure, with
    its cause in the failure file and the traceback beside the results. Of several hosts one trains, the others end as it does.
    """
    failure.clear(paths.failure, paths.output_data)
    with Stop() as stop:
        return _ended(paths, stop, lambda: _part(paths, environment, overrides, progress, stop))


def _ended(paths: Paths, stop: Stop, part: Callable[[], Done]) -> Done:
    """Do a part of the job and leave behind why it failed, if it did."""
    try:
        return part()
    except (Stopped, SystemExit):
        # Lightning hears signals too, and leaves its loop with a SystemExit that says success.
        if stop.signum is None:
            raise
        stopped = Stopped(stop.signum)
        log.warning("%s; finished fits are kept, start the job again to go on", stopped)
        return Done(stopped.exit_code, reason=str(stopped))
    except Exception as error:  # noqa: BLE001  # every ending is explained
        explained = errors.explained(error)
        log.error("%s", explained)  # noqa: TRY400  # the traceback goes to its own file, and to the log where the fault is ours
        if not isinstance(explained, UserError):
            log.error("%s", traceback.format_exc())  # noqa: TRY400
        failure.write(paths.failure, explained)
        failure.write_traceback(paths.output_data, traceback.format_exc())
        return Done(explained.exit_code, reason=str(explained))


def _part(paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress, stop: Stop) -> Done:
    """Do this host's part. The others hear of its end when all is written: in some places the first host to leave ends them all."""
    told = configuration.read(paths, environment)  # what is wrong here, each host finds by itself
    meeting = Meeting(told.hosts, environment.job_name)
    if not told.hosts.is_leader:
        return _followed(paths, told.hosts.leader, companions.follow(meeting, stop.check))
    with companions.leading(meeting) as tell:
        work = partial(_train, paths, told, environment, overrides, progress=progress, check=stop.check)
        done = _ended(paths, stop, lambda: Done(0, work()))
        tell(Ending(done.code, done.reason), stop.check)
    return done


def _followed(paths: Paths, leader: str, ending: Ending) -> Done:
    """End as the leader did, for its reason. The traceback is its own."""
    reason = ending.reason and f"{leader}: {ending.reason}"
    if reason:
        log.error("%s", reason)
        failure.write(paths.failure, RelabelError(reason))
    return Done(ending.code, reason=reason)


def _train(
    paths: Paths,
    told: Configuration,
    environment: Environment,
    overrides: Mapping[str, Any],
    *,
    progress: Progress,
    check: Callable[[], None],
) -> Findings:
    raw = {**told.hyperparameters, **overrides}
    settings.parse(TrainSettings, raw)
    for note in settings.retired_notes(TrainSettings, raw):
        log.warning("%s", note)
    gpu.check(gpu.read(), required=environment.require_gpu)
    # What is imported now stays until the end: collecting it while it is made, and again at the end, would take two seconds.
    gc.disable()
    from relabel.job import work  # noqa: PLC0415  # seconds, see above

    gc.freeze()
    gc.enable()
    work.check_gpu(required=environment.require_gpu)
    return work.run(paths, told, raw, job=environment.job_name, progress=progress, check=check)
