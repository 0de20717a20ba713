"""`relabel demo`: the whole job on data whose errors are known."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from relabel.data.planted import Planted
    from relabel.results.findings import Findings

NOISE = ((0.95, 0.05), (0.20, 0.80))
"""P(given | true): one true 0 in 20 is labelled 1, one true 1 in 5 is labelled 0."""

SEED = 7


@click.command()
@click.option(
    "--rows", default=8000, show_default=True, type=click.IntRange(500, 1_000_000), help="training rows to make"
)
@click.option("--width", default=768, show_default=True, type=click.IntRange(16, 8192), help="width of the embeddings")
@click.option("--output", type=click.Path(path_type=Path), help="folder to work in; a new temporary one by default")
def command(*, rows: int, width: int, output: Path | None) -> None:
    """Plant label errors in made reviews, run the training job on them, and show what it found."""
    from relabel.cli.running import place, run_job
    from relabel.report import page

    root = output or Path(tempfile.mkdtemp(prefix="relabel-demo-"))
    train = _make(root, rows, width)
    click.echo(f"{rows} made reviews, {int((train.given != train.truth).sum())} of their labels flipped; training ...")
    environment, paths = place(root, None, None)
    done = run_job(environment, paths, {}, quiet=True)
    if done.findings is None:
        sys.exit(done.code)
    _show(train, done.findings)
    click.echo(f"\nreport   {paths.output_data / page.NAME}\nmodel    {paths.model}\nresults  {paths.output_data}")


def _make(root: Path, rows: int, width: int) -> Planted:
    """Write the channel; train and dev get errors, test keeps its right labels, so that its figures are what they seem."""
    import numpy as np

    from relabel.data import planted

    channel = root / "input" / "data" / "train"
    noise = np.array(NOISE)
    train = planted.reviews(rows, width=width, noise=noise, seed=SEED)
    planted.write(channel, "train", train)
    planted.write(channel, "dev", planted.reviews(rows // 4, width=width, noise=noise, seed=SEED + 1))
    planted.write(channel, "test", planted.reviews(rows // 2, width=width, noise=np.eye(2), seed=SEED + 2))
    return train


def _show(train: Planted, findings: Findings) -> None:
    from relabel.data.examples import Split

    rows = findings.examples.rows(Split.TRAIN)
    wrong = (train.given != train.truth)[findings.examples.row[rows]]
    flagged, by_cleanlab = findings.audit.flagged[rows], findings.cleanlab_flagged[rows]
    compared = findings.comparison
    gain = compared.gain["accuracy"]
    lines = [
        ("rows", f"{wrong.size}"),
        ("flips planted", f"{wrong.sum()}"),
        ("expected errors", f"{findings.audit.expected:.0f}"),
        ("flagged", f"{flagged.sum()}, of which right {(flagged & wrong).sum()}"),
        ("precision, recall", _rates(flagged, wrong)),
        ("the same by cleanlab", _rates(by_cleanlab, wrong)),
        ("accuracy before", f"{compared.before.accuracy:.4f}"),
        ("accuracy after", f"{compared.after.accuracy:.4f}"),
        ("gain", f"{gain.value:+.4f}, 95% interval {gain.low:+.4f} to {gain.high:+.4f}"),
    ]
    click.echo()
    for name, value in lines:
        click.echo(f"{name:<22}{value}")


def _rates(flagged: object, wrong: object) -> str:
    import numpy as np

    flagged, wrong = np.asarray(flagged), np.asarray(wrong)
    right = (flagged & wrong).sum()
    return f"{right / max(flagged.sum(), 1):.2f}, {right / wrong.sum():.2f}"
