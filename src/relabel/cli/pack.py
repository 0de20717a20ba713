"""`relabel pack`: a model folder as one file that can be hosted."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--model", default="model", show_default=True, type=click.Path(path_type=Path), help="folder of the model"
)
@click.option(
    "--output",
    default="model.tar.gz",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="file to write; an older one is replaced",
)
def command(model: Path, output: Path) -> None:
    """Pack a trained model as model.tar.gz, as SageMaker's hosting takes it from S3."""
    from relabel.model import package

    packed = package.pack(model, output)
    click.echo(f"{packed.path}  {packed.size:,} bytes  sha256 {packed.sha256}")
