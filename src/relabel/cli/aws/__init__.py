"""`relabel aws`: training jobs, endpoints and what belongs to them, from a person's machine. One module a command."""

from __future__ import annotations

import importlib

import click

COMMANDS: dict[str, str] = {
    "train": "train",
    "tune": "tune",
    "register": "register",
    "deploy": "deploy",
    "invoke": "invoke",
    "transform": "transform",
    "status": "status",
    "cost": "cost",
    "delete": "delete",
    "stack": "stack",
}
"""Command -> the module of this package whose `command` it is."""


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"relabel.cli.aws.{COMMANDS[name]}").command
        return found


@click.group(cls=_Lazy)
def command() -> None:
    """Run training jobs and endpoints on Amazon SageMaker (needs 'relabel[aws]')."""
