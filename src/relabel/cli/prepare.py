"""`relabel prepare`: texts and labels as they are published, made into train, dev and test."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from relabel.cli.options import given, options
from relabel.data.corpora import KINDS
from relabel.settings import TrainSettings


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder to write to")
@click.option("--kind", type=click.Choice([*KINDS]), help="what SOURCE is; found out where it is not said")
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="of the tables",
)
@click.option(
    "--size", default=0, type=click.IntRange(0), metavar="N", help="rows in all, drawn by chance; all by default"
)
@click.option(
    "--neutral", is_flag=True, help="sentiment140: keep neutral tweets as a class; they are dropped by default"
)
@options(TrainSettings, only=("seed", "dev_share", "test_share", "label_column", "text_column", "id_column"))
def command(
    *, source: Path, output: Path, kind: str | None, suffix: str, size: int, neutral: bool, **values: Any
) -> None:
    """Make train, dev and test of SOURCE, for `relabel train --data`, with a card of what is in them.

    SOURCE is Sentiment140's CSV, the folder or the archive of IMDb, or a CSV, JSON Lines or Parquet file of texts and labels. A
    test split that it has is kept. Equal texts lie in one split. The same source, options and seed give the same bytes.
    """
    from relabel import settings
    from relabel.cli.running import shown
    from relabel.container import environment
    from relabel.data import corpora
    from relabel.data.corpora.drawing import Draw
    from relabel.data.corpora.preparation import prepare
    from relabel.data.examples import Split

    chosen = settings.parse(TrainSettings, given(values))
    corpus = KINDS[kind or corpora.kind_of(source)](source, chosen, neutral)
    asked = Draw(size=size, seed=chosen.seed, shares={Split.DEV: chosen.dev_share, Split.TEST: chosen.test_share})
    with shown(bars=sys.stderr.isatty() and not environment.read().plain) as progress:
        card = prepare(corpus, output, asked, suffix, progress)
    _say(card, output)


def _say(card: dict[str, Any], output: Path) -> None:
    click.echo(f"{card['source']['kind']}: {card['rows']['read']:,} rows read")
    for reason, count in card["rows"]["dropped"].items():
        click.echo(f"left out {count:,}: {reason}")
    for name, split in card["splits"].items():
        classes = ", ".join(f"{label} {count:,}" for label, count in split["classes"].items())
        click.echo(f"{name:<6}{split['rows']:>10,}  {classes}")
    same = card["duplicates"]
    click.echo(
        f"texts that stand more than once: {same['groups']:,}, with more than one label: {same['conflicts']['groups']:,}"
    )
    click.echo(f"\ntables  {output}\ncard    {output / 'card.md'}")
