"""What the commands of the loop work on: its folder, the model that serves, jobs and places here or on AWS."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    import numpy as np

    from relabel.loop.folder import Loop
    from relabel.loop.journal import Journal
    from relabel.loop.places import Place
    from relabel.loop.rows import Rows
    from relabel.loop.training import Job, Train
    from relabel.serving.served import Served

FOLDER = click.Path(file_okay=False, path_type=Path)
COUNT = click.IntRange(1)
SHARE = click.FloatRange(0, 1)
SIGNALLED = 128
"""An exit code of more says which signal ended a process."""
WHO = click.option("--by", default="", help="whose name the journal has [default: the user of this machine]")


def journal(folder: Path, who: str) -> Journal:
    """Open the journal of a folder."""
    from datetime import UTC, datetime

    from relabel.loop.journal import Journal

    folder.mkdir(parents=True, exist_ok=True)
    return Journal(folder, lambda: datetime.now(UTC).isoformat(timespec="seconds"), who or _user())


def _user() -> str:
    """Name the user of this machine; in a container the number of a user may have no name."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def opened(folder: Path, who: str = "") -> Loop:
    """Open a loop. Raises UserError where the folder is none."""
    from relabel.errors import UserError
    from relabel.loop import folder as folders

    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder: start a loop with `relabel loop start`")
    return folders.opened(folder, journal(folder, who))


def serving(loop: Loop) -> Served:
    """Load the model that serves."""
    from relabel.serving import served

    return served.load(loop.champion())


def seeing(loop: Loop) -> Callable[[Rows], tuple[Any, Any]]:
    """Ask the model that serves, once it is needed."""

    def see(rows: Rows) -> tuple[Any, Any]:
        from relabel.loop import views

        return views.seen(serving(loop), tuple(rows.texts.tolist()), rows.vectors, loop.seed)

    return see


def traffic(loop: Loop, place: str) -> Any:
    """Read captured traffic of a folder, or of `s3://…`, which is fetched first; by default that which the endpoint captured since the last round."""
    from relabel.errors import UserError
    from relabel.monitoring import captured

    since = None if place else _since(loop)
    place = place or _captured(loop)
    if not place.startswith("s3://"):
        if not Path(place).exists():
            raise UserError(f"{place}: no such folder: give captured traffic with --traffic")
        return captured.read(Path(place), serving(loop))
    from relabel.aws import objects

    with tempfile.TemporaryDirectory() as folder:
        objects.download(_account(loop), place.rstrip("/") + "/", Path(folder))
        return captured.read(Path(folder), serving(loop), since=since)


def _since(loop: Loop) -> np.datetime64 | None:
    """Give the time from which on traffic is new: else a draw of years would have next to none of it. Files may come an hour late."""
    from datetime import datetime, timedelta

    import numpy as np

    number, _ = loop.at()
    before = [each for each in loop.journal.events() if each.step == "collect" and each.round < number]
    if not before:
        return None
    moment = datetime.fromisoformat(before[-1].time) - timedelta(hours=1)
    return np.datetime64(moment.replace(tzinfo=None), "s")


def texts(path: Path | None) -> dict[str, str]:
    """Read texts by the id of their row. Raises UserError where a column is not there."""
    from relabel.data.formats import csv
    from relabel.errors import UserError

    if path is None:
        return {}
    values = csv.read(path, ("id", "review")).values
    if missing := [name for name in ("id", "review") if name not in values]:
        raise UserError(f"{path.name}: no column {', '.join(missing)}: give the columns id and review")
    return dict(zip(values["id"].tolist(), values["review"].tolist(), strict=True))


def trainer(loop: Loop, extra: Sequence[str]) -> Train:
    """Give what runs a job: `relabel train` here, or `relabel aws train` where the loop has an endpoint.

    extra: further options of that command, such as `--image`.
    """
    program = ["aws", "train", *_where(loop)] if loop.about.get("endpoint") else ["train"]

    def run(job: Job) -> None:
        _run([*program, *_options(job), *extra], loop.journal.held)

    return run


