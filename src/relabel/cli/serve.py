"""`relabel serve`: the endpoint, in a container or anywhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from relabel.cli.options import given, options
from relabel.settings import ServeSettings


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="folder of the model, in place of the platform's")
@click.option(
    "--host",
    default="0.0.0.0",  # noqa: S104  # a container is reached from outside
    show_default=True,
    help="address to listen on; 127.0.0.1 is reached from this machine alone",
)
@options(ServeSettings)
def command(model: Path | None, host: str, **values: Any) -> None:
    """Serve a trained model over HTTP: /ping and /invocations."""
    from relabel.container import signals

    signals.end_at_once()

    from relabel import settings
    from relabel.container import environment as environments
    from relabel.container import gpu, logs
    from relabel.serving import server

    environment = environments.read()
    logs.configure(sys.stdout, logs.level(environment.log_level))
    gpu.check(gpu.read(), required=environment.require_gpu)
    raw = {**settings.from_environment(ServeSettings, environment.variables), **given(values)}
    server.serve(model or environment.paths.model, host, settings.parse(ServeSettings, raw))
