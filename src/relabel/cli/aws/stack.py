"""`relabel aws stack`: the page, on AWS."""

from __future__ import annotations

import click

NAME = click.option(
    "--name", default="relabel-web", show_default=True, help="name of the stack and of all that it makes"
)
REGION = click.option("--region", default="", help="AWS region [default: that of the AWS settings]")
PROFILE = click.option("--profile", default="", help="profile of the AWS settings")


@click.group()
def command() -> None:
    """Put a page on the web on which anybody tries an endpoint, or take it away."""


@command.command()
@click.option("--endpoint", required=True, help="name of the SageMaker endpoint that answers")
@click.option(
    "--origin", "origins", multiple=True, metavar="URL", help="a page of another site that may ask; may be repeated"
)
@click.option("--static", is_flag=True, help="serve the page from a bucket behind CloudFront; else the function does")
@click.option(
    "--per-minute", default=30, show_default=True, type=click.IntRange(1), help="texts a minute from one client address"
)
@NAME
@REGION
@PROFILE
def up(
    *, endpoint: str, origins: tuple[str, ...], static: bool, per_minute: int, name: str, region: str, profile: str
) -> None:
    """Make the stack, or change it to what is said; the last line is the page's address.

    Anybody who knows the address can ask the endpoint there. Run it again after CTRL-C: it goes on where it was.
    """
    import time

    from relabel.aws import account, stack

    wish = stack.Wish(name=name, endpoint=endpoint, origins=origins, static=static, per_minute=per_minute)
    stack.check(wish)
    address = stack.up(account.find(region, profile), wish, click.echo, time.sleep)
    click.echo(f"page      {address}")


@command.command()
@NAME
@REGION
@PROFILE
def down(*, name: str, region: str, profile: str) -> None:
    """Delete the stack with everything that it made. The endpoint stays."""
    import time

    from relabel.aws import account, stack

    there = stack.down(account.find(region, profile), name, click.echo, time.sleep)
    click.echo(f"{name} is deleted" if there else f"there is no stack {name}")
