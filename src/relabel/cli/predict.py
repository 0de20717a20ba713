"""`relabel predict`: what an endpoint would answer, without one."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.option("--model", required=True, help="folder of the model, its model.tar.gz, or its address")
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="file to write; standard output by default"
)
@click.option(
    "--accept", default="", metavar="TYPE", help="media type of the answer; by default --output's, or INPUT's"
)
@click.option(
    "--content-type",
    default="",
    metavar="TYPE",
    help="media type of INPUT, as `text/csv; label_size=1`; by default its ending's",
)
@click.option(
    "--bad-records",
    type=click.Choice(["refuse", "report"]),
    default="refuse",
    show_default=True,
    help="what a record that cannot be read does: refuse the file, or be reported in its place of the answer",
)
@click.option(
    "--explain",
    default=0,
    metavar="N",
    type=click.IntRange(0),
    help="give the N words of each text that weigh most in its prediction; 0 is none",
)
def command(
    *, model: str, source: Path, output: Path | None, accept: str, content_type: str, bad_records: str, explain: int
) -> None:
    """Answer the records of a file (.json, .jsonl, .csv, .npy, .txt) byte for byte as an endpoint of the model would.

    A .txt file has one text on each line. Records with a label are audited too: JSON with `label`, or CSV with a column of that name.
    """
    from relabel import files, settings
    from relabel.codecs import table
    from relabel.container import environment
    from relabel.container.memory import GIB
    from relabel.model import source as models
    from relabel.serving import capacity, served
    from relabel.serving.endpoint import Endpoint
    from relabel.serving.handler import INVOCATIONS, handle
    from relabel.serving.messages import Request
    from relabel.settings import ServeSettings

    chosen = settings.parse(ServeSettings, {"bad_records": bad_records, "plain_lines": True})
    endpoint = Endpoint(
        served.load(models.fetch(model, environment.read())), chosen, capacity.of(chosen, cores=1, memory=GIB)
    )
    told = "" if output is None else table.ENDINGS.get(output.suffix.lower(), "")
    asked = (content_type or _media_type(source)) + (f"; explain={explain}" if explain else "")
    request = Request("POST", INVOCATIONS, asked, accept or told, body=source.read_bytes(), number=source.name)
    response = handle(request, endpoint)
    if response.status != 200:  # noqa: PLR2004  # as HTTP says that all went well
        _refuse(source, response.status, response.body)
    if output is None:
        click.echo(response.body, nl=False)
    else:
        files.write_bytes(output, response.body)


def _media_type(path: Path) -> str:
    from relabel.codecs.table import ENDINGS
    from relabel.errors import UserError

    if path.suffix.lower() not in ENDINGS:
        raise UserError(f"{path.name}: its ending does not say what it holds: name it {', '.join(ENDINGS)}")
    return ENDINGS[path.suffix.lower()]


def _refuse(source: Path, status: int, body: bytes) -> None:
    """Raise what the endpoint has said, as the fault of whoever sent it, or as ours."""
    from relabel.errors import AlgorithmError, UserError

    kind = UserError if status < 500 else AlgorithmError  # noqa: PLR2004  # from here on HTTP's faults of a server
    raise kind(f"{source.name}: {json.loads(body)['error']['message']}")
