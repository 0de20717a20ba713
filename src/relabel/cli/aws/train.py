"""`relabel aws train`: a training job on SageMaker, or in the SDK's local mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.job import account_of, checked, name_of, on_aws, options_of_job
from relabel.cli.aws.place import JSON, here_too, left, pairs

if TYPE_CHECKING:
    from relabel.aws.account import Account
    from relabel.aws.training import Job, Machines

FOLDER = click.Path(file_okay=False, path_type=Path)
LEFT = "left; what runs on AWS goes on: the same command comes back to it"

STOPPED = "stopped; the same command begins the job again"

Say = Callable[[str], None]


@click.command()
@click.option("--output", type=FOLDER, help="folder for model/ and output/, as of `relabel train` [default: the name]")
@click.option(
    "--wait/--no-wait", default=True, show_default=True, help="stay until the job ends, and fetch its results"
)
@JSON
@here_too
@options_of_job
def command(
    *,
    output: Path | None,
    wait: bool,
    as_json: bool,
    local: bool,
    local_folder: Path,
    **said: Any,
) -> None:
    """Start a training job, show its log, and fetch what it made.

    The same command again goes on: it finds the job by data, settings, image and environment (or by --name), shows it while it runs, and
    fetches it when it is done. A job that failed or was stopped is started again, with its checkpoints. All other options are the settings
    of `relabel train`.
    """
    places, values, machines = checked(said)
    say = partial(click.echo, err=as_json)
    with left(STOPPED if local else LEFT):
        if local:
            told = _here(local_folder, said=said, places=places, values=values, machines=machines, output=output)
        else:
            account = account_of(said)
            told = _there(account, on_aws(account, said, places, values, machines), said, output, wait=wait, say=say)
    _report(told, say)
    if as_json:
        click.echo(json.dumps(told))


def _there(
    account: Account, job: Job, said: Mapping[str, Any], output: Path | None, *, wait: bool, say: Say
) -> dict[str, Any]:
    """Start or find the job on AWS, see it through, and fetch it."""
    from relabel.aws import results, training, watching

    found, started = training.ensure(account, job, name_of(said))
    name = str(found.training_job_name)
    say(f"{name}: {'started' if started else f'is there already, {found.training_job_status}'}")
    told = _told(name, str(found.training_job_status), job, f"{job.results}{name}/output/")
    if not wait:
        say("the same command without --no-wait shows its log and fetches its results")
        return told
    folder = output or Path(name)
    here = results.is_here(folder, name)
    if not here:
        stand = partial(click.echo, err=True)
        watching.wait(account, found, say=say, stand=stand, poll=said["poll"])
        told |= {
            "status": str(found.training_job_status),
            "seconds": watching.trained(found),
            "billable_seconds": watching.billable(found),
        }
        results.fetch(account, told["results"], folder, told)
    if failed := watching.failure(found):
        raise failed
    results.check(folder, name)
    return results.read(folder) | {"output": str(folder)}


def _here(
    folder: Path,
    *,
    said: Mapping[str, Any],
    places: Mapping[str, str],
    values: Mapping[str, str],
    machines: Machines,
    output: Path | None,
) -> dict[str, Any]:
    """Run the job on this machine, and unpack what it left."""
    from relabel.aws import channels, local_training, results
    from relabel.aws.training import Job
    from relabel.errors import UserError

    if not said["image"]:
        raise UserError("--local needs --image: one of this machine, as ./build_and_push.sh --no-push builds it")
    job = Job(
        image=said["image"],
        role="",
        results="",
        channels=channels.local(places, folder / "channels"),
        settings=values,
        machines=machines,
        environment=pairs(said["environment"], "environment"),
    )
    name, archives, ran = local_training.train(folder, job, name_of(said))
    told = _told(name, "Completed", job, f"{archives.as_uri()}/")
    target = output or Path(name)
    if ran or not results.is_here(target, name):
        results.is_here(target, name)
        results.unpack(archives, target, told)
    return told | {"output": str(target)}


def _told(name: str, status: str, job: Job, results: str) -> dict[str, Any]:
    """Say what the record of a job says."""
    return {
        "job": name,
        "status": status,
        "image": job.image,
        "data": {channel.name: {"uri": channel.uri, "digest": channel.digest} for channel in job.channels},
        "settings": dict(job.settings),
        "results": results,
        "model": f"{results}model.tar.gz",
    }


def _report(told: Mapping[str, Any], say: Say) -> None:
    """Show the answer, and where everything is."""
    from relabel.aws import results

    if "output" not in told:
        return
    folder = Path(told["output"])
    data = folder / "output" / results.DATA
    for line in results.headline(data):
        say(line)
    if (data / results.REPORT).is_file():
        say(f"report   {data / results.REPORT}")
    say(f"model    {folder / 'model'}\nresults  {data}")
