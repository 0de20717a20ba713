"""Endpoints and transform jobs in the SDK's local mode, found again by their names in a folder."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from relabel.aws import asking, local, local_endpoint, models
from relabel.aws.asking import Answer
from relabel.codecs.table import JSON
from relabel.errors import PlatformError, UserError

ENDPOINTS = "endpoints"
PATIENCE = 150.0
"""Seconds for a start; the SDK gives up after about 115."""
TAIL = 20


def deploy(
    folder: Path, name: str, model: str, image: str, environment: Mapping[str, str], *, check: bool = True
) -> dict[str, Any]:
    """Start an endpoint, or leave it where it runs the same; what was done, and where it listens.

    model: a folder, a model.tar.gz, or the name of a job that was trained in this folder. Local mode knows no update: another model is
    another container.
    """
    if not local.has_image(image):
        raise UserError(f"no image {image} on this machine: build it or `docker pull` it, and name it with --image")
    archive = folder / local_endpoint.MODELS / name / models.ARCHIVE
    with models.packed(found(folder, model)) as packed:
        digest = _digest(packed)
        known = local.remembered(folder, ENDPOINTS).get(name)
        same = {"digest": digest, "image": image, "environment": dict(environment)}
        if known and is_running(known) and {key: known.get(key) for key in same} == same:
            return {"what": "unchanged", "name": name, **known}
        delete(folder, name)
        archive.parent.mkdir(parents=True)
        shutil.copyfile(packed, archive)
    port = local.free_port()
    facts: dict[str, Any] = {
        **same,
        "port": port,
        "pid": 0,
        "log": str(folder / f"{name}.log"),
        "since": int(time.time()),
    }
    try:
        facts["pid"] = _started(folder, [name, image, str(port)], environment, Path(facts["log"]))
        local.remember(folder, ENDPOINTS, name, facts)
        _await(facts)
        if check:
            _try_out(folder, name, archive)
    except BaseException:
        _end(facts["pid"])
        delete(folder, name)
        raise
    return {"what": "updated" if known else "made", "name": name, **facts}


def found(folder: Path, model: str) -> Path:
    """Find a model of this machine, a job of the folder by its name. Raises UserError where there is none."""
    for path in (Path(model), folder / model / models.ARCHIVE):
        if path.exists():
            return path
    raise UserError(f"{model}: no model folder, no {models.ARCHIVE}, and no job in {folder}: train one with --local")


def ask(folder: Path, name: str, body: bytes, content_type: str, accept: str = "") -> Answer:
    """Send one request to an endpoint of the folder. Raises UserError where there is none, or where it refuses."""
    known = local.remembered(folder, ENDPOINTS).get(name)
    if known is None or not is_running(known):
        raise UserError(f"{name}: no endpoint of that name runs in {folder}: deploy it with --local")
    session = local.session(folder, local.label(folder, name), port=known["port"])
    return checked(
        session.sagemaker_runtime_client.invoke_endpoint(body, name, ContentType=content_type, Accept=accept or None)
    )


def checked(said: Mapping[str, Any]) -> Answer:
    """Give the answer, which the SDK's local client gives whatever its status is; raise where it is a refusal."""
    body = said["Body"].read()
    status = int(said["ResponseMetadata"]["HTTPStatusCode"])
    if status != http.client.OK:
        raise asking.refused(status, body.decode(errors="replace"))
    return Answer(body, str(said["ContentType"] or ""))


def delete(folder: Path, name: str) -> bool:
    """End an endpoint, its keeper and its container; whether there was anything."""
    known = local.remembered(folder, ENDPOINTS).get(name)
    label = local.label(folder, name)
    if known:
        _end(known["pid"])
    left = local.remove_containers(label)  # of a keeper that was killed
    archive = folder / local_endpoint.MODELS / name
    shutil.rmtree(archive, ignore_errors=True)
    local.remember(folder, ENDPOINTS, name, None)
    return bool(known or left)


def is_running(known: Mapping[str, Any]) -> bool:
    """Whether an endpoint that is remembered answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{known['port']}/ping", timeout=2) as answer:
            return bool(answer.status == http.client.OK)
    except OSError:
        return False


def _started(folder: Path, arguments: list[str], environment: Mapping[str, str], log: Path) -> int:
    """Start the keeper, which outlives this command; its process. Variables may be secrets, and everybody may see a process's arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        keeper = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", local_endpoint.__name__, str(folder), *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    assert keeper.stdin is not None  # noqa: S101  # it was asked for
    with suppress(BrokenPipeError), keeper.stdin as told:  # of one that ended at once, whose log says why
        told.write(json.dumps(dict(environment)).encode())
    return keeper.pid


def _await(facts: Mapping[str, Any]) -> None:
    log, begun = Path(facts["log"]), time.monotonic()
    while local_endpoint.READY not in (said := log.read_text(errors="replace")):
        if not _is_keeper(facts["pid"]) or time.monotonic() - begun > PATIENCE:
            lines = "".join(f"\n  {line}" for line in said.splitlines()[-TAIL:])
            raise PlatformError(f"the endpoint did not start; the end of its log ({log}):{lines}")
        time.sleep(0.5)


def _try_out(folder: Path, name: str, archive: Path) -> None:
    with archive.open("rb") as file:
        takes = models.peek(file, str(archive))
    asking.check(ask(folder, name, asking.record(takes), JSON, JSON), takes)


def _is_keeper(pid: int) -> bool:
    """Whether a process is one that keeps an endpoint; numbers of processes are used again."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # one of this command's own, so that it does not stay as a zombie
    try:
        said = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError:
        return False
    return local_endpoint.__name__ in said.stdout


def _end(pid: int, patience: float = 40) -> None:
    """End a keeper, if that is what the process is, and wait for it."""
    if not pid or not _is_keeper(pid):
        return
    begun = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    while _is_keeper(pid):
        if time.monotonic() - begun > patience:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
