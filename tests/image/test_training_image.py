"""Promises of the image when it trains, on a folder laid out as the platform does it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.image

RESULTS = {
    "audit.parquet",
    "cleaned.csv",
    "data_issues.csv",
    "data_issues.json",
    "explanations.jsonl",
    "figures",
    "final-results.json",
    "journal.jsonl",
    "label_issues.csv",
    "metrics.json",
    "neighbours.parquet",
    "population.json",
    "population.parquet",
    "pre-annotations.json",
    "pre-results.json",
    "predictions.parquet",
    "prob.csv",
    "report.html",
    "run.json",
}
LONG = {"seeds": 2, "folds": 3, "max_epochs": 800, "checkpoint_seconds": 0.1, "threads": 1}
"""Four fits that last much longer than it takes until they are first saved, however fast the machine."""

MODEL = {"model.safetensors", "model.json", "training_rows.npy", "reference.safetensors"}


def names(folder: Path) -> set[str]:
    """List the files of a folder."""
    return {path.name for path in folder.iterdir()}


def results(root: Path) -> dict[str, bytes]:
    """Read all that the platform keeps of a job, but for run.json, which tells times."""
    kept = [path for part in ("model", "output") for path in (root / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in kept if path.name != "run.json"}


def build(root: Path) -> dict[str, object]:
    """Tell what a job ran with: versions, threads, device."""
    return json.loads((root / "output" / "data" / "run.json").read_text())["build"]


def hyperparameters(root: Path) -> Path:
    """Find the file that the platform writes."""
    return root / "input" / "config" / "hyperparameters.json"


def test_train_leaves_exactly_the_promised_files(trained) -> None:
    """Exit code 0 without a network, the model's files, the results, nothing else in any folder of the platform."""
    root, ended = trained
    assert ended.code == 0, ended.log
    assert names(root) == {"input", "model", "output", "checkpoints"}
    assert names(root / "model") == MODEL
    assert names(root / "output" / "data") == RESULTS
    assert names(root / "output") == {"data"}
    assert names(root / "input" / "data" / "train") == {
        f"{s}.{k}" for s in ("train", "dev", "test") for k in ("csv", "npy")
    }
    assert names(root / "input" / "config") == {"hyperparameters.json"}


