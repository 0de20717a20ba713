"""`relabel aws delete`: endpoints and what belongs to them, away."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.place import JSON, here_too, left, on_aws, say_state

if TYPE_CHECKING:
    from relabel.aws.removal import Removed

LEFT = "left; the same command deletes what is still there"


@click.command()
@click.argument("name", required=False, default="")
@click.option(
    "--all", "everything", is_flag=True, help="all endpoints, configurations and models that are called relabel-…"
)
@click.option("--yes", is_flag=True, help="do not ask")
@JSON
@here_too
@on_aws
def command(
    *, name: str, everything: bool, yes: bool, as_json: bool, local: bool, local_folder: Path, **said: Any
) -> None:
    """Delete the endpoint NAME with its configurations, models and scaling; data, results and images stay, and it says where.

    Nothing that is not called relabel-… is ever deleted.
    """
    from relabel.aws import names
    from relabel.errors import UserError

    if bool(name) == everything:
        raise UserError("say what to delete: a NAME, or --all")
    full = names.full(name) if name else ""
    say = partial(click.echo, err=as_json)
    with left(LEFT):
        told = _here(local_folder, full, say, yes=yes) if local else _there(full, said, say, yes=yes)
    if as_json:
        click.echo(json.dumps(told))


def _there(name: str, said: dict[str, Any], say: Any, *, yes: bool) -> dict[str, Any]:
    from relabel.aws import account as accounts
    from relabel.aws import removal

    account = accounts.find(said["region"], said["profile"])
    plan = removal.plan(account, name)
    if plan.is_empty:
        say(f"{name}: gone already" if name else "nothing of relabel's is there")
        return {"done": [], "gone": [name] if name else []}
    if not name:
        _ask(plan.lines(), yes=yes)
    removed = removal.remove(account, plan, say=say_state)
    _told(removed, say)
    say(
        f"what stays: s3://{account.bucket}/ (aws s3 rm s3://{account.bucket}/out/{name or ''} --recursive), "
        "images (aws ecr delete-repository --repository-name relabel --force), logs"
    )
    if removed.failed:
        raise type(removed.failed[0][1])(
            "\n".join(f"{shown} is still there: {error}" for shown, error in removed.failed)
        )
    return {"done": removed.done, "gone": removed.gone}


def _told(removed: Removed, say: Any) -> None:
    for what in removed.done:
        say(f"deleted        {what}")
    for what in removed.gone:
        say(f"gone already   {what}")


def _ask(lines: list[str], *, yes: bool) -> None:
    """List what goes, and ask. Raises KeyboardInterrupt at a no, UserError where nobody can answer."""
    from relabel.errors import UserError

    for line in lines:
        click.echo(line, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("nobody is there to ask: give --yes to delete all of this")
    try:
        click.confirm(f"delete these {len(lines)}?", err=True, abort=True)
    except click.Abort:
        raise KeyboardInterrupt from None


def _here(folder: Path, name: str, say: Any, *, yes: bool) -> dict[str, Any]:
    from relabel.aws import local, local_hosting

    found = [name] if name else list(local.remembered(folder, local_hosting.ENDPOINTS))
    if not name and found:
        _ask([f"local endpoint {each}" for each in found], yes=yes)
    done = [each for each in found if local_hosting.delete(folder, each)]
    for each in found:
        say(f"{'deleted' if each in done else 'gone already':<14} local endpoint {each}")
    return {"done": done, "gone": [each for each in found if each not in done]}
