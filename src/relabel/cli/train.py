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
@click.option("--output", type=click.Path(path_type=Path), help="folder for model/, output/ and checkpoints/")
@click.option("--root", type=click.Path(path_type=Path), help="folder of the platform's contract, in place of its own")
@options(TrainSettings)
def command(*, data: Path | None, encoder: Path | None, output: Path | None, root: Path | None, **values: Any) -> None:
    """Find label errors, clean, retrain, compare; write the model and the evidence.

    Without --data and --output this is the job of a training container: channels, hyperparameters and results are where the platform puts
    them.
    """
    from relabel.cli.running import place, run_job
    from relabel.container import signals

    environment, paths = place(root, data, output)
    code = run_job(environment, paths.moved(encoder=encoder), given(values)).code
    signals.ignore()
    sys.exit(code)
