"""`relabel select`: the rows to annotate next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from relabel.cli.options import given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from relabel.auditing.selection import Selection
    from relabel.data.pool import Pool

DIGITS = 6


@click.command()
@click.argument("model")
@click.argument("unlabelled", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--count", required=True, type=click.IntRange(1), help="rows to choose")
@click.option(
    "--method",
    type=click.Choice(["margin", "activelab", "random"]),
    default="margin",
    show_default=True,
    help="unsure rows with many like them; ActiveLab, which may ask for a labelled row again; or chance",
)
@click.option(
    "--diversity",
    default=5,
    show_default=True,
    type=click.IntRange(1),
    help="candidates for each row; of them those are chosen that lie far apart; 1 takes the best scores as they are",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="every random choice follows from it"
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="CSV file to write; standard output by default"
)
@options(TrainSettings, only=("label_column", "text_column", "id_column"))
def command(
    *,
    model: str,
    unlabelled: Path,
    count: int,
    method: str,
    diversity: int,
    seed: int,
    output: Path | None,
    **values: Any,
) -> None:
    """Choose the rows of UNLABELLED whose labels would teach most.

    MODEL is a model folder, its model.tar.gz, or its address. UNLABELLED is a file of embeddings (.npy, .pt), with texts, ids and labels
    in the .csv of the same name where there is one, or a .csv whose columns are the embedding. For a model that takes texts it is a
    table with a column of texts (.csv, .jsonl, .parquet), or a .txt with one on each line.
    """
    from relabel import files, settings
    from relabel.auditing import selection
    from relabel.container import environment
    from relabel.data import duplicates, pool
    from relabel.data.examples import Dense
    from relabel.data.texts import Texts
    from relabel.errors import UserError
    from relabel.loop import views
    from relabel.model import source
    from relabel.serving import served

    chosen = settings.parse(TrainSettings, given(values))
    loaded = served.load(source.fetch(model, environment.read()))
    width, texts = loaded.takes
    rows = pool.read(unlabelled, chosen, classes=loaded.artifact.classes, width=width, texts=texts)
    if method != "activelab" and (rows.labels >= 0).all():
        raise UserError(f"{unlabelled.name}: every row has a label: give rows without, or ask for --method activelab")
    texts_given = () if rows.texts is None else tuple(rows.texts.tolist())
    probability, vectors = views.seen(loaded, texts_given, rows.vectors, seed)
    found = selection.select(
        probability,
        vectors,
        count,
        labels=rows.labels[:, None],
        group=duplicates.groups(
            None if rows.vectors is None else Dense(rows.vectors), None if rows.texts is None else Texts.of(rows.texts)
        ),
        method=cast('Literal["margin", "activelab", "random"]', method),
        diversity=diversity,
        seed=seed,
    )
    text = _text([*_lines(found, rows, probability, loaded.artifact.classes, chosen)])
    if output is None:
        click.echo(text, nl=False)
    else:
        files.write_text(output, text)
    _say(found, rows, count, output)


def _lines(
    found: Selection, rows: Pool, probability: NDArray[np.float32], classes: tuple[str, ...], columns: TrainSettings
) -> Iterator[dict[str, Any]]:
    """List the chosen rows, the most useful first."""
    for order, row in enumerate(found.rows.tolist(), start=1):
        line: dict[str, Any] = {"order": order, "row": row}
        if rows.ids is not None:
            line[columns.id_column] = rows.ids[row]
        line["predicted"] = classes[int(probability[row].argmax())]
        line["margin"] = round(float(found.margin[row]), DIGITS)
        line["score"] = round(float(found.score[row]), DIGITS)
        if (rows.labels >= 0).any():
            line[columns.label_column] = classes[rows.labels[row]] if rows.labels[row] >= 0 else ""
        if rows.texts is not None:
            line[columns.text_column] = rows.texts[row]
        yield line


def _text(lines: list[dict[str, Any]]) -> str:
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _say(found: Selection, rows: Pool, count: int, output: Path | None) -> None:
    """Say how many, and why not more; beside the table, where it is printed."""
    unlabelled = int((rows.labels < 0).sum())
    passed = f"; {found.duplicates:,} near duplicates were passed over" if found.duplicates else ""
    click.echo(f"{found.rows.size:,} rows chosen of {unlabelled:,} without a label{passed}", err=output is None)
    if found.rows.size < count:
        click.echo(f"fewer than the {count:,} asked for: no others differ from what is chosen or labelled", err=True)
    if output is not None:
        click.echo(f"label next: {output}")
