"""Promises of the training job as a whole: files, exit codes, the same bytes again."""

from __future__ import annotations

import errno
import logging
import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from relabel import files
from relabel.container import environment, metrics
from relabel.data import planted, room
from relabel.data.examples import Dense
from relabel.job import population, work
from relabel.job.main import Done, train
from relabel.model import artifact, predictor, reference, training_rows
from relabel.report import page
from relabel.results import (
    audit_table,
    cleaned,
    columns,
    journal,
    label_issues,
    metrics_file,
    outlook_file,
    predictions,
)

RESULTS = {
    "audit.parquet",
    "label_issues.csv",
    "cleaned.csv",
    "pre-results.json",
    "prob.csv",
    "pre-annotations.json",
    "final-results.json",
    "metrics.json",
    "predictions.parquet",
    "data_issues.json",
    "data_issues.csv",
    "explanations.jsonl",
    "population.parquet",
    "population.json",
    "neighbours.parquet",
    "journal.jsonl",
    "run.json",
    "report.html",
    "figures",
}
QUICK = {"policy": "drop", "seeds": 2, "folds": 3, "max_epochs": 4, "lr": 0.003, "threads": 1, "report": "off"}


def run(root: Path, **overrides: object) -> Done:
    """Run the job in a folder."""
    here = environment.read({"RELABEL_ROOT": str(root)})
    return train(here.paths, here, overrides, lambda _name, _done, _total: None)


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def failure(root: Path) -> str:
    """Read the failure file."""
    return (root / "output" / "failure").read_text()


def test_a_job_leaves_the_model_and_every_result(channel) -> None:
    """Exit code 0, exactly the promised files, channels untouched, and tables that agree with each other."""
    root = channel({**QUICK, "report": "on"})
    before = contents(root / "input")
    assert run(root).code == 0
    folder = root / "output" / "data"
    assert {path.name for path in folder.iterdir()} == RESULTS
    expected = {*artifact.FILES, artifact.TRAINING_ROWS, reference.FILE}
    assert {path.name for path in (root / "model").iterdir()} == expected
    assert not (root / "output" / "failure").exists()
    assert contents(root / "input") == before, "channels are never written to"

    audited = audit_table.read(folder).to_pylist()
    assert len(audited) == 900 + 300 + 450
    issues = label_issues.read(folder)
    assert len(issues) == sum(line["flagged"] for line in audited)
    posteriors = [float(line["posterior"]) for line in issues]
    assert posteriors == sorted(posteriors, reverse=True)
    dropped = {(line["file"], line["row"]) for line in audited if line["decision"] == "drop"}
    assert dropped
    assert {name for name, _ in dropped} == {"train/train.csv"}, "dev and test are never treated"
    assert {(line["file"], line["row"]) for line in journal.read(folder)} == dropped
    kept = {(line["file"], int(line["row"])) for line in cleaned.read(folder)}
    assert kept == {(line["file"], line["row"]) for line in audited if line["split"] == "train"} - dropped

    tested = predictions.read(folder).to_pylist()
    assert [audited[line["row"]]["split"] for line in tested] == ["test"] * 450
    changed = sum(np.argmax(line["before"]) != np.argmax(line["after"]) for line in tested)
    assert changed == metrics_file.read(folder)["comparison"]["changed"]["rows"]


def test_the_reported_figures_are_the_served_models(channel) -> None:
    """Loading the artifact and scoring the test file gives the accuracy that the job reported."""
    root = channel(QUICK)
    run(root)
    served = artifact.load(root / "model")
    given = root / "input" / "data" / "train"
    labels = [int(line["label"]) for line in columns.read_csv(given / "test.csv")]
    accuracy = (predictor.load(served.model)(np.load(given / "test.npy")).argmax(axis=1) == labels).mean()
    figures = metrics_file.read(root / "output" / "data")
    assert accuracy == pytest.approx(figures["served"]["test"]["accuracy"], abs=1e-12)
    assert figures["served"]["fitted_on"] == served.fitted_on == "treated"


def test_the_served_model_knows_the_rows_it_was_trained_on(channel) -> None:
    """Those of the training set that the policy did not drop, and neither dev nor test; and how far its probabilities are to be trusted."""
    root = channel(QUICK)
    run(root)
    served = artifact.load(root / "model")
    given = root / "input" / "data" / "train"
    dropped = {line["row"] for line in journal.read(root / "output" / "data")}
    assert dropped
    seen = training_rows.among(served.training_rows, np.load(given / "train.npy"))
    assert np.flatnonzero(~seen).tolist() == sorted(dropped)
    for name in ("dev.npy", "test.npy"):
        assert not training_rows.among(served.training_rows, np.load(given / name)).any()
    assert 1 <= served.temperature <= 16