def place(loop: Loop) -> Place:
    """Give where models serve beside the pointer: nowhere, or an endpoint."""
    from relabel.loop.places import Here

    return Endpoint(loop) if loop.about.get("endpoint") else Here()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint on SageMaker that serves what the loop says."""

    loop: Loop

    def put(self, model: Path) -> None:
        """Pack and upload the model, and update the endpoint; both do nothing where that is done."""
        from relabel.aws import endpoints, objects
        from relabel.model import package

        account = _account(self.loop)
        uri = f"s3://{account.bucket}/out/relabel-loop/{model.name}/model.tar.gz"
        with tempfile.TemporaryDirectory() as folder:
            archive = Path(folder) / "model.tar.gz"
            package.pack(model, archive)
            objects.upload(account, archive, uri)
        endpoints.promote(account, self.loop.about["endpoint"], uri)


def model_of(endpoint: str, region: str, profile: str) -> str:
    """Give the address of the model that an endpoint serves. Raises UserError where it has none."""
    from relabel.aws import account, endpoints
    from relabel.errors import UserError

    found = endpoints.existing(account.find(region, profile), endpoint)
    if not found.model_uri:
        raise UserError(f"{endpoint}: serves a package of a registry: say which model it is with --model")
    return str(found.model_uri)


def _captured(loop: Loop) -> str:
    from relabel.errors import UserError

    if not loop.about.get("endpoint"):
        raise UserError("no traffic: give a folder of captured traffic with --traffic")
    from relabel.aws import endpoints

    found = endpoints.existing(_account(loop), loop.about["endpoint"])
    if not found.captured:
        raise UserError(f"{found.name} captures no traffic: deploy it with data capture, or give --traffic")
    return f"{found.captured.rstrip('/')}/{found.name}/"


def _account(loop: Loop) -> Any:
    from relabel.aws import account

    return account.find(loop.about.get("region", ""), loop.about.get("profile", ""))


def _where(loop: Loop) -> list[str]:
    return [word for name in ("region", "profile") if loop.about.get(name) for word in (f"--{name}", loop.about[name])]


def _stop(code: int) -> None:
    """End where the terminal has stopped the job; nothing needs mending then."""
    import signal

    if code in (-signal.SIGINT, SIGNALLED + signal.SIGINT):
        click.echo("stopped: run this again; it goes on where it was", err=True)
        sys.exit(SIGNALLED + signal.SIGINT)


def _options(job: Job) -> list[str]:
    said: Mapping[str, Any] = {"data": job.data, "champion": job.champion, "output": job.output, "reviews": job.reviews}
    own = [word for name, value in said.items() if value is not None for word in (f"--{name}", str(value))]
    return [*own, *(word for name, value in job.settings.items() for word in (f"--{name.replace('_', '-')}", value))]


def _run(arguments: Sequence[str], lock: Sequence[int] = ()) -> None:
    """Run a command of this program to its end, and pass its signals and its failure on.

    lock: of the loop, which the job holds too: where this process is killed, no other command comes between.
    """
    import signal
    import subprocess

    interrupts: list[int] = []
    # Before the job is there, so that no interrupt comes between; a terminal tells the job too.
    on_interrupt = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    on_end = signal.getsignal(signal.SIGTERM)
    try:
        with subprocess.Popen([sys.executable, "-m", "relabel", *arguments], pass_fds=lock) as job:  # noqa: S603  # our own command line
            signal.signal(signal.SIGTERM, lambda number, _frame: job.send_signal(number))
            code = job.wait()
    finally:
        signal.signal(signal.SIGTERM, on_end)
        signal.signal(signal.SIGINT, on_interrupt)
    if interrupts:
        _stop(code)
    if code:
        end_as(code)


def end_as(code: int) -> NoReturn:
    """End as a job that failed: by the kind of its failure, or by the signal that ended it (128 + n, or -n of a process that was killed)."""
    from relabel.errors import AlgorithmError, PlatformError, UserError

    said = f"the training job ended with {code}: mend what it says, and run this again; it goes on where it was"
    if code < 0 or code > SIGNALLED:
        click.echo(said, err=True)
        sys.exit(SIGNALLED - code if code < 0 else code)
    kinds = {kind.exit_code: kind for kind in (AlgorithmError, PlatformError)}
    raise kinds.get(code, UserError)(said)
