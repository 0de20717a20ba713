"""Promises of a job that is tracked: what lies in MLflow afterwards, in its store in a folder and, where MLFLOW_PYTHON names one, on its server."""

from __future__ import annotations

import csv
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from relabel import settings
from relabel.container import environment, metrics
from relabel.data import planted
from relabel.job import main
from relabel.model import source
from relabel.results import metrics_file, run_record
from relabel.serving import served
from relabel.settings import TrainSettings

pytestmark = pytest.mark.mlflow

QUICK = (
    *("--policy", "drop", "--seeds", "2", "--folds", "3", "--max-epochs", "6", "--patience", "2", "--lr", "0.003"),
    *("--threads", "1", "--data-issues", "off", "--outlook", "off"),
)
NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
SERVERS = ["folder", *(["server"] if os.environ.get("MLFLOW_PYTHON") else [])]


@dataclass
class Tracked:
    """A job that ended, and its run as MLflow's client gives it.

    plain: output of the same job without a tracker.
    """

    output: Path
    plain: Path
    data: Path
    uri: str
    log: str
    client: Any
    run: Any

    def artifacts(self, folder: str = "") -> set[str]:
        """List the run's files."""
        found = self.client.list_artifacts(self.run.info.run_id, folder)
        return set().union(*(self.artifacts(each.path) if each.is_dir else {each.path} for each in found))


def given_to(options: tuple[str, ...]) -> dict[str, str]:
    """Read options as settings."""
    return {name[2:].replace("-", "_"): text for name, text in zip(options[::2], options[1::2], strict=True)}


@pytest.fixture(scope="session", params=SERVERS)
def tracked(request, tmp_path_factory, train) -> Tracked:
    """Run a small job, twice: with a tracker and without."""
    folder = tmp_path_factory.mktemp("tracked")
    data = folder / "data"
    for name, rows, seed in (("train", 600, 0), ("dev", 300, 1), ("test", 300, 2)):
        planted.write(data, name, planted.reviews(rows, width=8, noise=NOISE, seed=seed))
    uri = request.getfixturevalue("real_server") if request.param == "server" else (folder / "runs").as_uri()
    report = ("--report", "on" if request.param == "server" else "off")
    report = (*QUICK, *report)
    given = {"MLFLOW_EXPERIMENT_NAME": "reviews", "MLFLOW_RUN_NAME": "monday", "RELABEL_REVISION": "0123abc"}
    log = train(data, folder / "out", *report, MLFLOW_TRACKING_URI=uri, **given)
    alone = environment.read({"RELABEL_ROOT": str(folder)})
    done = main.train(alone.paths.moved(data=data, output=folder / "plain"), alone, given_to(report), lambda *_: None)
    assert done.code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient  # noqa: PLC0415  # a second

        client = MlflowClient(uri)
        [run] = client.search_runs([client.get_experiment_by_name("reviews").experiment_id])
        yield Tracked(folder / "out", folder / "plain", data, uri, log, client, run)


def test_a_finished_job_is_a_finished_run(tracked) -> None:
    """In the experiment and of the name that were given; the log and run.json name it."""
    info = tracked.run.info
    assert (info.status, info.run_name) == ("FINISHED", "monday")
    assert f"run {info.run_id}" in tracked.log
    assert run_record.read(tracked.output / "output" / "data")["tracked"] == info.run_id
    assert "WARNING" not in tracked.log


def test_all_settings_are_parameters(tracked) -> None:
    """Each by its name, as the job understood it."""
    told = metrics_file.read(tracked.output / "output" / "data")["settings"]
    assert tracked.run.data.params == {name: str(value) for name, value in told.items()}
    assert told.keys() == settings.as_dict(TrainSettings()).keys()


def test_tags_say_what_it_was_made_of_and_what_was_found(tracked) -> None:
    """Data, versions, commit; noise and treatment in words."""
    tags, results = tracked.run.data.tags, metrics_file.read(tracked.output / "output" / "data")
    assert tags["relabel.data"] == results["data"]["digest"]
    assert tags["mlflow.source.git.commit"] == "0123abc"
    assert tags["relabel.noise"] == "class_conditional"
    assert tags["relabel.treatment"] == results["treatment"]["verdict"]
    assert {"relabel.version", "relabel.build.torch", "relabel.build.numpy"} <= tags.keys()
    assert "gain" in tags["mlflow.note.content"]


