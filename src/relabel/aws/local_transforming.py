"""Batch transform in the SDK's local mode."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relabel.aws import local, local_hosting, models, names, records, transforming, validation
from relabel.aws.local_endpoint import MODELS
from relabel.codecs.table import JSON_LINES
from relabel.errors import PlatformError, UserError

if TYPE_CHECKING:
    from sagemaker.core.local.local_session import LocalSession

NAME = "relabel-transform"
LOG = "server.log"


def run(
    folder: Path, model: str, source: Path, columns: records.Columns, *, image: str, say: Callable[[str], None]
) -> validation.Joined:
    """Transform a set by an endpoint's model (of this folder) or by what `local_hosting.found` takes; its answers beside its labels.

    Raises UserError where there is no such model or set, or the server refuses a request.
    """
    endpoint = model if model.startswith(names.PREFIX) else names.PREFIX + model
    known = {} if Path(model).exists() else local.remembered(folder, local_hosting.ENDPOINTS).get(endpoint, {})
    image = image or known.get("image", "")
    if not image or not local.has_image(image):
        raise UserError(
            f"no image {image} on this machine: build it, and name it with --image"
            if image
            else "--local needs --image, but for an endpoint of this folder: name one of this machine"
        )
    path = folder / MODELS / endpoint / models.ARCHIVE if known else local_hosting.found(folder, model)
    work = folder / NAME
    shutil.rmtree(work, ignore_errors=True)
    (work / "model").mkdir(parents=True)
    with models.packed(path) as packed:
        shutil.copyfile(packed, work / "model" / models.ARCHIVE)
    with (work / "model" / models.ARCHIVE).open("rb") as file:
        takes = models.peek(file, str(path))
    prepared = transforming.prepare(source, work / "requests", takes, columns)
    _transformed(folder, work, image)
    say(f"answers  {work / 'answers'}")
    return validation.join(
        ((name, given, _answers(work, name, len(takes.classes))) for name, given in prepared.labels.items()),
        takes.classes,
    )


def _transformed(folder: Path, work: Path, image: str) -> None:
    """Run the job, and leave no container, however it ends."""
    label = local.label(folder, NAME)
    session = local.session(folder, label)
    client = session.sagemaker_client
    _check_answers(session)
    archive = work.resolve() / "model" / models.ARCHIVE
    client.create_model(NAME, {"Image": image, "ModelDataUrl": archive.as_uri(), "Environment": {}})
    try:
        with (work / LOG).open("w") as log, contextlib.redirect_stdout(log):  # the container's, which the SDK shows
            client.create_transform_job(
                NAME,
                NAME,
                {
                    "DataSource": {"S3DataSource": {"S3Uri": (work.resolve() / "requests").as_uri()}},
                    "ContentType": JSON_LINES,
                    "SplitType": "Line",
                },
                {"S3OutputPath": (work.resolve() / "answers").as_uri(), "Accept": JSON_LINES, "AssembleWith": "Line"},
                {"InstanceType": "local", "InstanceCount": 1},
                BatchStrategy="MultiRecord",
                MaxPayloadInMB=transforming.MEGABYTES,
                Environment=transforming.ENVIRONMENT,
            )
    except RuntimeError as error:
        raise PlatformError(f"the transform job did not come to its end: {error}") from None
    finally:
        # The SDK's thread reads the container's log until that ends.
        local.remove_containers(label)


def _check_answers(session: LocalSession) -> None:
    """Let a refusal end the job: the SDK would write it into the answers."""
    runtime = session.sagemaker_runtime_client
    ask = runtime.invoke_endpoint

    def checked(*arguments: Any, **named: Any) -> Mapping[str, Any]:
        answer = local_hosting.checked(ask(*arguments, **named))
        return {"Body": io.BytesIO(answer.body)}

    runtime.invoke_endpoint = checked


def _answers(work: Path, name: str, classes: int) -> Any:
    path = work / "answers" / f"{transforming.requested(name)}.out"
    return validation.answers(path.read_bytes(), classes, str(path))
