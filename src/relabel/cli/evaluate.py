"""`relabel evaluate`: how good a trained model is on labelled data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.options import given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from relabel.codecs.codec import Texts
    from relabel.data.labelled import Labelled
    from relabel.evaluation.metrics import Scores
    from relabel.serving.served import Served


@click.command()
@click.option("--model", required=True, help="folder of the model, its model.tar.gz, or its address")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="folder of .csv files beside embeddings")
@click.option(
    "--split",
    type=click.Choice(["train", "dev", "test"]),
    default="test",
    show_default=True,
    help="files to score, by their names; all files where none is named for a split",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object with every figure")
@options(TrainSettings, only=("label_column", "text_column"))
def command(*, model: str, data: Path, split: str, as_json: bool, **values: Any) -> None:
    """Score a model on every row of labelled files: nothing is drawn, nothing left out, and labels count as they are given."""
    from relabel import settings
    from relabel.container import environment
    from relabel.data import labelled
    from relabel.data.examples import Split
    from relabel.evaluation import metrics
    from relabel.model import source
    from relabel.serving import served

    chosen = settings.parse(TrainSettings, given(values))
    loaded = served.load(source.fetch(model, environment.read()))
    classes = loaded.artifact.classes
    rows = labelled.read(data, Split[split.upper()], chosen, classes=classes, width=loaded.takes.width or 0)
    scores = metrics.score(rows.labels, _probabilities(loaded, _inputs(loaded, rows)))
    if as_json:
        about = {"model": loaded.artifact.short_hash, "files": list(rows.files), "classes": list(classes)}
        click.echo(json.dumps(about | scores.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(scores, classes)


def _inputs(loaded: Served, rows: Labelled) -> NDArray[np.float32] | Texts:
    """Give what the model takes of the rows: their embeddings, or their texts."""
    from relabel.errors import UserError

    if loaded.takes.width is not None and rows.vectors is not None:
        return rows.vectors
    if not loaded.takes.texts:
        raise UserError(
            f"{rows.files[0]}: texts alone, and the model takes embeddings: add them beside the label files"
        )
    if rows.texts is None:
        raise UserError(f"{rows.files[0]}: the model takes texts, and not every file has some: set text_column")
    return tuple(rows.texts.tolist())


def _probabilities(loaded: Served, inputs: NDArray[np.float32] | Texts) -> NDArray[np.float32]:
    """Predict as the endpoint does, which refuses what is too large for the model's arithmetic."""
    import numpy as np

    from relabel.data import phrases
    from relabel.errors import UserError

    with np.errstate(over="ignore", invalid="ignore"):
        probability = loaded(inputs)
    bad = np.flatnonzero(~np.isfinite(probability).all(axis=1)).tolist()
    if bad:
        raise UserError(f"values too large for this model in {phrases.rows(bad)}: leave them out, or embed them again")
    return probability


def _print(scores: Scores, classes: tuple[str, ...]) -> None:
    for name, value in (
        ("rows", f"{scores.rows}"),
        ("accuracy", f"{scores.accuracy:.4f}"),
        ("log loss", f"{scores.log_loss:.4f}"),
        ("macro F1", f"{scores.macro_f1:.4f}"),
        ("calibration error", f"{scores.ece:.4f}"),
    ):
        click.echo(f"{name:<22}{value}")
    click.echo("\nlabel, and rows that were predicted as each class")
    cells = [["", *classes], *([name, *map(str, row)] for name, row in zip(classes, scores.confusion, strict=True))]
    first, *widths = (max(map(len, column)) for column in zip(*cells, strict=True))
    for name, *counts in cells:
        numbers = "".join(f"  {count:>{width}}" for count, width in zip(counts, widths, strict=True))
        click.echo(f"{name:<{first}}{numbers}")
