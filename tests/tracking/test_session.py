"""Promises of a tracker that is no help, and of jobs that do not end well."""

from __future__ import annotations

import json
import logging
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from relabel.container.signals import Stopped
from relabel.errors import UserError
from relabel.tracking import clerk, recording, session
from relabel.tracking.tracker import Silent

BOUND = 16
"""Seconds that a server may cost, with a start of Python on a busy machine."""


def runs(uri: str) -> list[Any]:
    """List the runs of a store."""
    from mlflow import MlflowClient  # noqa: PLC0415  # a second

    client = MlflowClient(uri)
    return list(client.search_runs([client.get_experiment_by_name("relabel").experiment_id]))


def test_without_a_server_nothing_is_started(told, tmp_path) -> None:
    """And nothing is written."""
    with session.tracked(told(), tmp_path, {}) as tracker:
        assert isinstance(tracker, Silent)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_no_help_costs_one_warning_and_a_few_seconds(
    told, tmp_path, faulty, caplog, monkeypatch
) -> None:
    """Whether nobody listens, nobody answers or nobody is let in; the warning has no password."""
    monkeypatch.setattr(clerk, "LIMITS", {**clerk.LIMITS, "MLFLOW_HTTP_REQUEST_TIMEOUT": "1"})  # of a test's time
    begun = time.monotonic()
    with session.tracked(told(MLFLOW_TRACKING_URI=faulty), tmp_path, {}) as tracker:
        tracker.described({"lr": 0.1}, {"data": "0"})
        for step in range(100):
            tracker.measured({"training_log_loss/one": 0.5}, step)
        told_by = time.monotonic() - begun
    assert told_by < 5, "the job never waits while it works"
    assert time.monotonic() - begun < BOUND
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "hush" not in caplog.text
    assert tracker.run == ""


def test_a_package_that_is_missing_costs_one_warning(told, tmp_path, caplog) -> None:
    """It says what to install."""
    (tmp_path / "shadow" / "mlflow").mkdir(parents=True)
    (tmp_path / "shadow" / "mlflow" / "__init__.py").write_text("raise ModuleNotFoundError(name='mlflow')")
    here = told(MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    paths = f"{tmp_path / 'shadow'}:{here.variables['PYTHONPATH']}"
    with session.tracked(told(MLFLOW_TRACKING_URI="http://127.0.0.1:9", PYTHONPATH=paths), tmp_path, {}) as tracker:
        tracker.described({}, {})
    [record] = caplog.records
    assert "relabel[mlflow]" in record.getMessage()


def test_a_job_that_is_stopped_goes_on_with_its_run(told, tmp_path, file_store, caplog) -> None:
    """KILLED in between, FINISHED at the end; started again after that, or with other settings, it is another run."""
    caplog.set_level(logging.INFO)
    here = told(MLFLOW_TRACKING_URI=file_store)
    with pytest.raises(Stopped), session.tracked(here, tmp_path, {"lr": 1}) as tracker:  # noqa: PT012  # a job says more than one thing
        tracker.described({"lr": 1}, {})
        tracker.measured({"training_log_loss/one": 0.5}, 32)
        raise Stopped(signal.SIGTERM)
    [run] = runs(file_store)
    assert (run.info.status, run.data.tags["relabel.reason"]) == ("KILLED", "stopped by SIGTERM")
    with session.tracked(here, tmp_path, {"lr": 1}) as tracker:
        tracker.described({"lr": 1}, {})
        tracker.measured({"training_log_loss/one": 0.4}, 64)
    [again] = runs(file_store)
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED")
    assert again.data.metrics["training_log_loss/one"] == 0.4
    assert tracker.run == run.info.run_id
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    assert json.loads((tmp_path / session.RUN).read_text())["run"] == run.info.run_id


def test_a_job_that_fails_marks_its_run_and_says_why(told, tmp_path, file_store) -> None:
    """In the words of its own message."""
    with (  # noqa: PT012  # see above
        pytest.raises(UserError),
        session.tracked(told(MLFLOW_TRACKING_URI=file_store, TRAINING_JOB_NAME="job-1"), tmp_path, {}) as tracker,
    ):
        tracker.measured({"flagged": float("nan"), "treated": 3})
        raise UserError("no column `label`: give one")
    [run] = runs(file_store)
    assert (run.info.status, run.info.run_name) == ("FAILED", "job-1")
    assert run.data.tags["relabel.reason"] == "no column `label`: give one"
    assert run.data.metrics == {"treated": 3}


def test_a_job_that_is_killed_outright_is_a_killed_run(told, tmp_path, file_store) -> None:
    """The one who writes the record sees the pipe end."""
    here = told(MLFLOW_TRACKING_URI=file_store)
    about = session._about(here, tmp_path, {})
    with clerk.employed(about, here.variables) as kept:
        kept.measured({"treated": 3})
    [run] = runs(file_store)
    assert (run.info.status, run.data.metrics) == ("KILLED", {"treated": 3})


def test_what_the_process_is_started_with_holds_no_secret(told, tmp_path) -> None:
    """Others on the machine may see it."""
    here = told(MLFLOW_TRACKING_URI="http://ann:hush@127.0.0.1:9", MLFLOW_TRACKING_TOKEN="hush")  # noqa: S106  # made up
    assert "hush" not in json.dumps(session._about(here, Path(tmp_path), {"lr": 1}))


def test_a_job_that_talks_faster_than_its_clerk_loses_figures_and_no_ending(
    told, tmp_path, file_store, monkeypatch
) -> None:
    """What waits is bounded; how the job ended is never what is left out."""
    monkeypatch.setattr(clerk, "LARGEST", 0)
    with session.tracked(told(MLFLOW_TRACKING_URI=file_store), tmp_path, {}) as tracker:
        tracker.measured({"treated": 3})
    [run] = runs(file_store)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {})


def test_results_that_cannot_be_read_cost_their_part_of_the_record(told, tmp_path, file_store, caplog) -> None:
    """One warning; the run still says how the job ended."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "metrics.json").write_text("{")
    with session.tracked(told(MLFLOW_TRACKING_URI=file_store), tmp_path, {}) as tracker:
        tracker.results(tmp_path / "data", tmp_path / "model")
    [run] = runs(file_store)
    assert run.info.status == "FINISHED"
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_place_that_cannot_be_written_costs_the_job_nothing(told, tmp_path, file_store) -> None:
    """Where the run's name cannot be kept beside the checkpoints, there is a run all the same."""
    (tmp_path / "full").write_text("a file, where a folder should be")
    with session.tracked(told(MLFLOW_TRACKING_URI=file_store), tmp_path / "full", {}) as tracker:
        tracker.measured({"treated": 3})
    [run] = runs(file_store)
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"treated": 3})


@pytest.mark.parametrize("password", ["hush", "p@ss"])
def test_what_is_said_of_a_failure_has_no_password(password) -> None:
    """Whatever it is made of."""
    said = recording._short(OSError(f"no answer from http://ann:{password}@127.0.0.1:9/api"))
    assert said == "no answer from http://127.0.0.1:9/api"
