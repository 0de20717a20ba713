"""`relabel train`: the training job, in a container or in any folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from relabel.cli.options import given, options
from relabel.settings import TrainSettings


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="folder of the train channel, in place of the platform's channels"
)
@click.option(
    "--encoder",
    type=click.Path(path_type=Path),
    help="folder of a Hugging Face encoder, in place of the platform's channel of that name",
)
@click.option(
    "--champion",
    metavar="MODEL",
    help="the model that serves now, in place of the channel `model`: a folder, a model.tar.gz, or an address",
)
@click.option(
    "--reviews",
    type=click.Path(path_type=Path),
    help="file of people's answers (reviews.jsonl), in place of the channel `reviewed`",
)
@click.option("--output", type=click.Path(path_type=Path), help="folder for model/, output/ and checkpoints/")
@click.option("--root", type=click.Path(path_type=Path), help="folder of the platform's contract, in place of its own")
@options(TrainSettings)
def command(
    *,
    data: Path | None,
    encoder: Path | None,
    champion: str | None,
    reviews: Path | None,
    output: Path | None,
    root: Path | None,
    **values: Any,
) -> None:
    """Find label errors, clean, retrain, compare; write the model and the evidence.

    Without --data and --output this is the job of a training container: channels, hyperparameters and results are where the platform puts
    them.
    """
    from relabel.cli.running import place, run_job
    from relabel.container import signals
    from relabel.model import source

    environment, paths = place(root, data, output)
    serving = None if champion is None else source.fetch(champion, environment)
    code = run_job(environment, paths.moved(encoder=encoder, champion=serving, reviews=reviews), given(values)).code
    signals.ignore()
    sys.exit(code)