def test_every_metric_line_is_in_it(tracked) -> None:
    """Each declared figure that was logged, to the last digit, and the comparison with its intervals."""
    logged = {}
    for line in tracked.log.splitlines():
        logged |= metrics.figures(line)
    kept = tracked.run.data.metrics
    assert len(logged) > 20
    assert {name: kept[name] for name in logged} == logged
    gain = metrics_file.read(tracked.output / "output" / "data")["comparison"]["gain"]["log_loss"]
    assert kept["comparison/log_loss_gain_low"] == gain["low"]
    assert kept["noise/wrong_share_low"] < kept["noise/wrong_share"] < kept["noise/wrong_share_high"]


def test_losses_are_curves_that_fall(tracked) -> None:
    """Of each fit, on the rows it learns from and on those that are watched, by its steps."""
    for name in ("training_log_loss", "watched_log_loss"):
        for fit in ("baseline and folds", "retraining"):
            points = tracked.client.get_metric_history(tracked.run.info.run_id, f"{name}/{fit}")
            assert len(points) > 2
            assert [point.step for point in points] == sorted({point.step for point in points})
            assert points[-1].value < points[0].value


def test_results_and_the_model_are_artifacts(tracked) -> None:
    """The figures, the report where there is one, the doubtful labels, and a model without a pickle."""
    found = tracked.artifacts()
    assert {"metrics.json", "label_issues.csv", "model/MLmodel", "model/data/model/model.safetensors"} <= found
    assert ("report.html" in found) == tracked.uri.startswith("http")
    assert any(name.startswith("figures/") for name in found) == tracked.uri.startswith("http")
    assert not [name for name in found if name.endswith((".pkl", ".pickle", ".pt", ".bin"))]
    example = tracked.client.download_artifacts(tracked.run.info.run_id, "model/input_example.json")
    assert set(Path(example).read_text()) <= set('{"data": [0.,]}')


def test_mlflow_loads_the_model_and_it_answers_as_the_endpoint_does(tracked, monkeypatch) -> None:
    """The same probabilities to the bit, of tables of any kind of number; a table of another width is refused by its signature."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.uri)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, while it is imported
        import mlflow.pyfunc  # noqa: PLC0415  # a second
    model = mlflow.pyfunc.load_model(f"runs:/{tracked.run.info.run_id}/model")
    x = np.load(tracked.data / "test.npy")
    expected = served.load(tracked.output / "model")(x)
    answered = model.predict(pd.DataFrame(x))
    assert list(answered) == ["label", "probability_0", "probability_1"]
    assert np.array_equal(answered.iloc[:, 1:].to_numpy(), expected)
    assert answered["label"].astype(int).tolist() == expected.argmax(axis=1).tolist()
    assert model.predict(pd.DataFrame(x.astype(np.float64))).equals(answered)
    with pytest.raises(Exception, match="8"):
        model.predict(pd.DataFrame(x[:, :7]))


def test_an_endpoint_serves_the_run_s_model(tracked, tmp_path) -> None:
    """By the address `runs:/RUN/model`, where the store is a server."""
    if not tracked.uri.startswith("http"):
        pytest.skip("an endpoint reads from servers alone")
    here = environment.read({"RELABEL_CACHE": str(tmp_path), "MLFLOW_TRACKING_URI": tracked.uri})
    fetched = source.fetch(f"runs:/{tracked.run.info.run_id}/model", here, "")
    x = np.load(tracked.data / "test.npy")
    assert np.array_equal(served.load(fetched)(x), served.load(tracked.output / "model")(x))


def test_no_byte_of_a_result_depends_on_it(tracked) -> None:
    """Of results and model, but for run.json; among the checkpoints lies the run's name beside the same fits."""
    for folder in ("output/data", "model"):
        one, other = (
            {path.relative_to(place): path.read_bytes() for path in (place / folder).rglob("*") if path.is_file()}
            for place in (tracked.output, tracked.plain)
        )
        differing = {path.name for path in one.keys() | other.keys() if one.get(path) != other.get(path)}
        assert differing <= {"run.json"}


def test_the_doubtful_labels_are_those_of_the_job(tracked) -> None:
    """Byte for byte."""
    copy = Path(tracked.client.download_artifacts(tracked.run.info.run_id, "label_issues.csv"))
    own = tracked.output / "output" / "data" / "label_issues.csv"
    assert copy.read_bytes() == own.read_bytes()
    with own.open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) > 10
