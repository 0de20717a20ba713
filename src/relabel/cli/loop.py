"""`relabel loop`: traffic, what to label next, a new model, and its place if it is better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from relabel.cli import loop_inputs, loop_people, loop_pipeline
from relabel.cli.loop_inputs import COUNT, FOLDER, SHARE, WHO
from relabel.cli.options import Sectioned, given, options
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.loop.asking import Asked
    from relabel.loop.folder import Loop

COLUMNS = ("_column", "_columns")
"""Ends of settings that say how the columns of the first data are called; the loop's own are called as by default."""
METHOD = click.Choice(["margin", "random"])
TRAFFIC = click.option("--traffic", default="", help="folder or s3://… of captured traffic [default: the endpoint's]")
TEXTS = click.option(
    "--texts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV file of texts for people, where the traffic is embeddings: columns id and review",
)
CHOICE = (
    click.option("--count", default=100, show_default=True, type=COUNT, help="rows to label"),
    click.option("--method", type=METHOD, default="margin", show_default=True, help="as of `relabel select`"),
    click.option(
        "--test-share",
        default=0.2,
        show_default=True,
        type=SHARE,
        help="of the rows, drawn by chance to test the next model",
    ),
    click.option(
        "--random-share",
        default=0.1,
        show_default=True,
        type=SHARE,
        help="of the other rows, drawn by chance to learn from",
    ),
    click.option(
        "--doubtful-share",
        default=0.1,
        show_default=True,
        type=SHARE,
        help="of the rows, labels that the last job doubts",
    ),
)


@click.group()
def command() -> None:
    """Label what the traffic needs, train, and let the new model serve if it is better.

    FOLDER holds the whole loop. A round is collect, select, export, import, train, promote; each step may be repeated, and one that broke
    off is done again.
    """


def _choice(function: Any) -> Any:
    for option in reversed(CHOICE):
        function = option(function)
    return function


@command.command(cls=Sectioned)
@click.argument("folder", type=FOLDER)
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="labelled rows, as for `relabel train`",
)
@click.option(
    "--model", default="", help="model that serves: folder, model.tar.gz or address [default: the endpoint's]"
)
@click.option("--endpoint", default="", help="endpoint on SageMaker that serves it; jobs then run there too")
@click.option("--region", default="", help="AWS region of the endpoint")
@click.option("--profile", default="", help="profile of your AWS settings")
@WHO
@options(TrainSettings)
def start(
    *, folder: Path, data: Path, model: str, endpoint: str, region: str, profile: str, by: str, **values: Any
) -> None:
    """Begin a loop with labelled rows and the model that serves. The settings are those of its training jobs."""
    from relabel import settings
    from relabel.container import configuration, environment
    from relabel.data import reading
    from relabel.errors import UserError
    from relabel.loop import starting
    from relabel.model import artifact, source

    if not (model or endpoint):
        raise UserError("no model: give the one that serves with --model, or its --endpoint")
    chosen = settings.parse(TrainSettings, given(values))
    surroundings = environment.read()
    channels = configuration.read(surroundings.paths.moved(data=data), surroundings).data_channels
    fetched = source.fetch(model or loop_inputs.model_of(endpoint, region, profile), surroundings)
    jobs = {name: value for name, value in given(values).items() if not name.endswith(COLUMNS)}
    about = {"seed": chosen.seed, "settings": jobs, "endpoint": endpoint, "region": region, "profile": profile}
    journal = loop_inputs.journal(folder, by)
    with journal.alone():
        loop = starting.start(journal, reading.read(channels, chosen), fetched, artifact.load(fetched), about)
    rows = loop.journal.events()[0].facts["rows"]
    click.echo(
        f"{', '.join(f'{count:,} {split}' for split, count in rows.items())} rows; {loop.champion().name} serves"
    )


@command.command()
@click.argument("folder", type=FOLDER)
@TRAFFIC
@TEXTS
@WHO
def collect(*, folder: Path, traffic: str, texts: Path | None, by: str) -> None:
    """Take captured traffic into the pool: each row once, none that has a label. This begins a round."""
    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        _collect(loop, traffic, texts)


@command.command()
@click.argument("folder", type=FOLDER)
@_choice
@WHO
def select(*, folder: Path, by: str, **values: Any) -> None:
    """Choose what people label next. What is chosen stays chosen."""
    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        _select(loop, **values)


