"""Promises of the image when it trains, on a folder laid out as the platform does it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.image

RESULTS = {
    "audit.parquet",
    "cleaned.csv",
    "final-results.json",
    "journal.jsonl",
    "label_issues.csv",
    "metrics.json",
    "pre-annotations.json",
    "pre-results.json",
    "prob.csv",
    "run.json",
}


def names(folder: Path) -> set[str]:
    """List the files of a folder."""
    return {path.name for path in folder.iterdir()}


def test_train_leaves_exactly_the_promised_files(trained) -> None:
    """Exit code 0, the model's two files, the results, nothing else in the folders that the platform keeps."""
    root, ended = trained
    assert ended.code == 0, ended.log
    assert names(root / "model") == {"model.safetensors", "model.json"}
    assert names(root / "output" / "data") == RESULTS
    assert names(root / "output") == {"data"}
    assert names(root / "input" / "data" / "train") == {
        f"{s}.{k}" for s in ("train", "dev", "test") for k in ("csv", "npy")
    }


def test_the_log_of_a_container_is_plain_lines(trained) -> None:
    """Figures can be read from it, and nothing in it is meant for a terminal."""
    _, ended = trained
    assert "final_accuracy=0." in ended.log
    assert "\r" not in ended.log
    assert "\x1b" not in ended.log


def test_bad_hyperparameters_end_with_2_and_their_reasons(image, job) -> None:
    """All of them are in the failure file, and no model is left."""
    root = job({"max_epochs": "many", "lr": "-1"})
    ended = image.run(root, "train")
    failure = (root / "output" / "failure").read_text()
    assert ended.code == 2, ended.log
    assert "max_epochs" in failure
    assert "lr" in failure
    assert not (root / "model").exists() or not names(root / "model")


def test_no_argument_with_hyperparameters_trains(image, job) -> None:
    """Some clients start a training job so; a bad one shows it soonest."""
    root = job({"max_epochs": "many"})
    assert image.run(root).code == 2
    assert "max_epochs" in (root / "output" / "failure").read_text()
