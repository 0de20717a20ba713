"""What an endpoint would meet: its model, its settings, its port."""

from __future__ import annotations

import difflib
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from relabel import settings
from relabel.container.environment import Environment
from relabel.doctor import texts
from relabel.doctor.findings import Finding, ok, problem, warning
from relabel.errors import RelabelError, UserError
from relabel.model import artifact, source
from relabel.model.artifact import Artifact
from relabel.settings import ServeSettings

PREFIX = "RELABEL_"
OTHERS = {"RELABEL_CACHE", "RELABEL_ROOT", "RELABEL_PLAIN", "RELABEL_REQUIRE_GPU"}
"""Variables of ours that are no settings of an endpoint."""


def is_meant(folder: Path) -> bool:
    """Tell whether there is anything of a model."""
    return folder.is_dir() and any(folder.iterdir())


def model(folder: Path) -> Iterator[Finding]:
    """Load the model as an endpoint does, but for what its kind needs, which is only looked for."""
    try:
        found = artifact.load(folder)
    except UserError as error:
        yield problem("model", str(error))
        return
    yield ok("model", f"{found.model.kind}, {_taken(found)} in, classes {', '.join(found.classes)}")
    yield from texts.served(found)


def _taken(found: Artifact) -> str:
    """Say what an endpoint takes."""
    if found.input == "text":
        return "texts"
    vectors = f"{found.model.sizes['inputs']} numbers"
    return vectors if found.text is None else f"{vectors} or texts"


def elsewhere(environment: Environment) -> Iterator[Finding]:
    """Fetch the model that the environment names by its address, as an endpoint does."""
    said = settings.from_environment(ServeSettings, environment.variables)
    if "model_uri" in said:
        try:
            yield from model(source.fetch(said["model_uri"], environment, said.get("model_sha256", "")))
        except RelabelError as error:
            yield problem("model", str(error))


def has_many(variables: Mapping[str, str]) -> bool:
    """Tell whether an endpoint of many models is meant; settings that are wrong are told elsewhere."""
    try:
        return settings.parse(ServeSettings, settings.from_environment(ServeSettings, variables)).multi_model
    except UserError:
        return False


def many(environment: Environment) -> Iterator[Finding]:
    """Say where the models of such an endpoint may lie."""
    there = [folder for folder in environment.model_folders if folder.is_dir()]
    if there:
        yield ok("models", f"they are loaded by requests, from below {' and '.join(map(str, there))}")
    else:
        folders = " or ".join(map(str, environment.model_folders))
        yield warning("models", f"neither is there yet: {folders}: mount the models there")


def chosen(variables: Mapping[str, str]) -> Iterator[Finding]:
    """Say what is wrong with the settings that the environment gives, and which of its names mean nothing."""
    known = {f"{PREFIX}{name.upper()}" for name in settings.fields(ServeSettings)} | OTHERS
    for name in sorted(name for name in variables if name.startswith(PREFIX) and name not in known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        yield warning("environment", f"{name} has no effect: {hint}")
    given = settings.from_environment(ServeSettings, variables)
    try:
        parsed = settings.parse(ServeSettings, given)
    except UserError as error:
        yield from (problem("environment", each) for each in error.problems)
        return
    plain = settings.as_dict(parsed) | {"model_uri": source.shown(parsed.model_uri)}
    yield ok("environment", ", ".join(f"{name} {value}" for name, value in plain.items()))
    yield port(parsed.port)


def port(number: int) -> Finding:
    """Try to listen."""
    try:
        socket.create_server(("", number)).close()
    except PermissionError:
        return problem("port", f"{number} is not allowed for this user: choose one above 1023 (RELABEL_PORT)")
    except OSError:
        return warning(
            "port", f"{number} is taken: right where this endpoint is running, else choose another (RELABEL_PORT)"
        )
    return ok("port", f"{number} is free, and no other is used")
