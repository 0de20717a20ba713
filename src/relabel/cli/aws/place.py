"""Options that the commands on endpoints share: where they work, and how they speak. No command of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

INTERRUPTED = 130
PAIR = re.compile(r"([^=]+)=(.*)", re.DOTALL)
LOCAL = click.option("--local", is_flag=True, help="in the SageMaker SDK's local mode, with Docker, on this machine")
LOCAL_FOLDER = click.option(
    "--local-folder",
    default="relabel-local",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="where local mode works and remembers",
)
JSON = click.option(
    "--json", "as_json", is_flag=True, help="one JSON object on standard output, all else on standard error"
)


def on_aws(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --region and --profile."""
    function = click.option("--profile", default="", help="profile of your AWS settings")(function)
    return click.option("--region", default="", help="AWS region [default: that of your AWS settings]")(function)


def here_too(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --local and --local-folder."""
    return LOCAL(LOCAL_FOLDER(function))


def pairs(said: Sequence[str], option: str) -> dict[str, str]:
    """Read `K=V`, several times. Raises UserError with all that are none."""
    from relabel.errors import UserError

    read = [(each, PAIR.fullmatch(each)) for each in said]
    # What stands behind the sign may be a secret.
    if wrong := [f"--{option} {text.partition('=')[0]}: give it as NAME=VALUE" for text, pair in read if not pair]:
        raise UserError(*wrong)
    return {pair[1]: pair[2] for _, pair in read if pair}


def say_state(state: str, seconds: float) -> None:
    """Show what is waited for: on a terminal one line that changes, elsewhere a line whenever a minute has passed."""
    line = f"{state}, {seconds / 60:.0f} min" if seconds >= 60 else f"{state}, {seconds:.0f} s"  # noqa: PLR2004  # a minute
    if sys.stderr.isatty():
        click.echo(f"\r{line:<60}", err=True, nl=False)
    elif seconds < 1 or seconds % 60 < 10:  # noqa: PLR2004  # looks are ten seconds apart
        click.echo(line, err=True)


@contextmanager
def left(what: str) -> Iterator[None]:
    """Say at Ctrl-C what goes on, and end with the code of an interrupt."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{what}", err=True)
        sys.exit(INTERRUPTED)
