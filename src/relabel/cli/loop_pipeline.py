"""`relabel loop pipeline` and `relabel loop evidence`: the loop as a SageMaker Pipeline, and what a step of it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from relabel.cli.options import Sectioned, given, options
from relabel.settings import TrainSettings

WRITTEN = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Sectioned)
@click.option("--output", type=WRITTEN, help="file to write the definition to")
@click.option("--create", is_flag=True, help="make the pipeline in your account, or bring it up to date")
@click.option("--name", default="relabel-loop", show_default=True, help="of the pipeline")
@click.option("--data", default="", metavar="URI", help="s3://… of the labelled rows; else each execution says it")
@click.option(
    "--champion", default="", metavar="URI", help="s3://… of the model that serves; else each execution says it"
)
@click.option("--image", default="", metavar="URI", help="image in ECR; else each execution says it")
@click.option(
    "--role", default="", metavar="ARN", help="execution role [with --create: relabel-execution of the account]"
)
@click.option(
    "--to", default="", metavar="URI", help="s3://… for results [with --create: out/ of the account's bucket]"
)
@click.option("--training-instance", default="ml.m5.xlarge", show_default=True, help="machine that trains")
@click.option("--processing-instance", default="ml.t3.medium", show_default=True, help="machine that reads the results")
@click.option("--group", default="relabel", show_default=True, help="package group of the registry")
@click.option(
    "--approval",
    type=click.Choice(["PendingManualApproval", "Approved"]),
    default="PendingManualApproval",
    show_default=True,
    help="state of a new package",
)
@click.option("--region", default="", help="AWS region")
@click.option("--profile", default="", help="profile of your AWS settings")
@options(TrainSettings)
def pipeline(
    *,
    output: Path | None,
    create: bool,
    name: str,
    image: str,
    data: str,
    champion: str,
    role: str,
    to: str,
    region: str,
    profile: str,
    training_instance: str,
    processing_instance: str,
    group: str,
    approval: str,
    **values: Any,
) -> None:
    """Write the loop as a SageMaker Pipeline: train, compare, and register the model if it is better.

    What is given here is the default of the pipeline's parameters; settings of the training job that are given become parameters too.
    """
    from relabel import files, settings
    from relabel.errors import UserError
    from relabel.loop.pipeline import Pipeline, definition

    if output is None and not create:
        raise UserError("nothing to do: give --output, --create, or both")
    chosen = given(values)
    settings.parse(TrainSettings, chosen)
    account = None
    if create:
        from relabel.aws import account as accounts

        account = accounts.find(region, profile)
        role, to = role or account.role, to or f"s3://{account.bucket}/out"
    wanted = Pipeline(
        data=data,
        champion=champion,
        image=image,
        role=role,
        output=to.rstrip("/"),
        training_instance=training_instance,
        processing_instance=processing_instance,
        group=group,
        approval=approval,
        settings={key: str(value) for key, value in chosen.items()},
    )
    made = definition(wanted)
    if output is not None:
        files.write_json(output, made)
        click.echo(f"definition  {output}")
    if account is not None:
        from relabel.aws import pipelines

        arn, what = pipelines.put(account, name, made, role)
        click.echo(f"{what}  {arn}")


@click.command(hidden=True)
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def evidence(*, archive: Path, folder: Path) -> None:
    """Take what a job found of champion and challenger out of its ARCHIVE of results, into FOLDER."""
    from relabel.loop import pipeline

    found = pipeline.evidence(archive, folder)
    click.echo(found["reason"])
