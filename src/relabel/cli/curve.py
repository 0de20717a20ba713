"""`relabel curve`: more labels or cleaner labels?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.options import given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.evaluation.comparison import Interval
    from relabel.evaluation.outlook import Outlook

TRAINING = (
    "width",
    "depth",
    "dropout",
    "standardise",
    "batch_size",
    "max_epochs",
    "lr",
    "weight_decay",
    "gradient_clip",
)
ASKED = (
    *("seed", "seeds", "folds", *TRAINING, "schedule", "patience", "dev_share", "test_share"),
    *("text_column", "label_column", "id_column", "threads"),
)


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--results",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="folder output/data of a training job on the same data: the answer becomes part of its report",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object with every figure")
@options(TrainSettings, only=ASKED)
def command(*, data: Path, results: Path | None, as_json: bool, **values: Any) -> None:
    """Say what more labels, and what cleaner labels, would be worth.

    DATA is a folder as `relabel train` takes it. Models are fitted on 10 to 100% of the training rows, cross-validated `seeds` times,
    and on cleaned rows; no test row is used. Unless told otherwise each trains until dev stops falling (max_epochs 30, patience 2).
    """
    import threadpoolctl
    import torch

    from relabel import settings
    from relabel.container import memory
    from relabel.data import reading
    from relabel.data.digest import digest
    from relabel.data.room import Room
    from relabel.job import curve, material
    from relabel.job.work import default_threads
    from relabel.report import page
    from relabel.results import outlook_file

    chosen = settings.parse(TrainSettings, {**curve.DEFAULTS, **given(values)})
    threads = chosen.threads or default_threads()
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads):
        examples = reading.read({"train": data}, chosen)
        if results is not None:
            _check(results, digest(examples))
        chosen = material.chosen(examples, {**curve.DEFAULTS, **given(values)})
        made = material.made(examples, chosen, material.World(room=Room.within(memory.read().limit)))
        for note in made.notes:
            click.echo(note, err=True)
        found = curve.run(examples, made, chosen, curve.plainly(lambda _name, _done, _total: None))
    if results is not None:
        outlook_file.save(results, found)
        if (results / page.NAME).is_file():
            page.write(results)
    if as_json:
        click.echo(json.dumps(found.as_dict(), indent=2, allow_nan=False))
    else:
        _print(found)


def _check(results: Path, data: str) -> None:
    """Raise UserError where a folder does not hold the results of a job on these data."""
    from relabel.errors import UserError
    from relabel.results import metrics_file

    if not (results / metrics_file.NAME).is_file():
        raise UserError(f"{results}: no {metrics_file.NAME}: give the folder output/data of a training job")
    if metrics_file.read(results)["data"]["digest"] != data:
        raise UserError(f"{results}: results of other data: give those of a job on the same files and columns")


def _print(found: Outlook) -> None:
    click.echo(found.sentence)
    click.echo(f"\n{'labels':>10}  accuracy on right labels   on given ones")
    for right, plain in zip(found.curve, found.plain, strict=True):
        click.echo(f"{right.rows:>10,}  {_percent(right.accuracy):<25}  {_percent(plain.accuracy)}")
    click.echo(f"\n{'further':>10}  gain in points, from {found.rows:,} labels")
    for step in found.more:
        click.echo(f"{step.rows:>10,}  {_gain(step.accuracy)}")
    if found.checked is None or found.dropped is None or found.relabelled is None:
        return
    click.echo(f"\nthe {found.doubtful:,} most doubtful labels")
    for name, gain in (("left out", found.dropped), ("as suggested", found.relabelled), ("checked", found.checked)):
        click.echo(f"{name:>14}  {_gain(gain)}")


def _percent(figure: Interval) -> str:
    return f"{100 * figure.value:.1f}% ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _gain(figure: Interval) -> str:
    return f"{100 * figure.value:+.1f} ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
