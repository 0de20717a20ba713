"""The model of an earlier job, as the channel `model` brings it."""

from __future__ import annotations

from pathlib import Path

from relabel.container.configuration import MODEL
from relabel.container.environment import Environment
from relabel.errors import UserError
from relabel.model import artifact, source
from relabel.model.artifact import DESCRIPTION, Artifact

ARCHIVE = "model.tar.gz"


def read(channel: Path | None, environment: Environment) -> Artifact | None:
    """Read what the channel `model` holds: a model's files, or its model.tar.gz, at whatever depth; None where there is no such channel.

    Raises UserError where it holds no model, several, or a broken one.
    """
    if channel is None:
        return None
    found = _only(sorted(channel.rglob(DESCRIPTION)), channel)
    if found is not None:
        return artifact.load(found.parent)
    packed = _only(sorted(channel.rglob(ARCHIVE)) or sorted(channel.rglob("*.tar.gz")), channel)
    if packed is None:
        raise UserError(
            f"channel `{MODEL}`: neither {DESCRIPTION} nor {ARCHIVE} lies in {channel}: give the model of an earlier job"
        )
    return artifact.load(source.fetch(str(packed), environment))


def _only(paths: list[Path], channel: Path) -> Path | None:
    """Give the uppermost of some paths, None of none. Raises UserError where several lie equally high."""
    least = min((len(path.parts) for path in paths), default=0)
    highest = [path for path in paths if len(path.parts) == least]
    if len(highest) > 1:
        names = ", ".join(str(path.relative_to(channel)) for path in highest)
        raise UserError(f"channel `{MODEL}`: several models lie in {channel} ({names}): give one")
    return highest[0] if highest else None