def test_a_report_that_cannot_be_made_costs_no_model(channel, monkeypatch, caplog) -> None:
    """A fault of the report is in the log with its trace; the job ends well, and leaves all else."""
    monkeypatch.setattr(page, "html", lambda *_arguments: 1 / 0)
    root = channel({**QUICK, "report": "on"}, rows=300)
    assert run(root).code == 0
    assert {path.name for path in (root / "output" / "data").iterdir()} >= RESULTS - {"report.html", "figures"}
    assert (root / "model" / "model.json").is_file()
    (record,) = [record for record in caplog.records if "the report could not be made" in record.message]
    assert record.exc_info is not None


def test_without_memory_for_the_report_the_job_ends_well(channel, monkeypatch, caplog) -> None:
    """The kernel would end the process, and with it the model; the command that makes the report elsewhere is named."""
    monkeypatch.setattr(work, "REPORT", 1 << 50)
    root = channel({**QUICK, "report": "on"}, rows=300)
    assert run(root).code == 0
    assert (root / "model" / "model.json").is_file()
    assert not (root / "output" / "data" / "report.html").exists()
    assert "`relabel report` makes it of the results" in caplog.text


def test_rows_that_cannot_be_seen_together_cost_no_job(channel, monkeypatch, caplog) -> None:
    """A fault of the map or the slices is in the log with its trace; the report is made without them."""
    monkeypatch.setattr(population, "described", lambda *_arguments, **_named: 1 / 0)
    root = channel({**QUICK, "report": "on"}, rows=300)
    assert run(root).code == 0
    left = {path.name for path in (root / "output" / "data").iterdir()}
    assert left == RESULTS - {"population.parquet", "population.json", "neighbours.parquet"}
    assert any("could not be made" in record.message and record.exc_info for record in caplog.records)


def test_without_a_report_nothing_of_an_earlier_one_is_left(channel) -> None:
    """`report` off takes away the page, the figures and what only they are made of."""
    root = channel({**QUICK, "report": "on"}, rows=300)
    assert run(root).code == 0
    assert run(root, report="off").code == 0
    left = {path.name for path in (root / "output" / "data").iterdir()}
    assert left == RESULTS - {
        *("report.html", "figures", "population.parquet", "population.json", "neighbours.parquet"),
    }


def test_the_same_job_gives_the_same_bytes(channel, tmp_path) -> None:
    """Two runs in two places differ in run.json alone."""
    one, other = (channel({**QUICK, "report": "on"}, root=tmp_path / name) for name in ("one", "other"))
    assert run(one).code == run(other).code == 0
    for part in ("model", "output"):
        first, second = contents(one / part), contents(other / part)
        assert first.keys() == second.keys()
        assert {name for name in first if first[name] != second[name]} <= {"data/run.json"}


def test_embeddings_on_disk_give_the_same_bytes(channel, tmp_path, monkeypatch) -> None:
    """A job that has no room for them in memory differs in run.json alone."""
    one, other = (channel(QUICK, root=tmp_path / name, width=8) for name in ("one", "other"))
    assert run(one).code == 0
    monkeypatch.setattr(room, "SHARE", 0)
    outside = run(other)
    assert outside.code == 0
    assert outside.findings is not None
    assert not isinstance(outside.findings.examples.features, Dense)
    for part in ("model", "output"):
        first, second = contents(one / part), contents(other / part)
        assert first.keys() == second.keys()
        assert {name for name in first if first[name] != second[name]} <= {"data/run.json"}


def test_keeping_everything_serves_the_model_of_the_given_labels(channel) -> None:
    """With the policy keep nothing is changed, before and after are the same model, and the gain is exactly 0."""
    root = channel({**QUICK, "policy": "keep"})
    done = run(root)
    assert done.findings is not None
    assert done.findings.served.fitted_on == "given"
    gain = done.findings.comparison.gain["accuracy"]
    assert (gain.low, gain.value, gain.high) == (0, 0, 0)
    assert journal.read(root / "output" / "data") == []
    assert artifact.load(root / "model").training_rows.size == 900


def test_metric_lines_can_be_read_from_the_log(channel, caplog) -> None:
    """Every figure of the platform's list that a job has is in its log once, as its regular expression reads it.

    Those of a champion, which this job has none of, are in `test_champion`.
    """
    import re  # noqa: PLC0415

    with caplog.at_level(logging.INFO):
        run(channel(QUICK))
    lines = [record.getMessage() for record in caplog.records if record.name == metrics.LOGGER]
    for metric in metrics.METRICS:
        found = [match for line in lines if (match := re.search(metric.regex, line))]
        assert len(found) == (not re.match(r"champion_|challenger_|promote", metric.name)), metric.name


def test_three_classes_with_names_go_through(tmp_path) -> None:
    """Labels that are names, three of them, no dev and no test file: splits are drawn, and said."""
    rng = np.random.default_rng(0)
    names = np.array(["bad", "fair", "good"])
    labels = rng.integers(0, 3, 600)
    vectors = (rng.normal(size=(600, 8)) + np.eye(8)[labels] * 4).astype(np.float32)
    folder = tmp_path / "input" / "data" / "train"
    folder.mkdir(parents=True)
    np.save(folder / "all.npy", vectors)
    (folder / "all.csv").write_text("label\n" + "\n".join(names[labels]) + "\n")
    done = run(tmp_path, **{**QUICK, "max_epochs": 20})
    assert done.code == 0
    assert done.findings is not None
    assert done.findings.examples.classes == ("bad", "fair", "good")
    assert done.findings.served.test.accuracy > 0.9
    assert any("no dev and test given" in note for note in done.findings.examples.notes)


