"""The edge of the training job: from the platform's files to an exit code and, where it fails, a failure file.

What is wrong with the configuration is said before torch is loaded, which takes seconds.
"""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relabel import errors, settings
from relabel.container import configuration, failure
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.container.signals import Stop, Stopped
from relabel.errors import UserError
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.results.findings import Findings

log = logging.getLogger(__name__)

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


def _train(
    paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress, check: Callable[[], None]
) -> Findings:
    told = configuration.read(paths, environment)
    raw = {**told.hyperparameters, **overrides}
    chosen = settings.parse(TrainSettings, raw)
    for note in settings.retired_notes(TrainSettings, raw):
        log.warning("%s", note)
    if len(told.hosts.all) > 1:
        raise UserError(f"{len(told.hosts.all)} hosts: this version trains on one; set instance_count to 1")
    # What is imported now stays until the end: collecting it while it is made, and again at the end, would take two seconds.
    gc.disable()
    from relabel.job import work  # noqa: PLC0415  # seconds, see above

    gc.freeze()
    gc.enable()
    return work.run(paths, told, chosen, job=environment.job_name, progress=progress, check=check)
