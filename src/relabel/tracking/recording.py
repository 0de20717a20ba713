"""The process that writes the record of a job into MLflow: `python -m relabel.tracking.recording JSON`; `clerk` starts it and says what comes in.

It ends with its input: where no word of an ending came, the job was killed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from relabel import files
from relabel.tracking import figures, logged_model
from relabel.tracking.tracker import Status

EXPERIMENT = "relabel"
"""Where runs go, unless MLflow's own variables name another place."""

PATIENCE = 3
"""Calls in a row that may fail before no further one is made."""

AT_ONCE, PARAMETERS = 1000, 100
"""Figures, and parameters, that MLflow takes in one call."""

LONGEST, LONGEST_PARAMETER, LONGEST_REASON = 5000, 6000, 500
"""Characters of a tag, of a parameter, of why something failed."""

FROM_ENVIRONMENT = ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID")


class GivenUp(Exception):  # noqa: N818  # no error of ours: the server has failed too often
    """Nothing more is asked of the server."""


class Recorder:
    """Writes one run.

    client: MLflow's.
    texts:  whether files may go that hold texts of rows.
    """

    def __init__(self, client: Any, run: str, *, texts: bool) -> None:
        self._client, self._run, self._texts = client, run, texts
        self._failed, self._in_a_row, self._last = 0, 0, ""
        self._until = float("inf")
        self.status = Status.KILLED

    @property
    def failures(self) -> dict[str, Any]:
        """Say how often the server refused, and why the last time."""
        return {"failed": self._failed, "last": self._last}

    def take(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Write messages; figures that come together go together."""
        measured: list[Mapping[str, Any]] = []
        for message in messages:
            if "measured" in message:
                measured.append(message)
                continue
            self._measured(measured)
            measured = []
            if "described" in message:
                self._described(**message["described"])
            elif "results" in message:
                # Whole, so that files that are not as they should be cost the record a part and not its ending.
                self._try(partial(self._results, Path(message["results"]), Path(message["model"]), message["seconds"]))
            elif "ended" in message:
                self._ended(Status(message["ended"]), message["reason"])
        self._measured(measured)

    def end(self) -> None:
        """Set the run's status to how the job ended."""
        self._until = float("inf")
        self._in_a_row = 0
        self._try(lambda: self._client.set_terminated(self._run, self.status.value))

    def _described(self, settings: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag  # noqa: PLC0415  # a second

        named = [Param(name, str(value)[:LONGEST_PARAMETER]) for name, value in settings.items()]
        marked = [RunTag(f"relabel.{name}", text[:LONGEST]) for name, text in tags.items()]
        self._batch(tags=marked)
        for first in range(0, len(named), PARAMETERS):
            self._batch(params=named[first : first + PARAMETERS])

    def _measured(self, messages: Iterable[Mapping[str, Any]]) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415

        points = [
            Metric(name, value, message["time"], message["step"])
            for message in messages
            for name, value in message["measured"].items()
        ]
        for first in range(0, len(points), AT_ONCE):
            self._batch(metrics=points[first : first + AT_ONCE])

    def _results(self, folder: Path, model: Path, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        found, champion = figures.read(folder, "metrics.json"), figures.read(folder, "champion.json")
        now = int(time.time() * 1000)
        self._measured([{"measured": figures.metrics(found, champion), "time": now, "step": 0}])
        self._tagged({**figures.tags(found, champion), "mlflow.note.content": figures.summary(found, champion)})
        for path, place in figures.files(folder, texts=self._texts):
            self._try(partial(self._client.log_artifact, self._run, str(path), place or None))
        self._try(lambda: self._model(model))

    def _model(self, model: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            written = Path(scratch) / logged_model.FOLDER
            logged_model.write(model, written)
            self._client.log_artifacts(self._run, str(written), logged_model.FOLDER)

    def _ended(self, status: Status, reason: str) -> None:
        self.status = status
        if reason:
            self._tagged({"relabel.reason": reason[:LONGEST_REASON]})

    def _tagged(self, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag  # noqa: PLC0415

        self._batch(tags=[RunTag(name, text[:LONGEST]) for name, text in tags.items()])

    def _batch(self, **what: Any) -> None:
        self._try(lambda: self._client.log_batch(self._run, **what, synchronous=True))

    def _try(self, call: Callable[[], Any]) -> None:
        if self._in_a_row >= PATIENCE:
            raise GivenUp
        if time.monotonic() > self._until:
            self._failed, self._last = self._failed + 1, "the job does not wait longer"
            return
        try:
            call()
        except GivenUp:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the server or its client does, the rest may still go
            self._failed, self._in_a_row, self._last = self._failed + 1, self._in_a_row + 1, _short(error)
        else:
            self._in_a_row = 0


def begun(client: Any, about: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    """Give the id of the run to write: the one that is named, else that of the same job before it was stopped, else a new one."""
    kept = Path(about["kept"])
    run = variables.get("MLFLOW_RUN_ID") or _unfinished(client, kept, about["job"])
    if run:
        client.update_run(run, status="RUNNING")
        for name, text in about["tags"].items():
            client.set_tag(run, name, text)
    else:
        named = about["name"] or None
        run = str(client.create_run(_experiment(client, variables), run_name=named, tags=about["tags"]).info.run_id)
    with suppress(OSError):  # a full disk costs a job that is started again another run, and this one nothing
        files.write_json(kept, {"run": run, "job": about["job"]})
    return run


def _unfinished(client: Any, kept: Path, job: str) -> str:
    """Give the run that the same job began and did not finish; "" where there is none, or the server knows it no more."""
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        said = json.loads(kept.read_text(encoding="utf-8"))
        if said["job"] != job:
            return ""
        info = client.get_run(said["run"]).info
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return ""
        raise
    return str(said["run"]) if info.status != Status.FINISHED and info.lifecycle_stage == "active" else ""


def _experiment(client: Any, variables: Mapping[str, str]) -> str:
    if number := variables.get("MLFLOW_EXPERIMENT_ID"):
        return number
    name = variables.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name))
    except Exception:  # another job may have made it since
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return str(found.experiment_id)


def main(told: str) -> int:
    """Write the record; exit code 1 where there is no run to write."""
    from relabel.container import environment  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the job says when it ends, or its pipe does
    about = json.loads(told)
    given = environment.read().variables
    try:
        from mlflow import MlflowClient  # noqa: PLC0415  # a second

        client = MlflowClient()
        run = begun(client, about, {name: given.get(name, "").strip() for name in FROM_ENVIRONMENT})
    except ModuleNotFoundError as error:
        _say(refused=f"there is no {error.name} here: install relabel[mlflow], or unset MLFLOW_TRACKING_URI")
        return 1
    except Exception as error:  # noqa: BLE001  # the job hears why
        _say(refused=_short(error))
        return 1
    _say(run=run)
    recorder = Recorder(client, run, texts=about["texts"])
    try:
        for messages in _messages():
            recorder.take(messages)
    except GivenUp:
        pass
    recorder.end()
    _say(**recorder.failures)
    return 0


def _messages() -> Iterator[list[dict[str, Any]]]:
    """Yield what has come in, all of it at once, until the input ends or an ending came."""
    rest = b""
    while heard := os.read(sys.stdin.fileno(), 1 << 20):
        *lines, rest = (rest + heard).split(b"\n")
        messages = [json.loads(line) for line in lines]
        yield messages
        if any("ended" in message for message in messages):
            return


def _say(**what: Any) -> None:
    """Tell the job, where it is still there."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps(what).encode() + b"\n")


def _short(error: Exception) -> str:
    """Say an error in one line, without what an address may have for a password."""
    said = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"//[^/\s]*@", "//", said)[:LONGEST_REASON]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
