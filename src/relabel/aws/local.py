"""The SageMaker SDK's local mode: the same calls, on an image of this machine, without an AWS account.

Commands end and endpoints live on, so what was made is remembered in one file of a folder, by name. A training job's results lie in
`FOLDER/JOB/`: model.tar.gz and output.tar.gz.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from relabel import files
from relabel.errors import PlatformError, UserError

if TYPE_CHECKING:
    from sagemaker.core.local.local_session import LocalSession

FOLDER = Path("relabel-local")
"""Where no folder is named."""
STATE = "state.json"
SETTINGS = "sdk.yaml"
QUIET = "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
"""The SDK's own settings: it tells nobody that it is used."""
LABEL = "relabel.local"
"""Label of every container that is started here; its value says by what."""
CLOSED = ("/etc", "/root", "/var/lib", "/opt/ml/metadata")
"""The SDK reads no local file below these."""
NOT_RUNNING = "no Docker engine answers: start one, and see that `docker` and `docker-compose` are on the PATH"


def session(folder: Path, label: str, *, port: int = 0) -> LocalSession:
    """Open the SDK's local session: it works in `folder`, with made-up credentials, so that no container gets those of this machine.

    label: of the containers that it starts, see `remove_containers`.
    port:  of this machine, for an endpoint or a transform job; 0 is a free one.

    Raises UserError where the folder is one that the SDK does not read, PlatformError where no engine answers.
    """
    folder = _usable(folder)
    _ask_engine()
    files.write_text(folder / SETTINGS, QUIET)
    # The SDK reads these two where it is imported; it has no other way in.
    os.environ.setdefault("SAGEMAKER_USER_CONFIG_OVERRIDE", str(folder / SETTINGS))
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    from sagemaker.core.local.local_session import LocalSession  # noqa: PLC0415  # seconds

    nobody = boto3.session.Session("nobody", "nobody", region_name="eu-west-1")
    made = LocalSession(boto_session=nobody)
    made.config = {
        "local": {
            "local_code": True,
            "container_root": str(folder),
            "serving_port": port or free_port(),
            "container_config": {"labels": {LABEL: label}},
        }
    }
    return made


def free_port() -> int:
    """Find a port of this machine that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def label(folder: Path, name: str) -> str:
    """Give the label of the containers of one job or endpoint of a folder."""
    return f"{folder.resolve()}:{name}"


def containers(label: str) -> list[str]:
    """List the containers with a label, running or not."""
    return _docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}={label}").split()


def remove_containers(label: str) -> int:
    """End and remove the containers with a label; how many. The SDK stops its containers and leaves them."""
    if found := containers(label):
        _docker("rm", "--force", "--volumes", *found)
    return len(found)


def free_ownership(folder: Path, image: str) -> None:
    """Let whoever works here remove what a container has written as its own user, through the image, as the SDK does."""
    _docker("run", "--rm", "--volume", f"{folder.resolve()}:/delete", image, "chmod", "-R", "777", "/delete")


def has_image(image: str) -> bool:
    """Whether this machine has an image."""
    with suppress(UserError):
        return bool(_docker("image", "inspect", "--format", "{{.Id}}", image))
    return False


def remembered(folder: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Give what was remembered of a kind (`endpoints`, `jobs`, `transforms`): name -> facts."""
    return dict(_state(folder).get(kind, {}))


def remember(folder: Path, kind: str, name: str, facts: Mapping[str, Any] | None) -> None:
    """Keep facts of a name, or with None forget it."""
    state = _state(folder)
    known = state.setdefault(kind, {})
    known.pop(name, None)
    if facts is not None:
        known[name] = dict(facts)
    files.write_json(folder / STATE, state)


def _state(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / STATE).read_text()))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UserError(f"{folder / STATE}: no JSON as this writes it: move the folder away, and begin again") from None


def _usable(folder: Path) -> Path:
    folder = folder.resolve()
    if any(folder.is_relative_to(closed) for closed in CLOSED):
        raise UserError(
            f"{folder}: the SageMaker SDK reads nothing below {', '.join(CLOSED)}: name a --local-folder elsewhere"
        )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _ask_engine() -> None:
    _docker("version", "--format", "{{.Server.Version}}")


def _docker(*arguments: str) -> str:
    try:
        ended = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise PlatformError(f"{NOT_RUNNING} ({error.strerror})") from None
    if ended.returncode:
        if "daemon" in ended.stderr:
            raise PlatformError(NOT_RUNNING)
        raise UserError(f"docker {arguments[0]}: {ended.stderr.strip()}")
    return ended.stdout
