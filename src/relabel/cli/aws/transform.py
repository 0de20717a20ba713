"""`relabel aws transform`: a whole set through a model, joined with its labels and scored."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.aws.place import JSON, here_too, left, on_aws, say_state

if TYPE_CHECKING:
    from relabel.aws.account import Account
    from relabel.aws.models import Described
    from relabel.aws.records import Columns
    from relabel.aws.validation import Joined

LEFT = "left; AWS goes on with the job: the same command comes back to it"
LEFT_HERE = "left; what was begun here is gone: the same command begins anew"
SCORES, FIGURES = "scores.csv", "scores.json"
SHOWN = {"accuracy": "accuracy", "macro_f1": "macro F1", "log_loss": "log loss"}
Say = Callable[[str], None]


@click.command()
@click.argument("model")
@click.argument("source", metavar="FOLDER|FILE|S3")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help=f"folder for {SCORES} (every record) and {FIGURES} (the figures)",
)
@click.option("--answers", default="", metavar="S3", help="place of the answers, in a folder JOB/ [default: out/]")
@click.option("--label-column", default="label", show_default=True, help="column or key of the labels")
@click.option(
    "--text-column", default="", help="column or key of the texts [default: text, review, sentence or content]"
)
@click.option("--image", default="", metavar="URI", help="image [default: the training job's, or relabel:VERSION-cpu]")
@click.option("--role", default="", metavar="ARN", help="execution role [default: relabel-execution of the account]")
@click.option("--instance-type", default="ml.m5.large", show_default=True, help="machine")
@click.option("--instance-count", default=1, show_default=True, type=click.IntRange(1), help="machines")
@JSON
@here_too
@on_aws
def command(
    *,
    model: str,
    source: str,
    output: Path,
    as_json: bool,
    local: bool,
    label_column: str,
    text_column: str,
    **said: Any,
) -> None:
    """Answer every record of a set (.csv or .jsonl) in one batch transform job, and score the answers where there are labels.

    MODEL is an endpoint's name, or what `deploy` takes. Labels stay here; answers come back in the order of the records.
    """
    from relabel import files
    from relabel.aws import validation
    from relabel.aws.records import Columns

    say = partial(click.echo, err=as_json)
    with left(LEFT_HERE if local else LEFT):
        joined = (_here if local else _there)(model, source, Columns(label_column, text_column), said, say)
    figures = {"rows": len(joined.row), "refused": joined.refused, "model": model, "scores": validation.score(joined)}
    with files.told(output):
        files.write_text(output / SCORES, _csv(joined))
        files.write_json(output / FIGURES, figures)
    _say(figures, say)
    say(f"records  {output / SCORES}\nfigures  {output / FIGURES}")
    if as_json:
        click.echo(json.dumps(figures))


def _there(model: str, source: str, columns: Columns, said: dict[str, Any], say: Say) -> Joined:
    from relabel.aws import account as accounts
    from relabel.aws import objects, transforming, validation

    account = accounts.find(said["region"], said["profile"])
    name, takes = _model(account, model, said)
    with transforming.scratch() as scratch:
        place = Path(source)
        if source.startswith("s3://"):
            place = Path(scratch) / "set"
            objects.download(account, source, place)
        prepared = transforming.prepare(place, Path(scratch) / "requests", takes, columns)
        machines = transforming.Machines(said["instance_type"], said["instance_count"])
        job, target = transforming.run(
            account, name, prepared, output=said["answers"], machines=machines, say=say_state
        )
        say(f"{job}: its answers lie in {target}")
        count = len(takes.classes)
        return validation.join(
            (
                (file, given, transforming.answers(account, target, file, count))
                for file, given in prepared.labels.items()
            ),
            takes.classes,
        )


def _model(account: Account, text: str, said: dict[str, Any]) -> tuple[str, Described]:
    """Give the name of the model at SageMaker, and what it takes."""
    from relabel.aws import endpoints, models, names, transforming
    from relabel.aws.models import Named

    if not Path(text).exists() and "/" not in text and (at := endpoints.deployed(account, names.full(text))):
        package = "" if at.model_uri else endpoints.package_of(account, at.model)
        return at.model, models.described(account, Named(at.model_uri, "", at.image, package))
    named = models.resolve(account, text, name=f"{names.PREFIX}model", image=said["image"])
    return transforming.ensure_model(account, named, said["role"] or account.role), models.described(account, named)


def _here(model: str, source: str, columns: Columns, said: dict[str, Any], say: Say) -> Joined:
    from relabel.aws import local_transforming

    return local_transforming.run(said["local_folder"], model, Path(source), columns, image=said["image"], say=say)


def _csv(joined: Joined) -> str:
    from relabel.aws import validation

    text = io.StringIO()
    first = ["file", "row", "label", "class", "right", *(f"p_{name}" for name in joined.classes)]
    writer = csv.DictWriter(text, first, lineterminator="\n")
    writer.writeheader()
    writer.writerows(validation.table(joined))
    return text.getvalue()


def _say(figures: dict[str, Any], say: Say) -> None:
    say(f"{figures['rows']:,} records, {figures['refused']:,} that could not be read")
    scores = figures["scores"]
    if not scores:
        say("no labels: nothing to score")
        return
    say(f"{scores['rows']:,} labelled records")
    for key, name in SHOWN.items():
        value, low, high = scores[key]
        say(f"{name:<12}{value:.4f}  ({low:.4f} to {high:.4f})")
