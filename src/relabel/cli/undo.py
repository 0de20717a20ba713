"""`relabel undo`: labels as they were before a policy changed them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relabel.cli.options import given, options
from relabel.results.undo import KNOWN
from relabel.settings import TrainSettings

if TYPE_CHECKING:
    from relabel.results.changes import Change
    from relabel.results.undo import Choice, Listing

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHARE = click.FloatRange(0, 1)


@click.command()
@click.option("--journal", required=True, type=FILE, help="journal.jsonl of the job")
@click.option(
    "--labels", required=True, type=FILE, help="cleaned.csv of the job, or a label file with all rows of the data"
)
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="CSV file to write")
@click.option("--all", "everything", is_flag=True, help="undo every change that the policy made")
@click.option(
    "--rows", type=FILE, help="undo only rows of this CSV file: columns file and row (as in label_issues.csv), or id"
)
@click.option("--decision", type=click.Choice(KNOWN), help="undo only changes of this kind")
@click.option("--above", type=SHARE, help="undo only changes with an error posterior of at least this")
@click.option("--below", type=SHARE, help="undo only changes with an error posterior below this: the least sure ones")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="folder of the original label files beside embeddings: the hash of every changed row is checked against it",
)
@click.option("--file", "own", help="the file of the journal that the labels are, where their name is another")
@options(TrainSettings, only=("label_column", "text_column", "id_column"))
def command(
    *,
    journal: Path,
    labels: Path,
    output: Path,
    everything: bool,
    rows: Path | None,
    decision: str | None,
    above: float | None,
    below: float | None,
    data: Path | None,
    own: str | None,
    **values: Any,
) -> None:
    """Give flipped rows their old label back, and put dropped rows back in their place.

    Which: --all, or what meets all that is given of --rows, --decision, --above and --below. Every other row stays as it is, to the
    byte, and what was undone before stays undone. Files that do not belong together are refused; then nothing is written.
    """
    from relabel import files, settings
    from relabel.errors import UserError
    from relabel.results import changes, originals, restoring, undo

    chosen = settings.parse(TrainSettings, given(values))
    if everything == any(value is not None for value in (rows, decision, above, below)):
        raise UserError("say which changes to undo: --all, or some of --rows, --decision, --above, --below")
    if output.resolve() in {labels.resolve(), journal.resolve()}:
        raise UserError(f"--output is {output.name} itself: give another file, so that nothing is lost")
    known = changes.read(journal)
    if data is not None:
        originals.check(known, data, chosen)
    found = restoring.read(labels)
    listing = restoring.listing(labels, found, known, chosen, own)
    _check_told(listing, known, checked=data is not None)
    named = None if rows is None else restoring.rows_named(rows, known)
    choice = undo.Choice(decision=decision, above=above, below=below, rows=named)
    undoing = undo.plan(known, {change.place for change in known if choice.takes(change)}, listing)
    files.write_bytes(output, restoring.restored(found, undoing, chosen).encode())
    _say_left(known, choice)
    click.echo(
        f"{len(known):,} changes in the journal; undone: {len(undoing.back):,} dropped rows brought back, {len(undoing.labels):,} labels; "
        f"undone before: {undoing.before:,}"
    )
    click.echo(f"labels: {output}")


def _check_told(listing: Listing, known: Sequence[Change], *, checked: bool) -> None:
    """Refuse, or say, that nothing but their numbers tells that these rows are the journal's."""
    from relabel.errors import UserError

    if listing.texts is not None or checked or not known:
        return
    if listing.complete:
        raise UserError(f"{listing.name}: no texts tell whether these are the journal's rows: give --data")
    click.echo("without texts or --data rows are known by their file and number alone", err=True)


def _say_left(known: Sequence[Change], choice: Choice) -> None:
    """Say what was asked for and stays."""
    if choice.rows is not None:
        changed = {name for change in known for name in (change.place, change.id)}
        if never := len({*choice.rows} - changed):
            click.echo(f"{never:,} of {len(choice.rows):,} rows of --rows were never changed", err=True)
    elif people := sum(change.reviewer is not None for change in known):
        click.echo(f"{people:,} changes that people decided stay: name them with --rows to undo them", err=True)
