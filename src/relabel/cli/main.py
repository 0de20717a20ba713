"""The `relabel` command: flags in, exit codes out. What a command needs is imported when it runs."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

import relabel
from relabel.errors import RelabelError, UserError

COMMANDS = {
    "train": "relabel.cli.train",
    "embed": "relabel.cli.embed",
    "prepare": "relabel.cli.prepare",
    "demo": "relabel.cli.demo",
    "audit": "relabel.cli.audit",
    "serve": "relabel.cli.serve",
    "predict": "relabel.cli.predict",
    "evaluate": "relabel.cli.evaluate",
    "pack": "relabel.cli.pack",
    "convert-checkpoint": "relabel.cli.convert_checkpoint",
    "doctor": "relabel.cli.doctor",
    "undo": "relabel.cli.undo",
    "annotators": "relabel.cli.annotators",
    "report": "relabel.cli.report",
    "review": "relabel.cli.review",
    "select": "relabel.cli.select",
    "curve": "relabel.cli.curve",
    "drift": "relabel.cli.drift",
    "aws": "relabel.cli.aws",
    "web": "relabel.cli.web",
    "loop": "relabel.cli.loop",
}
"""Command -> the module whose `command` it is."""

AWS = {"boto3", "botocore", "sagemaker"}
"""Packages that come with the extra of that name."""


class _Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(COMMANDS[name]).command
        return found


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(relabel.__version__, prog_name="relabel")
def commands() -> None:
    """Find wrong labels over embeddings, clean them, retrain, prove what that was worth, serve the model."""


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; a failure is its message on standard error and the exit code of its kind."""
    try:
        return commands.main(args=arguments, prog_name="relabel")
    except RelabelError as error:
        failed = error
    except ModuleNotFoundError as error:
        if (error.name or "relabel").partition(".")[0] == "relabel":
            raise
        extra = "aws" if (error.name or "").partition(".")[0] in AWS else "train,serve"
        failed = UserError(f"this command needs {error.name}, which is not installed: pip install 'relabel[{extra}]'")
    click.echo(f"ERROR {failed}", err=True)
    sys.exit(failed.exit_code)
