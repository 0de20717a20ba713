"""`relabel aws tune`: the best settings, looked for by many training jobs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from functools import partial
from typing import Any

import click

from relabel.cli.aws.job import account_of, checked, name_of, on_aws, options_of_job
from relabel.cli.aws.place import JSON, left

LEFT = "left; what runs on AWS goes on: the same command comes back to it"


@click.command()
@click.option(
    "--range",
    "looked",
    multiple=True,
    metavar="NAME=RANGE",
    help="setting to tune: LOW:HIGH, LOW:HIGH:log, or values A,B,C; again for each",
)
@click.option("--jobs", default=10, show_default=True, type=click.IntRange(1, 750), help="training jobs in all")
@click.option("--parallel", default=2, show_default=True, type=click.IntRange(1, 100), help="training jobs at a time")
@click.option(
    "--strategy",
    default="bayesian",
    show_default=True,
    type=click.Choice(["bayesian", "random", "grid"]),
    help="search",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="stay until it ends, and show the best job")
@JSON
@options_of_job
def command(
    *, looked: tuple[str, ...], jobs: int, parallel: int, strategy: str, wait: bool, as_json: bool, **said: Any
) -> None:
    """Look for the settings with the least dev_log_loss, and show the best job's as a command line to train with.

    The same command again goes on: it comes back to the tuning job while it runs, and shows the best job when it is done.
    """
    from relabel.aws import tuning

    places, values, machines = checked(said)
    wanted = tuning.ranges(looked, values, strategy)
    account = account_of(said)
    say = partial(click.echo, err=as_json)
    with left(LEFT):
        job = on_aws(account, said, places, values, machines)
        found, started = tuning.ensure(
            account, job, wanted, strategy=strategy, most=jobs, at_once=min(parallel, jobs), name=name_of(said)
        )
        name = str(found.hyper_parameter_tuning_job_name)
        say(f"{name}: {'started' if started else f'is there already, {found.hyper_parameter_tuning_job_status}'}")
        if wait:
            tuning.wait(found, stand=partial(click.echo, err=True), poll=said["poll"])
    told: dict[str, Any] = {"tuning_job": name, "status": str(found.hyper_parameter_tuning_job_status)}
    if wait and (best := tuning.best(found)):
        told |= {"job": best[0], "settings": best[1], tuning.objective(): best[2]}
        say(f"best     {best[0]}: {tuning.objective()} {best[2]:.4f}")
        say(f"train    {_again(said, {**values, **best[1]})}")
    elif wait:
        say(f"no job reached a {tuning.objective()}: look at the log of one")
    if as_json:
        click.echo(json.dumps(told))


def _again(said: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """Make the command that trains with the settings that were found."""
    words = ["relabel", "aws", "train"]
    for place in said["data"]:
        words += ["--data", place]
    for name in ("reviews", "champion", "encoder", "image", "bucket"):
        words += [f"--{name}", said[name]] if said[name] else []
    for name, value in values.items():
        words += [f"--{name.replace('_', '-')}", value]
    return shlex.join(words)
