"""Starting a training job from the command line: where it runs, what it shows."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relabel.container import environment as environments
from relabel.container import logs, metrics
from relabel.container.environment import Environment
from relabel.container.paths import Paths

if TYPE_CHECKING:
    from relabel.job.main import Done, Progress


def place(root: Path | None, data: Path | None, output: Path | None) -> tuple[Environment, Paths]:
    """Say where a job reads and writes."""
    environment = environments.read()
    if root is not None:
        environment = environment.moved(root)
    return environment, environment.paths.moved(data=data, output=output)


def run_job(environment: Environment, paths: Paths, overrides: Mapping[str, Any], *, quiet: bool = False) -> Done:
    """Run the job, with bars on a terminal and plain lines elsewhere; with `quiet`, warnings only."""
    logs.configure(sys.stdout, logs.level("warning" if quiet else environment.log_level))
    logging.getLogger(metrics.LOGGER).disabled = quiet
    # A container of the SDK's local mode has a terminal too, so the platform's own folder means plain lines.
    bars = sys.stderr.isatty() and not environment.plain
    with shown(bars=bars) as progress:
        from relabel.job.main import train

        return train(paths, environment, overrides, progress)


@contextmanager
def shown(*, bars: bool) -> Iterator[Progress]:
    """Show a bar for each name that progress is told of, or nothing."""
    if not bars:
        yield lambda _name, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    with Bars(console=Console(stderr=True), transient=True) as shown:

        def progress(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = shown.add_task(name, total=total)
            shown.update(tasks[name], completed=done)

        yield progress
