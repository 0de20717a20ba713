"""Models from an MLflow server, by the few calls of its REST API that say where a model lies (decision 0008)."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relabel.errors import UserError
from relabel.model import unpacking
from relabel.model.sources import http
from relabel.model.sources.http import Client

ARTIFACTS = "mlflow-artifacts:"
SCHEMES = ("models:", "runs:", ARTIFACTS)
EXAMPLES = "models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN/PATH"


@dataclass(frozen=True, slots=True)
class Server:
    """An MLflow server."""

    address: str
    client: Client

    def json(self, path: str, /, **query: str) -> Any:
        """Call the API."""
        asked = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return self.client.json(f"{self.address}/api/2.0/{path}?{asked}")


@dataclass(frozen=True, slots=True)
class Artifacts:
    """A file or a folder that the server keeps, or hands on from its own store."""

    server: Server = field(repr=False)
    path: str

    @property
    def shown(self) -> str:
        """Its address."""
        return f"{ARTIFACTS}/{self.path}"

    @property
    def key(self) -> str:
        """Its address with that of its server."""
        return f"{self.server.address} {self.shown}"

    def names(self) -> list[str]:
        """List all below the folder."""
        found: list[str] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            said = self.server.json("mlflow-artifacts/artifacts", path=_joined(self.path, folder))
            for entry in said.get("files", ()):
                (folders if entry.get("is_dir") else found).append(_joined(folder, entry["path"]))
            if len(found) + len(folders) > unpacking.MOST or folder.count("/") > unpacking.DEEPEST:
                raise UserError(f"{self.shown}: more than {unpacking.MOST:,} files: name the folder of the model")
        return found

    def save(self, name: str, to: Path, known: str = "") -> str | None:
        """See `Remote.save`."""
        path = urllib.parse.quote(_joined(self.path, name))
        return self.server.client.save(f"{self.server.address}/api/2.0/mlflow-artifacts/artifacts/{path}", to, known)


def server(variables: Mapping[str, str]) -> Server:
    """Take address and credentials from MLflow's own variables.

    Raises UserError where there is no address, or it is none of a server.
    """
    given = variables.get("MLFLOW_TRACKING_URI", "").strip().rstrip("/")
    if not given:
        raise UserError("no MLFLOW_TRACKING_URI: set it to the address of the MLflow server")
    address, said = http.apart(given)
    if not re.match(r"https?://", address):
        raise UserError(
            f"MLFLOW_TRACKING_URI is {http.without_secrets(given)}: give the address of a server, http:// or https://"
        )
    token, user = variables.get("MLFLOW_TRACKING_TOKEN", ""), variables.get("MLFLOW_TRACKING_USERNAME", "")
    if user:
        said = http.basic(user, variables.get("MLFLOW_TRACKING_PASSWORD", ""))
    elif token:
        said = f"Bearer {token}"
    return Server(address, Client(said, plain=True))


def located(uri: str, asked: Server) -> str:
    """Ask where a model or a run keeps its files; what lies in the server's store has an address there already.

    Raises UserError where the URI is none, or the server knows no such thing.
    """
    if uri.startswith(ARTIFACTS):
        return uri
    try:
        return _asked(uri, asked)
    except UserError as error:
        raise UserError(f"{uri}: {error}") from None


def _asked(uri: str, asked: Server) -> str:
    if found := re.fullmatch(r"models:/+([^/@]+)(?:/(\d+)|@([^/@]+))", uri):
        name, version, alias = found.groups()
        if alias:
            said = asked.json("mlflow/registered-models/alias", name=name, alias=alias)
            version = _text(said, "model_version", "version")
        said = asked.json("mlflow/model-versions/get-download-uri", name=name, version=version)
        return _text(said, "artifact_uri")
    if found := re.fullmatch(r"runs:/+([^/]+)(?:/(.*))?", uri):
        run, path = found.groups()
        said = asked.json("mlflow/runs/get", run_id=run)
        return _joined(_text(said, "run", "info", "artifact_uri"), path or "")
    raise UserError(f"no address of a model at MLflow: give {EXAMPLES}")


def artifacts(uri: str, asked: Server) -> Artifacts:
    """Give what lies at `mlflow-artifacts:/PATH` of the server.

    Raises UserError where the URI names another server: it would be sent this one's credentials.
    """
    parts = urllib.parse.urlsplit(uri.replace("?", "%3F").replace("#", "%23"))
    if parts.netloc not in ("", urllib.parse.urlsplit(asked.address).netloc):
        raise UserError(f"{http.without_secrets(uri)}: it lies at another server than MLFLOW_TRACKING_URI: set that")
    path = uri.removeprefix(f"{ARTIFACTS}//{parts.netloc}" if parts.netloc else ARTIFACTS).strip("/")
    if not path or ".." in path.split("/"):
        raise UserError(f"{http.without_secrets(uri)}: no path of an artifact: give {ARTIFACTS}/PATH")
    return Artifacts(asked, path)


def _joined(folder: str, name: str) -> str:
    return "/".join(part.strip("/") if part is name else part.rstrip("/") for part in (folder, name) if part)


def _text(said: Any, *names: str) -> str:
    """Find a text in an answer."""
    for name in names:
        said = said.get(name) if isinstance(said, dict) else None
    if not isinstance(said, str) or not said:
        raise UserError(
            f"MLflow answers without {'.'.join(names)}: look whether MLFLOW_TRACKING_URI is an MLflow server"
        )
    return said
