"""`relabel aws status`: what there is of relabel's, and how it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relabel.cli.aws.place import JSON, here_too, on_aws

DAY, HOUR, MINUTE = 86400, 3600, 60


@click.command()
@click.argument("name", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="all jobs that ever were, not the newest 20 of each kind")
@JSON
@here_too
@on_aws
def command(
    *, name: str, everything: bool, as_json: bool, local: bool, local_folder: Path, region: str, profile: str
) -> None:
    """List endpoints, training, transform and tuning jobs that are called relabel-…: state, age, why they failed."""
    now = datetime.now(UTC)
    rows = _here(local_folder) if local else _there(region, profile, name, now, everything=everything)
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo("nothing of relabel's is there")
    for row in rows:
        click.echo(f"{row['kind']:<14} {row['name']:<45} {row['status']:<14} {_age(row['seconds'])}")
        for key in ("model", "configuration", "before", "captured", "scales", "address", "reason"):
            if row.get(key):
                click.echo(f"{'':<15}{key}: {row[key]}")


def _there(region: str, profile: str, name: str, now: datetime, *, everything: bool) -> list[dict[str, Any]]:
    from relabel.aws import account as accounts
    from relabel.aws import inventory, names
    from relabel.errors import UserError

    account = accounts.find(region, profile)
    if not name:
        found = inventory.items(account, most=None if everything else inventory.NEWEST)
        return [_row(item, now) for item in found]
    items = inventory.described(account, names.full(name))
    if not items:
        raise UserError(f"{names.full(name)}: no endpoint and no job of that name in {account.region}")
    return [{**_row(item, now), **(_endpoint(account, item.name) if item.kind == "endpoint" else {})} for item in items]


def _row(item: Any, now: datetime) -> dict[str, Any]:
    seconds = int((now - item.created).total_seconds())
    return {"kind": item.kind, "name": item.name, "status": item.status, "seconds": seconds, "reason": item.reason}


def _endpoint(account: Any, name: str) -> dict[str, Any]:
    from relabel.aws import endpoints, scaling
    from relabel.errors import RelabelError

    at = endpoints.existing(account, name)
    try:
        scaled = scaling.counts(account, name)
    except RelabelError:
        scaled = None
    return {
        "model": at.model_uri or at.model,
        "configuration": f"{at.configuration} ({at.kind})",
        "before": at.previous,
        "captured": at.captured,
        "scales": f"{scaled[0]} to {scaled[1]} machines" if scaled else "",
    }


def _here(folder: Path) -> list[dict[str, Any]]:
    from relabel.aws import local, local_hosting

    found = local.remembered(folder, local_hosting.ENDPOINTS)
    now = datetime.now(UTC).timestamp()
    return [
        {
            "kind": "local endpoint",
            "name": name,
            "status": "InService" if local_hosting.is_running(facts) else "gone",
            "seconds": int(now - facts["since"]),
            "address": f"http://127.0.0.1:{facts['port']}",
        }
        for name, facts in found.items()
    ]


def _age(seconds: int) -> str:
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"
