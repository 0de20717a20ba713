"""`relabel report`: the page on a finished job."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file to write instead of report.html in the folder; figures/ is then left as it is",
)
def command(*, results: Path, output: Path | None) -> None:
    """Write report.html, one file that explains a job, and its figures for documents.

    RESULTS is the folder output/data of a training job, of this version or an older one: what an older one did not write is left out,
    and the page says so.
    """
    from relabel import files
    from relabel.report import page

    with files.told(output or results):
        click.echo(f"report: {page.write(results, output)}")
