"""The edge of the training job: from the platform's files to an exit code and, where it fails, a failure file.

What is wrong with the configuration is said before torch is loaded, which takes seconds.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from relabel import errors, files, settings
from relabel.container import companions, configuration, failure, gpu, metrics
from relabel.container.companions import Companions, Ending, Meeting
from relabel.container.configuration import Configuration
from relabel.container.environment import Environment
from relabel.container.paths import Paths
from relabel.container.signals import Stop, Stopped
from relabel.errors import UserError
from relabel.settings import TrainSettings
from relabel.tracking import session
from relabel.tracking.tracker import Silent, Tracker

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
    its cause in the failure file and the traceback beside the results. Several hosts work together and end as one: the first writes, and none
    returns from here.
    """
    failure.clear(paths.failure, paths.output_data)
    with Stop() as stop:
        return _ended(paths, stop, lambda: _part(paths, environment, overrides, progress, stop))


def _ended(paths: Paths, stop: Stop, part: Callable[[], Done], *, writes: bool = True) -> Done:
    """Do a part of the job and leave behind why it failed, if it did.

    writes: the host may write more than a failure file.
    """
    try:
        return part()
    except (Stopped, SystemExit) as ended:
        # Lightning hears signals too, and leaves its loop with a SystemExit that says success.
        if isinstance(ended, SystemExit) and stop.signum is None:
            raise
        stopped = ended if isinstance(ended, Stopped) else Stopped(stop.signum or 0)
        log.warning("%s; finished fits are kept, start the job again to go on", stopped)
        return Done(stopped.exit_code, reason=str(stopped))
    except Exception as error:  # noqa: BLE001  # every ending is explained
        explained = errors.explained(error)
        log.error("%s", explained)  # noqa: TRY400  # the traceback goes to its own file, and to the log where the fault is ours
        if not isinstance(explained, UserError):
            log.error("%s", traceback.format_exc())  # noqa: TRY400
        failure.write(paths.failure, explained)
        if writes:
            failure.write_traceback(paths.output_data, traceback.format_exc())
        return Done(explained.exit_code, reason=str(explained))


def _part(paths: Paths, environment: Environment, overrides: Mapping[str, Any], progress: Progress, stop: Stop) -> Done:
    """Do this host's part. It hears where another one fails, and leaves when all is written: in some places the first to leave ends all."""
    told = configuration.read(paths, environment)
    raw = {**told.hyperparameters, **overrides}
    settings.parse(TrainSettings, raw)  # what is wrong up to here, each host finds by itself
    train = partial(_train, paths, told, environment, raw, progress=progress)
    if len({*told.hosts.all}) == 1:
        return Done(0, train(check=stop.check))
    return _with_others(paths, Meeting(told.hosts, environment.job_name), train, stop)


def _with_others(paths: Paths, meeting: Meeting, train: Callable[..., Findings], stop: Stop) -> NoReturn:
    """Do this host's part beside others, and end the process."""
    with companions.met(meeting, stop.check, partial(_leave_at_once, paths)) as together:

        def check() -> None:
            stop.check()
            together.check()

        def work() -> Done:
            if together.rank == 0:
                return Done(0, train(check=check, together=together))
            logging.getLogger(metrics.LOGGER).disabled = True  # the first host says it
            findings = train(progress=lambda _name, _done, _total: None, check=check, together=together)
            together.await_leave(stop.check)
            return Done(0, findings)

        done = _ended(paths, stop, work, writes=together.rank == 0)
        together.leave(Ending(done.code, done.reason), stop.check)
        # An ordinary end would wait for exchanges that nobody answers any more and, where all went well, take apart what torch's threads still use:
        # one process in a hundred was aborted by that, behind its last word.
        _exit(done.code)


def _leave_at_once(paths: Paths, ended: BaseException) -> NoReturn:
    """End this process because of another host, whatever its main thread is held up by."""
    if isinstance(ended, Stopped):
        code = ended.exit_code
    else:
        explained = errors.explained(ended)
        failure.write(paths.failure, explained)
        code = explained.exit_code
    log.error("%s: this host is held up and ends at once", ended)
    _exit(code)


def _exit(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _train(
    paths: Paths,
    told: Configuration,
    environment: Environment,
    raw: Mapping[str, Any],
    *,
    progress: Progress,
    check: Callable[[], None],
    together: Companions | None = None,
) -> Findings:
    files.sweep(paths.output_data, paths.model, told.checkpoints)  # before the tracker's own process writes there
    for note in settings.retired_notes(TrainSettings, raw):
        log.warning("%s", note)
    work = partial(_work, paths, told, environment, raw, progress=progress, check=check, together=together)
    if together and together.rank:
        return work(tracker=Silent())
    with session.tracked(environment, told.checkpoints, raw) as tracker:
        return work(tracker=tracker)


def _work(
    paths: Paths,
    told: Configuration,
    environment: Environment,
    raw: Mapping[str, Any],
    *,
    progress: Progress,
    check: Callable[[], None],
    together: Companions | None,
    tracker: Tracker,
) -> Findings:
    from relabel.model import earlier  # noqa: PLC0415  # numpy, which a job with bad settings does without

    champion = earlier.read(told.model_channel, environment)
    gpu.check(gpu.read(), required=environment.require_gpu)
    # What is imported now stays until the end: collecting it while it is made, and again at the end, would take two seconds.
    gc.disable()
    from relabel.job import work  # noqa: PLC0415  # seconds, see above
    from relabel.training import hosts  # noqa: PLC0415  # as above

    gc.freeze()
    gc.enable()
    work.check_gpu(required=environment.require_gpu)
    with hosts.joined(together, check) as company:
        return work.run(
            paths,
            told,
            raw,
            champion=champion,
            job=environment.job_name,
            progress=progress,
            check=check,
            tracker=tracker,
            company=company,
        )
