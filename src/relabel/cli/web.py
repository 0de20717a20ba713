"""`relabel web`: the page on which anybody tries the model, on this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from relabel.web.handler import Front

LOOPBACK = ("127.0.0.1", "localhost", "::1")
LOADING = 300
"""Seconds that a model may take to be loaded."""


@click.command()
@click.option(
    "--model", help="folder of the model, its model.tar.gz, or its address: served beside the page, ended with it"
)
@click.option("--endpoint", "url", help="address of an endpoint that runs already [default: http://127.0.0.1:8080]")
@click.option("--sagemaker", "name", help="name of an endpoint on Amazon SageMaker (needs AWS credentials)")
@click.option("--region", default="", help="region of --sagemaker [default: that of the AWS settings]")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any that is free")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="address to listen on; another one needs --allow-remote"
)
@click.option(
    "--allow-remote",
    multiple=True,
    metavar="NAME",
    help="let other machines in, which reach this one by that name; may be repeated",
)
def command(
    *,
    model: str | None,
    url: str | None,
    name: str | None,
    region: str,
    port: int,
    host: str,
    allow_remote: tuple[str, ...],
) -> None:
    """Serve a page on which anybody tries the model, until CTRL-C.

    It is the page of `relabel aws stack up`, through the same handler, before an endpoint of your choice.
    """
    from relabel.errors import UserError
    from relabel.web import local

    if sum(given is not None for given in (model, url, name)) > 1:
        raise UserError("--model, --endpoint and --sagemaker are three ways to say who answers: give one")
    if host not in LOOPBACK and not allow_remote:
        raise UserError(
            f"--host {host} lets other machines in: say by which name they reach this one with --allow-remote NAME"
        )
    signal.signal(signal.SIGTERM, _stop)
    with _answering(model, url, name, region) as runtime:
        made = local.listening(
            host, port, lambda at: local.create(_front(runtime, name), local.hosts(at, allow_remote))
        )
        shown = "127.0.0.1" if host in ("", "0.0.0.0") else f"[{host}]" if ":" in host else host  # noqa: S104
        click.echo(f"page  http://{shown}:{made.port}/\nend   CTRL-C")
        if allow_remote:
            click.echo("other machines can reach this page; what travels is not encrypted", err=True)
        sys.stdout.flush()
        try:
            made.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended")
        finally:
            made.server_close()


def _front(runtime: Any, name: str | None) -> Front:
    """Make the handler; its log goes to standard error, one JSON line for each request."""
    from relabel.web import bundle
    from relabel.web.handler import Front, Settings

    settings = Settings(endpoint=name or "local", rate=600, scheme="http")
    return Front(settings, bundle.pages(), runtime, time.monotonic, sys.stderr.write)


@contextmanager
def _answering(model: str | None, url: str | None, name: str | None, region: str) -> Iterator[Any]:
    """Give who answers: boto3's client of an endpoint on SageMaker, or what stands for it."""
    from relabel.web import handler, local

    if name is not None:
        from relabel.aws import account

        yield handler.client(account.find(region).session)
    elif model is None:
        yield local.Endpoint(url or "http://127.0.0.1:8080")
    else:
        with _serving(model) as address:
            yield local.Endpoint(address)


def _check_texts(model: str) -> None:
    """Raise UserError where a model reads no texts, which are all that the page sends."""
    from relabel.container import environment
    from relabel.errors import UserError
    from relabel.model import artifact, source

    if artifact.load(source.fetch(model, environment.read())).text is None:
        raise UserError(
            f"{model} takes embeddings, and the page sends texts: give a model of texts, or one with its encoder (docs/encoder.md)"
        )


@contextmanager
def _serving(model: str) -> Iterator[str]:
    """Run `relabel serve` on a free port of this machine; give its address once the model is loaded."""
    from relabel.errors import UserError
    from relabel.web import local

    _check_texts(model)
    port = local.free_port()
    options = ["--model", model, "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--log-share", "0"]
    with subprocess.Popen([sys.executable, "-m", "relabel", "serve", *options], stdout=sys.stderr) as process:  # noqa: S603
        try:
            if not _loaded(process, f"http://127.0.0.1:{port}/ping"):
                raise UserError(f"{model} is not served: what `relabel serve` said stands above")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)  # nobody is left whose requests it would answer first


def _loaded(process: subprocess.Popen[bytes], ping: str) -> bool:
    """Wait until an endpoint is ready; False where it ended before."""
    end = time.monotonic() + LOADING
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(ping, timeout=5):  # noqa: S310  # an address of our own
                return True
        except (urllib.error.URLError, OSError):
            threading.Event().wait(0.1)
    return False


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt
