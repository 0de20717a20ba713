"""`relabel audit`: a person's own labels and predicted probabilities, no training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--labels", required=True, type=FILE, help="CSV file with a column of labels")
@click.option("--label-column", default="label", show_default=True, help="name of that column")
@click.option(
    "--probabilities",
    required=True,
    type=FILE,
    help="out-of-fold probabilities, one column per class: .npy, or .csv whose header names the classes",
)
@click.option("--classes", help="class names in the order of the columns, with commas between (for .npy)")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="CSV file to write, the worst row first"
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="rows to print")
def command(
    *, labels: Path, label_column: str, probabilities: Path, classes: str | None, output: Path | None, limit: int
) -> None:
    """Find doubtful labels among your own, given probabilities from models that did not see the rows they score."""
    from relabel.auditing.own import audit

    values, names = _probabilities(probabilities)
    found = audit(_labels(labels, label_column), values, classes=classes.split(",") if classes else names)
    for note in found.notes:
        click.echo(note, err=True)
    flagged = int(found.flagged.sum())
    click.echo(
        f"{found.given.size} labels, {found.expected:.1f} expected to be wrong; flagged {flagged}, "
        f"by cleanlab {int(found.cleanlab_flagged.sum())}"
    )
    _print(found.table(min(limit, flagged)))
    if output is not None:
        _write(output, found.table())
        click.echo(f"all rows, worst first: {output}")


def _labels(path: Path, column: str) -> NDArray[Any]:
    from relabel.data.formats import csv
    from relabel.errors import UserError

    try:
        table = csv.read(path, [column])
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    if column not in table.values:
        raise UserError(f"{path.name}: no column `{column}`; it has {', '.join(table.header[:5])}: set --label-column")
    return table.values[column]


def _probabilities(path: Path) -> tuple[NDArray[np.float64], list[str] | None]:
    """Give probabilities (n, C), and the classes where the file names them."""
    import numpy as np

    from relabel.data.formats import csv, npy
    from relabel.errors import UserError

    try:
        if path.suffix == ".npy":
            matrix = npy.read(path)
            out = np.empty((matrix.rows, matrix.width), np.float32)
            matrix.copy(0, out)
            return out.astype(np.float64), None
        names = list(csv.read(path, []).header)
        table = csv.read(path, names)
        return np.stack([table.values[name].astype(np.float64) for name in names], axis=1), names
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    except ValueError:
        raise UserError(f"{path.name}: a value is no number: give probabilities, one column for each class") from None


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(f"row {row['row']:>8}  posterior {row['posterior']:.4f}  {row['given']} -> {row['suggested']}")


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import csv
    import io

    from relabel import files

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    files.write_text(path, text.getvalue())
