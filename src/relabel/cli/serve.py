"""`relabel serve`: the endpoint, in a container or anywhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from relabel.cli.options import given, options
from relabel.settings import ServeSettings


@click.command()
@click.option(
    "--model",
    help="folder of the model, its model.tar.gz, or its address, in place of --model-uri; of many models the folder that they lie below",
)
@click.option(
    "--host",
    default="0.0.0.0",  # noqa: S104  # a container is reached from outside
    show_default=True,
    help="address to listen on; 127.0.0.1 is reached from this machine alone",
)
@options(ServeSettings)
def command(model: str | None, host: str, **values: Any) -> None:
    """Serve a trained model over HTTP, /ping and /invocations, or with --multi-model true as many as are loaded by its API."""
    from relabel.container import signals

    signals.end_at_once()

    from relabel import settings
    from relabel.container import environment as environments
    from relabel.container import gpu, logs
    from relabel.errors import UserError
    from relabel.model import source
    from relabel.serving import server

    environment = environments.read()
    logs.configure(sys.stdout, logs.level(environment.log_level))
    gpu.check(gpu.read(), required=environment.require_gpu)
    raw = {**settings.from_environment(ServeSettings, environment.variables), **given(values)}
    chosen = settings.parse(ServeSettings, raw)
    if chosen.multi_model:
        if chosen.model_uri or chosen.model_sha256:
            raise UserError("multi_model takes models as they come: leave model_uri and model_sha256 out")
        server.serve_many((Path(model),) if model else environment.model_folders, host, chosen)
        return
    folder = environment.paths.model
    if (uri := model or chosen.model_uri) or chosen.model_sha256:
        folder = source.fetch(uri or str(folder), environment, chosen.model_sha256)
    server.serve(folder, host, chosen)
