"""`relabel annotators`: one label from several people's, how good they are, and what to label next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from relabel.auditing.annotations import Annotations
    from relabel.auditing.annotators import Judgement

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CONSENSUS, ANNOTATORS, NEXT = "consensus.csv", "annotators.csv", "next.csv"
DIGITS = 6


@click.command()
@click.option(
    "--labels", required=True, type=FILE, help="CSV file of one label a line: columns row (or id), annotator, label"
)
@click.option("--label-column", default="label", show_default=True, help="name of the column of labels")
@click.option("--annotator-column", default="annotator", show_default=True, help="name of the column of annotators")
@click.option(
    "--probabilities",
    type=FILE,
    help="out-of-fold probabilities of a model, one column per class: .npy, or .csv whose header names the classes, and row or id",
)
@click.option("--classes", help="class names in the order of the columns, with commas between (for .npy)")
@click.option("--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder to write to")
@click.option(
    "--next", "limit", default=100, show_default=True, type=click.IntRange(1), help="rows to list for the next labels"
)
def command(
    *,
    labels: Path,
    label_column: str,
    annotator_column: str,
    probabilities: Path | None,
    classes: str | None,
    output: Path,
    limit: int,
) -> None:
    """Settle on one label for each row, judge the annotators, and say which rows to label next.

    Rows are numbers (`row`, from 0) or names (`id`). With probabilities of a model that was not trained on the rows it scores, rows that
    nobody labelled are judged too; without, the majority decides.
    """
    from relabel.auditing import annotations, annotators

    key, rows, people, given = _table(labels, label_column, annotator_column)
    every, names, values = _probabilities(probabilities, key)
    with _named(labels):
        found = annotations.gathered(rows, people, given, every=every, classes=classes.split(",") if classes else names)
    with _named(probabilities or labels):
        judged = annotators.judge(found.labels, len(found.classes), values)
    _write(output / CONSENSUS, _consensus(key, found, judged, label_column))
    _write(output / ANNOTATORS, ranked := _people(found, judged))
    _write(output / NEXT, _next(key, found, judged, limit))
    _say(found, judged, ranked)
    click.echo(f"\nlabels      {output / CONSENSUS}\nannotators  {output / ANNOTATORS}\nlabel next  {output / NEXT}")


def _table(path: Path, label: str, annotator: str) -> tuple[str, list[str], list[str], NDArray[np.object_]]:
    """Give the column that names rows, `row` or `id`, and the lines: rows, annotators, labels."""
    from relabel.data import phrases
    from relabel.data.formats import csv
    from relabel.errors import UserError

    with _named(path):
        table = csv.read(path, ["row", "id", annotator, label])
        missing = [name for name in (annotator, label) if name not in table.values]
        if not {"row", "id"} & table.values.keys():
            missing.append("row")
        if missing:
            raise UserError(
                f"no column {phrases.names(missing)}, only {phrases.names(table.header)}: name the columns so"
            )
        key = "row" if "row" in table.values else "id"
        rows = table.values[key].tolist()
        return key, _numbers(rows) if key == "row" else rows, table.values[annotator].tolist(), table.values[label]


def _numbers(rows: Sequence[str]) -> list[str]:
    """Give numbers of rows in one spelling."""
    from relabel.data import phrases
    from relabel.errors import UserError

    if wrong := [line for line, row in enumerate(rows) if not (row.isascii() and row.isdecimal())]:
        raise UserError(f"the column `row` holds no number in {phrases.rows(wrong)}: count rows from 0, or give `id`")
    return [str(int(row)) for row in rows]


def _probabilities(
    path: Path | None, key: str
) -> tuple[list[str] | None, list[str] | None, NDArray[np.float64] | None]:
    """Give the names of the rows, of the classes where the file has them, and probabilities (N, C)."""
    import numpy as np

    from relabel.data.formats import csv, npy
    from relabel.errors import UserError

    if path is None:
        return None, None, None
    with _named(path):
        if path.suffix == ".npy":
            matrix = npy.read(path)
            values = np.empty((matrix.rows, matrix.width), np.float32)
            matrix.copy(0, values)
            rows, names = None, None
        else:
            header = csv.read(path, []).header
            table = csv.read(path, header)
            rows = table.values[key].tolist() if key in header else None
            names = [name for name in header if name not in ("row", "id")]
            try:
                values = np.stack([table.values[name].astype(np.float64) for name in names], axis=1)
            except ValueError:
                raise UserError("a value is no number: give probabilities, one column for each class") from None
        if rows is None and key == "id":
            raise UserError("no column `id`, by which the labels name their rows: give probabilities as .csv with it")
        every = [str(n) for n in range(len(values))] if rows is None else _numbers(rows) if key == "row" else rows
        if len({*every}) < len(every):
            raise UserError(f"a name stands more than once in the column `{key}`: give each row one line")
    return every, names, values.astype(np.float64)


def _consensus(key: str, found: Annotations, judged: Judgement, label: str) -> Iterator[dict[str, Any]]:
    """List the rows that someone labelled, in their order."""
    for n, row in enumerate(found.rows):
        if judged.count[n]:
            yield {
                key: row,
                label: found.classes[judged.consensus[n]],
                "quality": round(float(judged.quality[n]), DIGITS),
                "agreement": round(float(judged.agreement[n]), DIGITS),
                "labels": int(judged.count[n]),
                "tied": bool(judged.tied[n]),
            }


def _people(found: Annotations, judged: Judgement) -> list[dict[str, Any]]:
    """List the annotators, the best first."""
    known = judged.annotators
    return [
        {
            "annotator": found.annotators[m],
            "quality": round(float(known.quality[m]), DIGITS),
            "accuracy": round(float(known.accuracy[m]), DIGITS),
            "labels": int(known.labels[m]),
            "shared": int(known.shared[m]),
            "agreement": round(float(known.agreement[m]), DIGITS) if known.shared[m] else "",
            "agreement_low": round(float(known.low[m]), DIGITS),
            "agreement_high": round(float(known.high[m]), DIGITS),
        }
        for m in sorted(range(len(found.annotators)), key=lambda m: (-known.quality[m], m))
    ]


def _next(key: str, found: Annotations, judged: Judgement, limit: int) -> Iterator[dict[str, Any]]:
    """List the rows to label next, the most useful first."""
    for n in judged.order[:limit].tolist():
        yield {
            key: found.rows[n],
            "score": round(float(judged.score[n]), DIGITS),
            "labels": int(judged.count[n]),
            "consensus": found.classes[judged.consensus[n]] if judged.count[n] else "",
        }


def _say(found: Annotations, judged: Judgement, people: list[dict[str, Any]]) -> None:
    labelled, count = int((judged.count > 0).sum()), int(judged.count.sum())
    click.echo(
        f"{labelled:,} rows with {count:,} labels by {len(people):,} annotators; {int((judged.count == 1).sum()):,} rows have one label, "
        f"{int(judged.tied.sum()):,} were tied, {len(found.rows) - labelled:,} have none\n"
    )
    width = max(len("annotator"), *(len(one["annotator"]) for one in people))
    click.echo(f"{'annotator':<{width}}  quality  accuracy  labels  shared")
    for one in people:
        click.echo(
            f"{one['annotator']:<{width}}  {one['quality']:>7.3f}  {one['accuracy']:>8.3f}  {one['labels']:>6}  {one['shared']:>6}"
        )


def _write(path: Path, rows: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
    import csv
    import io

    from relabel import files

    lines = [*rows]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    files.write_text(path, text.getvalue())


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Begin every problem with the file's name."""
    from relabel.errors import UserError

    try:
        yield
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