def test_bad_settings_come_in_one_message(channel) -> None:
    """Several wrong hyperparameters: exit code 2, all of them in the failure file, the traceback beside the results."""
    root = channel({"max_epochs": "many", "lr": -1, "polciy": "drop"})
    assert run(root).code == 2
    text = failure(root)
    assert text.startswith("3 problems:")
    assert all(word in text for word in ("max_epochs", "lr is '-1'", "did you mean `policy`"))
    assert "UserError" in (root / "output" / "data" / "traceback.txt").read_text()
    assert not (root / "model").exists()


def test_a_pickle_with_code_in_it_is_refused_and_not_run(channel, tmp_path) -> None:
    """Embeddings that are a pickle which would run code: exit code 2, and the code did not run."""

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    root = channel(QUICK)
    (root / "input" / "data" / "train" / "train.npy").unlink()
    (root / "input" / "data" / "train" / "train.pt").write_bytes(pickle.dumps(Bomb()))
    assert run(root).code == 2
    assert "train/train.pt" in failure(root)
    assert not (tmp_path / "ran").exists()


def test_a_missing_channel_is_named(tmp_path) -> None:
    """Without any data the failure file says which channel is missing."""
    assert run(tmp_path).code == 2
    assert "train" in failure(tmp_path)


@pytest.mark.parametrize("full_at", [artifact.TENSORS, "audit.parquet", "metrics.json", "models.safetensors"])
def test_a_full_disk_fails_the_job_and_leaves_no_half_file(channel, monkeypatch, full_at) -> None:
    """A disk that is full at some file: exit code 3, the reason in the failure file, no model, no temporary file."""
    flush = files._flush

    def full(path: Path) -> None:
        if full_at in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        flush(path)

    monkeypatch.setattr(files, "_flush", full)
    root = channel(QUICK)
    assert run(root).code == 3
    assert "No space left" in failure(root)
    assert not list((root / "model").glob("*")) if (root / "model").exists() else True
    assert not list(root.rglob(f"*{files.TEMPORARY}"))


@pytest.mark.parametrize("part", ["checkpoints", "output", "model"])
def test_a_disk_that_is_really_full_fails_the_job(channel, part) -> None:
    """A file system of 4 kB in place of a folder: exit code 3, the reason where it can be written, nothing half-written."""
    root = channel(QUICK)
    small = root / part
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"this user cannot mount a small file system: {mounted.stderr.decode().strip()}")
    try:
        assert run(root).code == 3
        assert not [path for path in small.rglob("*") if path.suffix in {".safetensors", ".parquet"}]
        assert not list(root.rglob(f"*{files.TEMPORARY}"))
        assert "No space left" in failure(root)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_poor_set_is_left_alone(tmp_path) -> None:
    """Where the flagged share is above the limit nothing is treated, everything is written, and the verdict says so."""
    made = planted.reviews(900, width=16, noise=np.array([[0.9, 0.1], [0.1, 0.9]]), seed=0)
    for name, part in (("train", slice(0, 600)), ("dev", slice(600, 700)), ("test", slice(700, 900))):
        rows = planted.Planted(made.embeddings[part], made.texts[part], made.truth[part], made.given[part])
        planted.write(tmp_path / "input" / "data" / "train", name, rows)
    done = run(tmp_path, **QUICK, max_flagged_share=0.01)
    assert done.code == 0
    assert done.findings is not None
    assert not done.findings.treatment.decision.any()
    assert "flagged" in metrics_file.read(tmp_path / "output" / "data")["treatment"]["verdict"]


def test_a_job_that_is_asked_says_what_labels_are_worth(channel) -> None:
    """outlook.json is the answer of `relabel curve`; its fits are kept as all others are, and a job that is not asked takes it away."""
    asked = {"policy": "keep", "seeds": 1, "folds": 3, "threads": 1, "max_epochs": 2, "data_issues": "off"}
    root = channel({**asked, "outlook": "on"}, rows=300)
    assert run(root).code == 0
    folder = root / "output" / "data"
    first = outlook_file.read(folder)
    assert first["rows"] == 300
    assert first["sentence"]
    kept = set((root / "checkpoints" / "fits").iterdir())
    assert run(root).code == 0
    assert outlook_file.read(folder) == first
    assert set((root / "checkpoints" / "fits").iterdir()) == kept
    assert run(root, outlook="off").code == 0
    assert outlook_file.read(folder) is None


def test_an_outlook_with_too_few_folds_is_refused_before_anything_is_fitted(channel) -> None:
    """An audit inside a fold needs a pair of others."""
    root = channel({"outlook": "on", "folds": 2, "threads": 1}, rows=300)
    assert run(root).code == 2
    assert "folds is 2" in failure(root)
    assert not (root / "checkpoints").exists()
