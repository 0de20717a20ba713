"""`relabel aws register`: a trained model as a version in the model registry."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from relabel.cli.aws.place import JSON, on_aws, pairs


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--group", default="relabel-models", show_default=True, help="model package group; made where it is missing"
)
@click.option(
    "--approval",
    default="pending",
    show_default=True,
    type=click.Choice(["pending", "approved", "rejected"]),
    help="whether it may be deployed",
)
@click.option("--image", default="", metavar="URI", help="image that serves it [default: the one that trained it]")
@click.option("--bucket", default="", help="bucket of the figures [default: relabel-ACCOUNT-REGION]")
@click.option("--tag", "tags", multiple=True, metavar="K=V", help="tag of a group that is made; again for each")
@JSON
@on_aws
def command(
    *,
    folder: Path,
    group: str,
    approval: str,
    image: str,
    bucket: str,
    tags: tuple[str, ...],
    region: str,
    profile: str,
    as_json: bool,
) -> None:
    """Register the model of FOLDER, which `relabel aws train` fetched or `relabel train` wrote, with its figures.

    The same model is registered once: the command then shows the version that there is.
    """
    from relabel.aws import account as accounts
    from relabel.aws import registry

    named = pairs(tags, "tag")
    account = accounts.find(region, profile)
    where = bucket or account.bucket
    model = registry.candidate(account, folder, where, image)
    arn, made = registry.ensure(account, group, model, bucket=where, approval=approval, tags=named)
    say = partial(click.echo, err=as_json)
    say(f"{arn} {'registered' if made else 'is there already: nothing was changed'}")
    for name, text in registry.facts(model).items():
        say(f"{name:<14}{text}")
    if as_json:
        click.echo(json.dumps({"model_package": arn, "registered": made, "facts": registry.facts(model)}))
