"""`relabel review serve` and `relabel review answers`: the page on which people answer, and what they answered there as a file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli import review_inputs
from relabel.cli.review_inputs import READ, RESULTS, SPLITS, WRITTEN

if TYPE_CHECKING:
    from flask import Flask

    from relabel.review.app import Site
    from relabel.review.retraining import Retraining

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST = 16
"""Characters of a token, at least."""

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("results", type=RESULTS)
@click.option(
    "--store", type=WRITTEN, help="file of the decisions [default: review.sqlite beside --reviews, else in RESULTS]"
)
@click.option("--reviews", type=WRITTEN, help="answers so far (reviews.jsonl): they are not asked for again")
@click.option("--splits", default=SPLITS, show_default=True, help="splits to ask about")
@click.option(
    "--random-share",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="share of questions drawn by chance",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="the draw follows from it")
@click.option(
    "--least",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0),
    help="expected errors for which a question is worth the work",
)
@click.option(
    "--answers", "people", default=1, show_default=True, type=click.IntRange(1), help="people who answer each question"
)
@click.option(
    "--blind", is_flag=True, help="show labels and doubt only after the answer, so that nobody is led by them"
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="address to listen on; another one needs --allow-remote"
)
@click.option("--port", default=8321, show_default=True, type=click.IntRange(0, 65535), help="0 takes any that is free")
@click.option(
    "--allow-remote",
    multiple=True,
    metavar="NAME",
    help="let other machines in, which reach this one by that name; may be repeated",
)
@click.option(
    "--token-file",
    type=READ,
    help="file with the secret of the address, so that it stays the same [default: drawn at each start]",
)
@click.option("--data", type=FOLDER, help="the first job's --data, to train again from the page")
@click.option(
    "--retrain-output",
    type=click.Path(file_okay=False, path_type=Path),
    help="folder of that job [default: retrained beside the store]",
)
def serve(
    *,
    results: Path,
    store: Path | None,
    host: str,
    port: int,
    allow_remote: tuple[str, ...],
    token_file: Path | None,
    **chosen: Any,
) -> None:
    """Serve a page on which people answer, one question at a time, until CTRL-C.

    Every decision is on the disk before the page says so. The address has a secret: who knows it can read the texts and answer.
    """
    from relabel.errors import UserError
    from relabel.review import server
    from relabel.review import store as stores
    from relabel.review.security import Gate

    if host not in LOOPBACK and not allow_remote:
        raise UserError(
            f"--host {host} lets other machines in: say by which name they reach this one with --allow-remote NAME"
        )
    kept = store or (chosen["reviews"].parent if chosen["reviews"] else results) / stores.NAME
    prepared = _prepared(results, kept, **chosen)
    secret = _secret(token_file)
    made = server.listening(host, port)
    gate = Gate(secret, made.getsockname()[1], allow_remote)
    address = server.address(made, host, secret)

    def ready() -> None:
        click.echo(f"review  {address}\nstore   {kept}\nend     CTRL-C; every decision is kept")
        if allow_remote:
            click.echo("other machines can reach this page; what travels is not encrypted", err=True)

    server.serve(made, lambda: prepared.app(gate), prepared.end, ready)


@click.command()
@click.argument("store", type=READ)
@click.option("--results", required=True, type=RESULTS, help="the results that were asked about")
@click.option("--output", required=True, type=WRITTEN, help="file to write")
@click.option(
    "--format",
    "form",
    default="reviews",
    show_default=True,
    type=click.Choice(["reviews", "csv", "jsonl", "labelstudio", "groundtruth"]),
    help="`reviews` is what a training job takes; the others, what `relabel review import` reads",
)
@click.option(
    "--reviews", type=WRITTEN, help="answers so far (reviews.jsonl), to stand before the new ones; for `reviews` alone"
)
def answers(*, store: Path, results: Path, output: Path, form: str, reviews: Path | None) -> None:
    """Write what people answered on the page, as it stands: STORE is its file of decisions."""
    from relabel import files
    from relabel.review import answers as writing
    from relabel.review import store as stores

    asked = review_inputs.questions(results)
    here = writing.of_decisions(stores.read(store, asked.data, asked.classes), asked, writing.places(asked))
    files.write_bytes(output, writing.exported(form, asked, review_inputs.answers(reviews), here))
    click.echo(f"{len(here):,} answers of {len({one.reviewer for one in here}):,} people\nanswers  {output}")


def _secret(file: Path | None) -> str:
    """Read the token, or draw one. From a file: whoever may list processes sees what a command line says."""
    import secrets

    from relabel.errors import UserError

    token = secrets.token_urlsafe(24) if file is None else file.read_text(encoding="utf-8").strip()
    if len(token) < SHORTEST:
        raise UserError(f"{file}: {len(token)} characters: put a secret of at least {SHORTEST} there")
    return token


class _Prepared:
    """What the page needs, read before the server forks; the store is opened after it."""

    def __init__(self, make: Callable[[Any], Site], retraining: Retraining | None) -> None:
        self._make, self._retraining = make, retraining

    def app(self, gate: Any) -> Flask:
        """Make the application, in the worker."""
        from relabel.review import app

        return app.create(self._make(gate))

    def end(self) -> None:
        """End what the worker started."""
        if self._retraining is not None:
            self._retraining.end()


def _prepared(
    results: Path,
    store: Path,
    *,
    reviews: Path | None,
    splits: str,
    random_share: float,
    seed: int,
    least: float,
    people: int,
    blind: bool,
    data: Path | None,
    retrain_output: Path | None,
) -> _Prepared:
    """Read the results, and refuse what cannot work before anything listens."""
    import time

    from relabel.results import metrics_file
    from relabel.review import material
    from relabel.review.app import Site
    from relabel.review.desk import Desk, Options
    from relabel.review.retraining import Retraining
    from relabel.review.store import Store

    asked = review_inputs.questions(results)
    figures = metrics_file.read(results)
    earlier = review_inputs.answers(reviews)
    if data is not None:
        review_inputs.check_known(asked, earlier)
    read = material.read(results, asked, review_inputs.wanted(asked, splits), earlier, figures)
    store.parent.mkdir(parents=True, exist_ok=True)
    Store(store, asked.data, asked.classes).close()
    output = retrain_output or store.parent / "retrained"
    told = _setting_options(figures["settings"])
    options = Options(random_share=random_share, seed=seed, least=least, people=people, blind=blind)

    def command(answered: Path) -> list[str]:
        named = ["--data", str(data or "DATA"), "--output", str(output), "--reviews", str(answered)]
        return ["train", *named, *told]

    def process(answered: Path) -> list[str]:  # -P: not what lies in the current folder by the name of a module
        return [sys.executable, "-P", "-m", "relabel", *command(answered)]

    retraining = Retraining(process, output) if data is not None else None
    shown = (
        shlex.join(
            ["relabel", "review", "answers", str(store), "--results", str(results), "--output", "reviews.jsonl"]
        ),
        shlex.join(["relabel", *command(Path("reviews.jsonl"))]),
    )

    def site(gate: Any) -> Site:
        desk = Desk(read, Store(store, asked.data, asked.classes), options, time.monotonic)
        return Site(desk, gate, results, retraining, shown)

    return _Prepared(site, retraining)


def _setting_options(known: Mapping[str, Any]) -> list[str]:
    """Give the options that bring a job's settings about again: those that its preset and learner do not bring by themselves."""
    from relabel import settings
    from relabel.settings import TrainSettings

    base = {name: str(known[name]) for name in ("preset", "learner") if known.get(name)}
    usual = settings.as_dict(settings.parse(TrainSettings, base))
    wanted = {name: value for name, value in known.items() if name in usual and (name in base or value != usual[name])}
    told = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in wanted.items()}
    return [word for name, value in told.items() for word in (f"--{name.replace('_', '-')}", value)]
