"""A training job in the SDK's local mode: the same request, on an image of this machine."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

from relabel.aws import local, names
from relabel.aws.results import MODEL, OUTPUT
from relabel.aws.training import Job
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError
from relabel.model.artifact import DESCRIPTION

KIND = "jobs"
EXIT_CODE = re.compile(r"exited with code:? (\d+)")
INTERRUPTED = 130
FAILURE = "failure"
MOST = 4096
WORK = "work"
"""Folder that the SDK works in; its containers write there as their own user."""


def train(folder: Path, job: Job, name: str = "") -> tuple[str, Path, bool]:
    """Run a job to its end, or find that it was; its name, the folder of its archives, and whether it ran now.

    The log goes to standard output, as the SDK writes it. Raises what the job's exit code says, with the
    job's own words, and KeyboardInterrupt where it was stopped.
    """
    name = name or f"{names.PREFIX}{job.identity}"
    archives = folder.resolve() / name
    known = local.remembered(folder, KIND).get(name)
    if known and (archives / MODEL).is_file():
        if known.get("identity") != job.identity:
            raise UserError(f"{name} is a job with other data, settings or image: give another --name, or none")
        return name, archives, False
    if not local.has_image(job.image):
        raise UserError(f"no image {job.image} on this machine: build it or `docker pull` it, and name it with --image")
    label = local.label(folder, name)
    session = local.session(archives / WORK, label)
    local.remove_containers(label)
    try:
        session.sagemaker_client.create_training_job(name, **_asked(job, archives))
    except RuntimeError as error:
        raise _failed(name, archives, error) from None
    except ImportError as error:
        raise PlatformError(f"local mode needs Docker Compose: {error}") from None
    finally:
        local.remove_containers(label)
        local.free_ownership(archives / WORK, job.image)
        shutil.rmtree(archives / WORK, ignore_errors=True)
    if not _has_model(archives / MODEL):
        # The SDK swallows Ctrl-C, and a container that was told to stop ends as one that is done.
        shutil.rmtree(archives, ignore_errors=True)
        raise KeyboardInterrupt
    local.remember(folder, KIND, name, {"identity": job.identity, "image": job.image, "model": str(archives / MODEL)})
    return name, archives, True


def _asked(job: Job, archives: Path) -> dict[str, Any]:
    """Make the request as the local client takes it; what needs the platform (machines, keys, networks, spot) has no place in it."""
    return {
        "AlgorithmSpecification": {"TrainingImage": job.image},
        "InputDataConfig": [
            {"ChannelName": channel.name, "DataSource": {"FileDataSource": _place(channel.uri)}}
            for channel in job.channels
        ],
        "OutputDataConfig": {"S3OutputPath": archives.as_uri()},
        "ResourceConfig": {"InstanceType": "local", "InstanceCount": job.machines.instance_count},
        "HyperParameters": dict(job.settings),
        # A container of the local mode has a terminal; nobody wants bars in a log.
        "Environment": {"RELABEL_PLAIN": "1", **job.environment},
    }


def _place(uri: str) -> dict[str, str]:
    return {"FileDataDistributionType": "FullyReplicated", "FileUri": uri}


def _failed(name: str, archives: Path, error: RuntimeError) -> RelabelError:
    """Say how a job failed, by the exit code of its container."""
    found = EXIT_CODE.search(str(error))
    code = int(found[1]) if found else 1
    message = f"{name} failed: {_reason(archives / OUTPUT) or error}"
    if code == UserError.exit_code:
        return UserError(message)
    return PlatformError(message) if code in (PlatformError.exit_code, INTERRUPTED, 137) else AlgorithmError(message)


def _has_model(archive: Path) -> bool:
    """Whether a job got as far as its model, whose description is written last."""
    try:
        with tarfile.open(archive) as packed:
            return any(name.removeprefix("./") == DESCRIPTION for name in packed.getnames())
    except (OSError, tarfile.TarError):
        return False


def _reason(archive: Path) -> str:
    """Give what the job wrote to its failure file."""
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                if (
                    member.isreg()
                    and member.name.removeprefix("./") == FAILURE
                    and (file := packed.extractfile(member))
                ):
                    return file.read(MOST).decode(errors="replace").strip()
    except (OSError, tarfile.TarError):
        return ""
    return ""
