"""`relabel aws cost`: what runs now and costs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from relabel.cli.aws.place import JSON, on_aws

if TYPE_CHECKING:
    from relabel.aws.costs import Cost, Kept

GB = 1e9


@click.command()
@JSON
@on_aws
def command(*, as_json: bool, region: str, profile: str) -> None:
    """List what holds machines now (endpoints, training and transform jobs), for how long, and what lies in S3 and ECR.

    Prices are asked of AWS's price list where this identity may (pricing:GetProducts); otherwise hours are all that is said.
    """
    from relabel.aws import account as accounts
    from relabel.aws import costs

    account = accounts.find(region, profile)
    running, kept = costs.running(account, datetime.now(UTC)), costs.kept(account)
    if as_json:
        rows = [{**asdict(each), "machine_hours": each.machine_hours, "hourly": each.hourly} for each in running]
        click.echo(json.dumps({"running": rows, "kept": asdict(kept)}))
        return
    _say(running)
    _say_kept(kept)


def _say(running: list[Cost]) -> None:
    if not running:
        click.echo("nothing runs")
        return
    for each in running:
        price = "" if each.hourly is None else f"  {each.hourly:.3f} USD an hour, {each.hourly * each.hours:.2f} so far"
        machines = f"{each.machines} x {each.instance_type}" if each.machines else ""
        hours = f"{each.machine_hours:.1f} machine hours" if each.machines else f"{each.hours:.1f} hours old"
        note = f"  ({each.note})" if each.note else ""
        click.echo(f"{each.kind:<14} {each.name:<45} {machines:<18} {hours}{price}{note}")
    if any(each.machines and each.price is None for each in running):
        click.echo(
            "no price: the price list cannot be read here, or does not name one (pricing:GetProducts): hours alone"
        )
    elif any(each.machines for each in running):
        total = sum(each.hourly or 0 for each in running)
        click.echo(f"in all {total:.3f} USD an hour, at list prices without tax; spot machines cost less")


def _say_kept(kept: Kept) -> None:
    for name, size in (("S3, data/ and out/", kept.data), ("ECR, images", kept.images)):
        click.echo(f"{name:<20}{'not there, or may not be seen' if size is None else f'{size / GB:.3f} GB'}")
