"""`relabel convert-checkpoint`: a network of the plain recipe as a model that can be served."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click


@click.command()
@click.option(
    "--checkpoint",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="checkpoint of Lightning, or a state_dict of torch",
)
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder to write")
@click.option(
    "--classes",
    help="class names in the order of the outputs, with commas between; for one output, the name for 0 and the name for 1  "
    "[default: 0,1,…]",
)
@click.option(
    "--fitted-on",
    type=click.Choice(["given", "treated"]),
    default="given",
    show_default=True,
    help="labels that the network was trained on: as people gave them, or cleaned",
)
def command(checkpoint: Path, output: Path, classes: str | None, fitted_on: Literal["given", "treated"]) -> None:
    """Turn a checkpoint into a model folder. Nothing in the checkpoint is run.

    The network is taken to be linear layers in the order of the file, ReLU between them, on embeddings as they are: one output is the
    logit of a sigmoid, several are those of a softmax.
    """
    from relabel.data import phrases
    from relabel.model import artifact
    from relabel.model.checkpoint import convert

    made = convert(checkpoint, None if classes is None else classes.split(","), fitted_on)
    artifact.save(output, made)
    sizes = made.model.sizes
    layers = phrases.counted(sizes["depth"], "hidden layer")
    click.echo(f"{output}  {sizes['inputs']} wide, {layers}, classes {', '.join(made.classes)}")