def test_the_job_is_the_one_that_runs_outside_the_container(trained, job) -> None:
    """The same packages give the same model and results, byte for byte."""
    root, _ = trained
    outside = job(name="outside")
    command = [sys.executable, "-m", "relabel", "train", "--root", str(outside)]
    # The container knows none of these variables either: they choose how many threads multiply, and by which kernel.
    arithmetic = ("OMP_", "OPENBLAS_", "MKL_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(arithmetic)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    if build(outside) != build(root):
        pytest.skip(f"other packages here than in the image: {build(outside)}, {build(root)}")
    assert results(outside) == results(root)


def test_hyperparameters_come_from_the_platforms_file_alone(trained) -> None:
    """The container had no environment of ours: what the job did is what the file said."""
    root, _ = trained
    did = json.loads((root / "output" / "data" / "metrics.json").read_text())["settings"]
    said = json.loads(hyperparameters(root).read_text())
    assert {name: float(did[name]) for name in said} == {name: float(text) for name, text in said.items()}


def test_a_hardship_changes_nothing(image, trained, job, hardship) -> None:
    """A job that may write into its own folders and /tmp alone, or has no shared memory, gives the same bytes."""
    root = job()
    root.chmod(0o777)
    ended = image.given(*hardship).run(root, "train")
    image.clean(root)
    assert ended.code == 0, ended.log
    assert results(root) == results(trained[0])


def test_channels_may_be_read_only(image, trained, job) -> None:
    """FastFile mode and configuration that cannot be written: the same job."""
    root = job()
    about = {"TrainingInputMode": "FastFile", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
    (root / "input" / "config" / "inputdataconfig.json").write_text(json.dumps({"train": about}))
    ended = image.given("--volume", f"{root / 'input'}:/opt/ml/input:ro").run(root, "train")
    assert ended.code == 0, ended.log
    assert results(root) == results(trained[0])


def test_the_log_is_plain_lines_even_on_a_terminal(image, job) -> None:
    """Figures can be read from it, and nothing in it is meant for eyes: the SDK's local mode gives a terminal."""
    ended = image.given("--tty").run(job(), "train")
    assert ended.code == 0, ended.log
    assert "final_accuracy=0." in ended.log
    assert "\r" not in ended.log.replace("\r\n", "\n")
    assert "\x1b" not in ended.log


CLIENTS = {
    "boto3": lambda value: str(value).lower(),
    "SDK v2": json.dumps,
    "SDK v3": lambda value: value if isinstance(value, str) else json.dumps(value),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_hyperparameters_of_every_client_mean_the_same(image, trained, job, client) -> None:
    """Strings, JSON in strings, and what the SDK adds for itself: the same job as with plain strings."""
    root = job()
    said = {name: json.loads(text) for name, text in json.loads(hyperparameters(root).read_text()).items()}
    said |= {"policy": "auto", "standardise": True, "sagemaker_region": "eu-west-1", "_tuning_objective_metric": "x"}
    hyperparameters(root).write_text(json.dumps({name: CLIENTS[client](value) for name, value in said.items()}))
    ended = image.run(root, "train")
    assert ended.code == 0, ended.log
    assert results(root) == results(trained[0])


@pytest.mark.parametrize("text", [None, "", "null"], ids=["missing", "empty", "null"])
def test_configuration_that_says_nothing_means_the_defaults(image, job, text) -> None:
    """Every configuration file may be missing, empty or null; the folders tell the channels."""
    root = job()
    for name in ("hyperparameters", "inputdataconfig", "resourceconfig", "checkpointconfig"):
        path = root / "input" / "config" / f"{name}.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
    ended = image.run(root, "train")
    assert ended.code == 0, ended.log
    assert names(root / "model") == MODEL
    assert json.loads((root / "output" / "data" / "metrics.json").read_text())["settings"]["seeds"] == 5


def test_variables_of_the_training_toolkit_are_followed(image, trained, job, tmp_path) -> None:
    """Channel, hyperparameters and the two output folders as SM_… name them, anywhere in the container."""
    root = job()
    elsewhere = tmp_path / "elsewhere"
    shutil.move(root / "input" / "data" / "train", elsewhere / "data")
    variables = {
        "SM_HPS": hyperparameters(root).read_text(),
        "SM_CHANNEL_TRAIN": "/elsewhere/data",
        "SM_MODEL_DIR": "/elsewhere/model",
        "SM_OUTPUT_DATA_DIR": "/elsewhere/results",
        "SM_HOSTS": '["algo-1"]',
        "SM_CURRENT_HOST": "algo-1",
    }
    hyperparameters(root).unlink()
    options = [part for name, text in variables.items() for part in ("--env", f"{name}={text}")]
    ended = image.given("--volume", f"{elsewhere}:/elsewhere", *options).run(root, "train")
    assert ended.code == 0, ended.log
    assert names(elsewhere / "results") == RESULTS
    assert (elsewhere / "model" / "model.safetensors").read_bytes() == results(trained[0])["model/model.safetensors"]


def test_bad_hyperparameters_end_with_2_and_their_reasons(image, job) -> None:
    """All of them are in the failure file and in the log, and no model is left."""
    root = job({"max_epochs": "many", "lr": "-1", "sedes": "3"})
    ended = image.run(root, "train")
    failure = (root / "output" / "failure").read_text()
    assert ended.code == 2, ended.log
    assert failure.startswith("3 problems:\n")
    for problem in ("max_epochs is 'many'", "lr is '-1'", "did you mean `seeds`"):
        assert problem in failure
        assert problem in ended.log
    assert not (root / "model").exists() or not names(root / "model")


def test_the_failure_file_fits_what_the_platform_shows(image, job) -> None:
    """Of too many problems the first stand within 1024 characters, cut at the end; the log has them all."""
    root = job({f"nonsense_{n}": "1" for n in range(40)})
    ended = image.run(root, "train")
    failure = (root / "output" / "failure").read_text()
    assert ended.code == 2, ended.log
    assert 900 < len(failure.encode()) <= 1024
    assert failure.startswith("40 problems:\n- unknown setting 'nonsense_0'")
    assert "unknown setting 'nonsense_39'" in ended.log


def test_no_argument_with_hyperparameters_trains(image, job) -> None:
    """Some clients start a training job so; a bad one shows it soonest."""
    root = job({"max_epochs": "many"})
    assert image.run(root).code == 2
    assert "max_epochs" in (root / "output" / "failure").read_text()


def test_a_job_told_to_write_elsewhere_explains_itself_there(image, job) -> None:
    """One failure file, where --output says, and none where the platform would look."""
    root = job()
    assert image.run(root, "train", "--output", "/opt/ml/elsewhere", "--lr", "-1").code == 2
    assert "lr is '-1'" in (root / "elsewhere" / "output" / "failure").read_text()
    assert names(root) == {"input", "elsewhere"}


def test_a_stopped_job_goes_on_to_the_same_end(image, job) -> None:
    """`docker stop -t 120`: 143, no failure file, a snapshot; started again it keeps what is done, and ends as if unbroken."""
    whole, broken = job(LONG, "whole"), job(LONG, "broken")
    with image.started(whole, "train") as unbroken:
        with image.started(broken, "train") as name:
            image.until(name, "fit trials: saved at step")
            assert image.stop(name, patience=120) == 143
        assert not (broken / "output" / "failure").exists()
        assert not (broken / "model").exists() or not names(broken / "model")
        assert list((broken / "checkpoints" / "fits").glob("*.running.safetensors"))
        resumed = image.run(broken, "train")
        assert resumed.code == 0, resumed.log
        assert "fit baseline and folds: 5 models kept from an earlier run" in resumed.log
        assert "fit trials: going on from step" in resumed.log
        assert image.wait(unbroken) == 0
    assert results(broken) == results(whole)


MEMORY = ("--memory", "500m", "--memory-swap", "500m")


def test_a_small_job_fits_into_little_memory(image, trained, job) -> None:
    """500 MB hold everything that training needs beside its data."""
    root = job()
    ended = image.given(*MEMORY).run(root, "train")
    assert ended.code == 0, ended.log
    assert results(root) == results(trained[0])


def test_a_job_that_the_kernel_kills_for_memory_is_explained(image, tmp_path) -> None:
    """Batches that the memory does not hold: exit code 137, and the failure file names memory, its limit and what to do."""
    channel = tmp_path / "ml" / "input" / "data" / "train"
    channel.mkdir(parents=True)
    rng = np.random.default_rng(0)
    np.save(channel / "train.npy", rng.standard_normal((60_000, 768), dtype=np.float32))
    lines = (f"review {n},{label}\n" for n, label in enumerate(rng.integers(0, 2, 60_000)))
    (channel / "train.csv").write_text("review,label\n" + "".join(lines))
    config = tmp_path / "ml" / "input" / "config"
    config.mkdir()
    # Rows of 768 numbers for each of ten models: 500 MB.
    (config / "hyperparameters.json").write_text('{"batch_size": "16384"}')
    ended = image.given(*MEMORY).run(tmp_path / "ml", "train")
    failure = (tmp_path / "ml" / "output" / "failure").read_text()
    assert ended.code == 137, ended.log
    assert "out of memory (memory 0.5 GiB" in failure
    assert "instance with more memory" in failure
    assert not (tmp_path / "ml" / "model").exists()
