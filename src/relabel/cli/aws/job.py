"""Options that `train` and `tune` share, and the job that they describe. No command of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.place import pairs
from relabel.cli.options import given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.aws.account import Account
    from relabel.aws.training import Job, Machines

HOURS = click.FloatRange(0, 28 * 24, min_open=True)
POLL = 15.0

OPTIONS = (
    click.option(
        "--data",
        multiple=True,
        required=True,
        metavar="PLACE",
        help="folder or s3://… of the channel train; NAME=PLACE for parts of their own (train, dev, test), again for each",
    ),
    click.option("--reviews", default="", metavar="PLACE", help="people's answers (reviews.jsonl): file, or s3://…"),
    click.option("--champion", default="", metavar="PLACE", help="model to compare with: folder, archive, or s3://…"),
    click.option("--encoder", default="", metavar="PLACE", help="folder or s3://… of a Hugging Face encoder"),
    click.option(
        "--image", default="", metavar="URI", help="image in ECR [default: relabel:VERSION-cpu of the account]"
    ),
    click.option(
        "--role", default="", metavar="ARN", help="execution role [default: relabel-execution of the account]"
    ),
    click.option("--bucket", default="", help="bucket of data and results [default: relabel-ACCOUNT-REGION]"),
    click.option("--name", default="", help="name of the job [default: made of data, settings and image]"),
    click.option("--region", default="", help="AWS region [default: that of your AWS settings]"),
    click.option("--profile", default="", help="profile of your AWS settings"),
    click.option("--instance-type", default="ml.m5.xlarge", show_default=True, help="machine"),
    click.option(
        "--instance-count", default=1, show_default=True, type=click.IntRange(1, 100), help="machines of a job"
    ),
    click.option(
        "--volume-gb", default=30, show_default=True, type=click.IntRange(1, 16384), help="disk of each, in GB"
    ),
    click.option("--max-hours", default=4.0, show_default=True, type=HOURS, help="a job that runs longer is stopped"),
    click.option("--spot", is_flag=True, help="spare machines: cheaper, may be taken away; checkpoints are kept"),
    click.option("--max-wait-hours", type=HOURS, help="with --spot, waiting included [default: twice --max-hours]"),
    click.option("--checkpoints", is_flag=True, help="keep checkpoints in S3 without --spot too"),
    click.option("--subnet", "subnets", multiple=True, help="subnet of a network of your own; again for each"),
    click.option("--security-group", "security_groups", multiple=True, help="its security group; again for each"),
    click.option("--kms-key", default="", help="key that encrypts the results"),
    click.option("--volume-kms-key", default="", help="key that encrypts the machine's disk"),
    click.option("--tag", "tags", multiple=True, metavar="K=V", help="tag of what is made; again for each"),
    click.option("--isolation/--no-isolation", default=True, show_default=True, help="a job that reaches no network"),
    click.option("--environment", multiple=True, metavar="K=V", help="variable of the job; again for each"),
    click.option("--poll", default=POLL, hidden=True, type=click.FloatRange(0.01, 3600), help="seconds between looks"),
)


def options_of_job(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a job and those of the training settings."""
    function = options(TrainSettings)(function)
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def checked(said: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str], Machines]:
    """Give the places of the channels, the settings as strings, and the machines.

    Raises UserError with every problem of settings, data and machines at once; nothing has been asked of AWS then.
    """
    from relabel import settings
    from relabel.aws import channels, names
    from relabel.errors import UserError

    problems: list[str] = []

    def tried(step: Callable[[], Any]) -> Any:
        try:
            return step()
        except UserError as error:
            problems.extend(error.problems)
            return {}

    values = given({name: said.get(name) for name in settings.fields(TrainSettings)})
    tried(lambda: settings.parse(TrainSettings, values))
    places = tried(lambda: _places(said))
    problems.extend(channels.problems(places))
    problems.extend(_of_layout(places) if not problems else ())
    tried(lambda: names.full(said["name"]) if said["name"] else "")
    tried(lambda: pairs(said["tags"], "tag"))
    tried(lambda: pairs(said["environment"], "environment"))
    machines = tried(lambda: _machines(said))
    if problems:
        raise UserError(*problems)
    return places, {name: str(value) for name, value in values.items()}, machines


def name_of(said: Mapping[str, Any]) -> str:
    """Give the name that was given, with its prefix; "" where none was."""
    from relabel.aws import names

    return names.full(said["name"]) if said["name"] else ""


def account_of(said: Mapping[str, Any]) -> Account:
    """Find the account that the options name."""
    from relabel.aws import account

    return account.find(said["region"], said["profile"])


def on_aws(
    account: Account, said: Mapping[str, Any], places: Mapping[str, str], values: Mapping[str, str], machines: Machines
) -> Job:
    """Bring the data to S3 and describe the job."""
    from relabel.aws import channels, models
    from relabel.aws.training import Job

    bucket = said["bucket"] or account.bucket
    return Job(
        image=said["image"] or models.newest_image(account),  # before anything is uploaded
        role=said["role"] or account.role,
        results=f"s3://{bucket}/out/",
        channels=channels.brought(account, places, bucket, lambda line: click.echo(line, err=True)),
        settings=values,
        machines=machines,
        environment=pairs(said["environment"], "environment"),
        kms_key=said["kms_key"],
        tags=pairs(said["tags"], "tag"),
        checkpoints=said["checkpoints"],
    )


def _places(said: Mapping[str, Any]) -> dict[str, str]:
    from relabel.aws import channels

    others = {
        channels.REVIEWED: said["reviews"],
        channels.CHAMPION: said["champion"],
        channels.ENCODER: said["encoder"],
    }
    return channels.named(said["data"], **others)


def _of_layout(places: Mapping[str, str]) -> list[str]:
    """Say what the job would say of the files' names. Without the packages of training it says so itself, later."""
    from relabel.aws import channels

    here = {name: Path(place) for name, place in places.items() if name not in (channels.CHAMPION, channels.ENCODER)}
    if any(channels.is_remote(place) for place in places.values()):
        return []
    with suppress(ModuleNotFoundError):
        from relabel.data import layout

        return list(layout.find(here).problems)
    return []


def _machines(said: Mapping[str, Any]) -> Machines:
    from relabel.aws.training import Machines

    return Machines(
        **{
            name: said[name]
            for name in (
                *("instance_type", "instance_count", "volume_gb", "max_hours", "spot", "max_wait_hours"),
                *("subnets", "security_groups", "volume_kms_key", "isolation"),
            )
        }
    )
