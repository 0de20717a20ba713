"""Waiting for a training job: its log as it comes, where it stands, and how it ended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from relabel.aws.account import Account
from relabel.aws.refusals import explained, is_missing
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError

if TYPE_CHECKING:
    from sagemaker.core.resources import TrainingJob

LOGS = "/aws/sagemaker/TrainingJobs"
DONE = ("Completed", "Failed", "Stopped")
LATE_MS = 60_000
"""How much later than its neighbours a line of the log may become visible."""
SILENCE = 60.0
"""After so many seconds without news, where it stands is said again."""
EXIT_CODE = re.compile(r"exit code: (\d+)")
OUT_OF_MEMORY = 137
LIMITS = {"MaxRuntimeExceeded": "--max-hours", "MaxWaitTimeExceeded": "--max-wait-hours"}
"""Why AWS stopped a job -> the option that gives it longer."""

Say = Callable[[str], None]


@dataclass
class Log:
    """What was read of a job's log; hosts write streams of their own, and lines come late."""

    account: Account
    job: str
    newest: int = 0
    seen: set[str] = field(default_factory=set)

    def lines(self) -> Iterator[str]:
        """Give lines that were not given before. One action is enough for it, logs:FilterLogEvents."""
        client = self.account.client("logs")
        asked: dict[str, Any] = {"logGroupName": LOGS, "logStreamNamePrefix": f"{self.job}/"}
        if self.newest:
            asked["startTime"] = max(self.newest - LATE_MS, 0)
        with explained():
            try:
                for page in client.get_paginator("filter_log_events").paginate(**asked):
                    yield from self._new(page["events"])
            except ClientError as error:
                if not is_missing(error):
                    raise

    def _new(self, events: list[dict[str, Any]]) -> Iterator[str]:
        for event in events:
            stream, key = event["logStreamName"], f"{event['logStreamName']} {event['eventId']}"
            if key in self.seen or not stream.startswith(f"{self.job}/"):
                continue
            self.seen.add(key)
            self.newest = max(self.newest, int(event["timestamp"]))
            yield event["message"].rstrip("\n")


def wait(
    account: Account,
    job: TrainingJob,
    *,
    say: Say,
    stand: Say,
    poll: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when a job has ended. `say` gets the lines of its log, `stand` one line whenever its stage changes and once a minute."""
    log, told, last = Log(account, str(job.training_job_name)), "", clock()
    while True:
        with explained():
            job.refresh()
        over = job.training_job_status in DONE
        for line in log.lines():
            say(line)
        stage = f"{job.training_job_status} {_text(job.secondary_status)}"
        if stage != told or clock() - last > SILENCE or over:
            stand(standing(job, datetime.now(UTC)))
            told, last = stage, clock()
        if over:
            return
        sleep(poll)


def standing(job: TrainingJob, now: datetime) -> str:
    """Say in one line where a job stands: status and stage, time since it was asked for, seconds that are paid.

    While it runs, the seconds since its machines began are shown as paid ones; the end says what was.
    """
    stage = _text(job.secondary_status)
    words = [str(job.training_job_status) + (f" ({stage})" if stage and stage != job.training_job_status else "")]
    if began := _time(job.creation_time):
        words.append(f"{_span(((_time(job.training_end_time) or now) - began).total_seconds())} since the start")
    if (paid := billable(job, now)) is not None:
        words.append(f"{paid} s billable")
        worked = trained(job)
        if job.enable_managed_spot_training is True and worked and paid < worked:
            words.append(f"{1 - paid / worked:.0%} saved")
    return f"{job.training_job_name}: {', '.join(words)}"


def billable(job: TrainingJob, now: datetime | None = None) -> int | None:
    """Give the seconds that are paid, of each machine; None before any is at work, or without `now` until it has ended."""
    said = _number(job.billable_time_in_seconds)
    if said is not None:
        return said
    began = _time(job.training_start_time)
    ended = _time(job.training_end_time) or now
    return round((ended - began).total_seconds()) if began and ended else None


def trained(job: TrainingJob) -> int | None:
    """Give the seconds that its machines worked for it, where AWS says it."""
    return _number(job.training_time_in_seconds)


def failure(job: TrainingJob) -> RelabelError | None:
    """Give how a job failed, by who can mend it: its exit code says so, or the platform's own word for it. None where it did not.

    The message begins with the platform's reason, which has the first 1024 characters of the container's.
    """
    status, stage = str(job.training_job_status), _text(job.secondary_status)
    if status == "Completed":
        return None
    reason = _text(job.failure_reason) or f"no reason given ({stage or status})"
    if status == "Stopped":
        hint = f": give {LIMITS[stage]}" if stage in LIMITS else ""
        return PlatformError(f"{job.training_job_name} was stopped ({stage}){hint}; the same command starts it again")
    return _explained(str(job.training_job_name), reason)


def _explained(name: str, reason: str) -> RelabelError:
    message = f"{name} failed: {reason}"
    code = EXIT_CODE.findall(reason)
    if code:
        kinds = {UserError.exit_code: UserError, PlatformError.exit_code: PlatformError, OUT_OF_MEMORY: PlatformError}
        return kinds.get(int(code[-1]), AlgorithmError)(message)
    if reason.startswith("ClientError"):
        return UserError(message)
    if reason.startswith(("InternalServerError", "CapacityError")):
        return PlatformError(message)
    return AlgorithmError(message)


def _text(value: Any) -> str:
    """Give a field of the SDK's, "" where AWS did not say it."""
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _time(value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _span(seconds: float) -> str:
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