@command.command(cls=Sectioned, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.argument("folder", type=FOLDER)
@WHO
@options(TrainSettings)
@click.pass_context
def train(context: click.Context, /, *, folder: Path, by: str, **values: Any) -> None:
    """Train on old and new labels, and compare with the model that serves.

    Runs `relabel train` here, or `relabel aws train` where the loop has an endpoint; other options go to that.
    """
    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        _train(loop, given(values), context.args)


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--force", metavar="REASON", help="promote against the evidence; the reason is written down")
@WHO
def promote(*, folder: Path, force: str | None, by: str) -> None:
    """Let the new model serve if its job says so; the one before is kept. This ends the round.

    With --force, the model of the last round serves all the same, until the next round begins.
    """
    from relabel.errors import UserError

    if force is not None and not force.strip():
        raise UserError("--force has no reason: say why the model shall serve against the evidence")
    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        _promote(loop, force or "")


@command.command()
@click.argument("folder", type=FOLDER)
@WHO
def rollback(*, folder: Path, by: str) -> None:
    """Let the model serve that did before."""
    from relabel.loop import places

    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        click.echo(f"{places.rollback(loop, loop_inputs.place(loop))} serves again")


@command.command()
@click.argument("folder", type=FOLDER)
@TRAFFIC
@TEXTS
@_choice
@click.option("--enough", default=1.0, show_default=True, type=SHARE, help="share of answers to train with")
@WHO
def run(*, folder: Path, traffic: str, texts: Path | None, enough: float, by: str, **values: Any) -> None:
    """Do all that can be done now without people: collect and select, or train and promote."""
    from relabel.loop import standing

    loop = loop_inputs.opened(folder, by)
    with loop.journal.alone():
        _, last = loop.at()
        if not last:
            _collect(loop, traffic, texts)
        if not last or last == "collect":
            _select(loop, **values)
        waits = standing.waiting(loop)
        if not loop.done("train") and waits.answered < max(1.0, enough * waits.asked):
            click.echo(
                f"waits for people: {waits.asked - waits.answered:,} of {waits.asked:,} rows; export, then import"
            )
            return
        if not loop.done("train"):
            _train(loop, {}, [])
        _promote(loop, "")


@command.command()
@click.argument("folder", type=FOLDER)
@click.option("--previous", is_flag=True, help="the one before")
def model(*, folder: Path, previous: bool) -> None:
    """Print the folder of the model that serves."""
    from relabel.errors import UserError

    loop = loop_inputs.opened(folder)
    name = loop.serving()["previous" if previous else "current"]
    if name is None:
        raise UserError("no model served before this one")
    click.echo(loop.folder / name)


command.add_command(loop_people.export)
command.add_command(loop_people.take)
command.add_command(loop_people.status)
command.add_command(loop_pipeline.pipeline)
command.add_command(loop_pipeline.evidence)


def _collect(loop: Loop, place: str, texts: Path | None) -> None:
    from relabel.loop import rounds

    found = loop_inputs.traffic(loop, place)
    facts = rounds.collect(loop, found, loop_inputs.texts(texts), found.skipped)
    passed = {**facts["skipped"], **found.skipped}
    click.echo(
        "; ".join([f"{facts['rows']:,} new rows", *(f"{count:,} {why}" for why, count in sorted(passed.items()))])
    )


def _select(
    loop: Loop, *, count: int, method: str, test_share: float, random_share: float, doubtful_share: float
) -> Asked:
    from relabel.loop import rounds
    from relabel.results.reviewing import questions

    results = rounds.results(loop)
    before = loop.done("select")
    asked = rounds.select(
        loop,
        loop_inputs.seeing(loop),
        count,
        test_share=test_share,
        random_share=random_share,
        method=cast('Literal["margin", "random"]', method),
        doubtful=round(count * doubtful_share),
        doubted=None if results is None or before else questions.read(results),
    )
    number, _ = loop.at()
    facts = loop.journal.last("select", number)
    parts = ", ".join(f"{n:,} {why}" for why, n in facts.facts["rows"].items()) if facts else ""
    click.echo(f"round {number}: {len(asked):,} rows{' were chosen before' if before else ' to label'}: {parts}")
    if len(asked) < count and not before:
        click.echo(f"fewer than the {count:,} asked for: no others differ from what is chosen or labelled", err=True)
    return asked


def _train(loop: Loop, values: dict[str, str], extra: list[str]) -> None:
    from relabel.loop import training

    facts = training.train(loop, loop_inputs.trainer(loop, extra), values)
    labels = ", ".join(f"{count:,} {why}" for why, count in facts["labels"].items())
    click.echo(f"{facts['challenger']} trained with new labels: {labels}; {facts['champion']} serves")


def _promote(loop: Loop, force: str) -> None:
    from relabel.loop import rounds

    facts = rounds.decide(loop, loop_inputs.place(loop), force=force)
    click.echo(f"{facts['decision']}: {facts['reason']}")
    if facts["forced"]:
        click.echo(f"promoted all the same: {facts['forced']}")
    click.echo(f"{loop.champion().name} serves")
