"""`relabel aws invoke`: one request to an endpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.place import here_too, left, on_aws

if TYPE_CHECKING:
    from relabel.aws.asking import Answer

LEFT = "left; a request that waits is answered all the same"


@click.command()
@click.argument("name")
@click.argument("source", metavar="[FILE]", required=False, default="")
@click.option("--text", help="ask about this text, in place of a FILE")
@click.option(
    "--content-type", default="", metavar="TYPE", help="media type of the request [default: by FILE's ending]"
)
@click.option("--accept", default="", metavar="TYPE", help="media type of the answer [default: that of the request]")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="file to write; standard output by default"
)
@click.option("--patience", default=900.0, show_default=True, help="seconds to wait for an asynchronous answer")
@here_too
@on_aws
def command(*, name: str, source: str, text: str | None, output: Path | None, local: bool, **said: Any) -> None:
    """Send FILE (- is standard input) or --text to the endpoint NAME, and give its answer.

    Real time, serverless or asynchronous, as the endpoint is; what the server refuses is said in its own words.
    """
    from relabel import files
    from relabel.aws import names

    body, content_type = _request(source, text, said["content_type"])
    with left(LEFT):
        answer = (_here if local else _there)(names.full(name), body, content_type, said)
    if output is None:
        click.echo(answer.body, nl=not answer.body.endswith(b"\n"))
    else:
        with files.told(output):
            files.write_bytes(output, answer.body)


def _request(source: str, text: str | None, content_type: str) -> tuple[bytes, str]:
    """Give the body and its media type."""
    from relabel.codecs.table import ENDINGS
    from relabel.errors import UserError

    if bool(source) == (text is not None):
        raise UserError("give a FILE (- is standard input) or --text")
    if text is not None:
        return text.encode(), content_type or "text/plain"
    kind = content_type or ENDINGS.get(Path(source).suffix.lower(), "")
    if not kind:
        raise UserError(
            f"{source}: its ending does not say what it holds: give --content-type, or name it {', '.join(ENDINGS)}"
        )
    if source == "-":
        return sys.stdin.buffer.read(), kind
    try:
        return Path(source).read_bytes(), kind
    except OSError as error:
        raise UserError(f"{source}: cannot be read ({error.strerror})") from None


def _there(name: str, body: bytes, content_type: str, said: dict[str, Any]) -> Answer:
    from relabel.aws import account as accounts
    from relabel.aws import asking, endpoints

    account = accounts.find(said["region"], said["profile"])
    at = endpoints.existing(account, name)
    return asking.ask(account, at, body, content_type, said["accept"], patience=said["patience"])


def _here(name: str, body: bytes, content_type: str, said: dict[str, Any]) -> Answer:
    from relabel.aws import local_hosting

    return local_hosting.ask(said["local_folder"], name, body, content_type, said["accept"])
