"""`relabel drift`: whether an endpoint's traffic is still what its model was made for."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np

    from relabel.model.reference import Reference
    from relabel.monitoring.captured import Traffic
    from relabel.monitoring.journal import Journal
    from relabel.serving.served import Served

FILE = click.Path(dir_okay=False, path_type=Path)
DRIFT = 4
"""Exit code; errors have 1 to 3."""


@click.command()
@click.argument("model")
@click.argument("traffic")
@click.option(
    "--window", default="1000", show_default=True, metavar="SIZE", help="rows of a window, or its time as 6h or 1d"
)
@click.option(
    "--alpha",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0.005, 0.5),
    help="chance of a false alarm: half for each window, half for all together",
)
@click.option(
    "--state", type=FILE, help="JSON file by which the next run goes on; windows that are not full wait for it"
)
@click.option("--since", metavar="TIME", help="only traffic from this time on, ISO 8601, UTC where no zone is said")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV or JSON Lines with id and label, or reviews.jsonl: the accuracy over time",
)
@click.option("--output", type=FILE, help="HTML page to write")
@click.option("--json", "as_json", is_flag=True, help="all figures as JSON instead of sentences")
@click.option(
    "--emf", is_flag=True, help="a line for each new window that CloudWatch reads as metrics, instead of sentences"
)
@click.option(
    "--most",
    default=50_000,
    show_default=True,
    type=click.IntRange(100),
    help="rows to hold; of more a uniform draw is judged",
)
@click.option(
    "--folder",
    default="relabel-traffic",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="where traffic from S3 is kept",
)
@click.option("--region", default="", help="AWS region of traffic in S3 [default: that of your AWS settings]")
@click.option("--profile", default="", help="profile of your AWS settings, for traffic in S3")
def command(
    *,
    model: str,
    traffic: str,
    window: str,
    alpha: float,
    state: Path | None,
    since: str | None,
    labels: Path | None,
    output: Path | None,
    as_json: bool,
    emf: bool,
    most: int,
    folder: Path,
    region: str,
    profile: str,
) -> None:
    """Hold captured traffic against the reference in a model, window by window.

    MODEL is a folder, a model.tar.gz or an address. TRAFFIC is a folder of SageMaker's data capture of one endpoint, or s3://BUCKET/PREFIX/.

    Exit code 0: no drift. 4: the last window drifted, or all windows together prove drift, or labels show that the accuracy fell. 2: a wrong
    command or wrong files. 3: the machine failed. 1: relabel is at fault.
    """
    from relabel import files
    from relabel.errors import UserError
    from relabel.monitoring import captured, coverage, journal, late_labels, verdict, watching, windows

    form = "json" if as_json else "emf" if emf else ""
    if as_json and emf:
        raise UserError("--json and --emf: give one of the two")
    span, now, earliest = windows.parse(window), datetime.now(UTC).replace(tzinfo=None), _moment(since)
    served = _loaded(model)
    watched = watching.watch(served, _reference(served), alpha)
    about = journal.Watched(served.artifact.short_hash, _digest(served), window, alpha)
    before = journal.Journal(about) if state is None else journal.read(state, about)
    place = _fetched(traffic, folder, region, profile)
    read = captured.read(place, served, since=_from(before, earliest), most=most)
    new = _new(read, before)
    coverage.check(read, new)
    parts = windows.cut(new.time, span, until=None if state is None else _stamp(now))
    after = watching.judged(watched, new, parts, before)
    accuracy = None
    if labels is not None:
        late = late_labels.read(labels, served.artifact.classes)
        # labels may come for rows that were judged long ago; a draw of all these would hold few of the new ones
        every = read if before.last is None else captured.read(place, served, since=earliest, most=most)
        accuracy = late_labels.accuracy(every, windows.cut(every.time, span), late, served.artifact)
    waiting = len(new) - sum(one.stop - one.start for one in parts)
    if state is not None:
        with files.told(state):
            journal.write(state, after)
    if output is not None and after.windows:
        _write(output, after, served, read, accuracy)
    _tell(after, len(before.windows), read, accuracy, waiting=waiting, form=form)
    if verdict.drift(after, accuracy):
        sys.exit(DRIFT)


def _loaded(model: str) -> Served:
    from relabel.container import environment
    from relabel.model import source
    from relabel.serving import served

    return served.load(source.fetch(model, environment.read()))


def _reference(served: Served) -> Reference:
    """Read the reference. Raises UserError where the model has none."""
    from relabel.errors import UserError
    from relabel.model.reference import Stored

    stored = served.artifact.reference
    if stored is None:
        raise UserError(
            "this model has no reference: it was trained by an older relabel, with reference_rows 0, or on too few dev and test rows; train it again"
        )
    return stored.read() if isinstance(stored, Stored) else stored


def _digest(served: Served) -> str:
    return str(getattr(served.artifact.reference, "sha256", ""))[:12]


def _fetched(traffic: str, folder: Path, region: str, profile: str) -> Path:
    """Give the folder of the traffic, fetched where it lies in S3; what is there already is not fetched again."""
    from relabel.errors import UserError

    if traffic.startswith("s3://"):
        from relabel.aws import account, objects

        own = folder / traffic.removeprefix("s3://").strip("/")  # so that traffic of two endpoints is never mixed
        objects.download(account.find(region, profile), traffic, own)
        return own
    if not Path(traffic).exists():
        raise UserError(f"{traffic}: no such folder: give the folder of captured traffic, or s3://BUCKET/PREFIX/")
    return Path(traffic)


def _moment(said: str | None) -> np.datetime64 | None:
    from relabel.errors import UserError

    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise UserError("--since is no time: give it as 2026-01-31 or 2026-01-31T10:00:00Z") from None
    return _stamp(moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None))


def _stamp(moment: datetime) -> np.datetime64:
    import numpy as np

    return np.datetime64(moment, "s")


def _from(before: Journal, earliest: np.datetime64 | None) -> np.datetime64 | None:
    """Give the time from which on traffic is new."""
    import numpy as np

    known = [] if earliest is None else [earliest]
    if before.last is not None:
        known.append(np.datetime64(before.last[0], "s"))
    return max(known, default=None)


def _new(traffic: Traffic, before: Journal) -> Traffic:
    """Give the rows that come behind the last one judged."""
    import numpy as np

    if before.last is None:
        return traffic
    time, name = np.datetime64(before.last[0], "s"), before.last[1]
    later = (traffic.time > time) | (
        (traffic.time == time) & np.array([each > name for each in traffic.ids.tolist()], bool)
    )
    return traffic.take(np.flatnonzero(later))


def _write(output: Path, after: Journal, served: Served, read: Traffic, accuracy: dict[str, Any] | None) -> None:
    """Write the page."""
    from relabel import files
    from relabel.monitoring import page

    basis = _reference(served)
    with files.told(output):
        said = page.html(after, basis, served.artifact.classes, skipped=read.skipped, accuracy=accuracy)
        files.write_text(output, said)
    click.echo(f"page: {output}", err=True)


def _tell(
    after: Journal, before: int, read: Traffic, accuracy: dict[str, Any] | None, *, waiting: int, form: str
) -> None:
    """Say what is new behind the windows of before."""
    from relabel.monitoring import coverage, emf, verdict

    fresh = after.windows[before:]
    if loud := coverage.warning(read):
        click.echo(loud, err=True)
    if form == "emf":
        for one in fresh:
            click.echo(emf.line(after.watched.model, one))
    elif form == "json":
        said = {
            "drift": verdict.drift(after, accuracy),
            "model": after.watched.model,
            "alpha": after.watched.alpha,
            "windows": list(fresh),
            "windows_before": before,
            "alarm_window": after.alarm,
            "accuracy": accuracy,
            "skipped": dict(read.skipped),
        }
        click.echo(json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _say(after, fresh, read, accuracy, waiting=waiting)


def _say(after: Journal, fresh: Any, read: Traffic, accuracy: dict[str, Any] | None, *, waiting: int) -> None:
    """Say it in sentences, a line for each new window."""
    from relabel.monitoring import matching, verdict
    from relabel.report import numbers

    for one in fresh:
        tests = (
            ", ".join(f"{name} p {verdict.p_value(p)}" for name, p in one["p"].items())
            if "p" in one
            else "too few new rows to judge"
        )
        word = "DRIFTED" if one["drifted"] else "like the reference" if "p" in one else "not judged"
        click.echo(
            f"window {one['number']}  {one['start']} to {one['end']}  {one['rows']:,} rows, {verdict.compared(one)}: {word} ({tests})"
        )
        if one["drifted"]:
            click.echo(
                "  moved most: " + ", ".join(f"{each['name']} ({each['distance']:.2f})" for each in one["moved"][:3])
            )
    if accuracy is not None:
        click.echo(matching.said(accuracy))
    if accuracy is not None and accuracy["matched"]:
        whole = accuracy["all"]
        click.echo(
            f"accuracy {numbers.percent(whole['accuracy'])} ({numbers.within((whole['low'], whole['high']))}) of {whole['rows']:,} labelled rows"
        )
    for reason, count in read.skipped.items():
        click.echo(f"passed over: {reason}: {count:,}", err=True)
    if waiting:
        click.echo(f"{waiting:,} rows wait for their window to be full", err=True)
    click.echo(verdict.headline(after, accuracy) if after.windows else "no window is full yet")
