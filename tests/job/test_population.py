"""The stage that looks at all rows together: its files, what they find, and when there are none."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from relabel.auditing import neighbours as vicinity
from relabel.container import environment
from relabel.data import planted
from relabel.job import main
from relabel.job import population as stage
from relabel.results import audit_table, neighbours, population
from relabel.text import measures

QUICK = {"policy": "keep", "seeds": "1", "folds": "3", "max_epochs": "4", "lr": "0.003", "threads": "1", "seed": "3"}
FILES = {"population.parquet", "population.json", "neighbours.parquet"}
ROWS = 1500


def written(folder: Path, *, vectors: bool = True) -> None:
    """Write reviews whose second annotator flips four labels of ten, each tenth one without a text."""
    made = planted.reviews(ROWS, width=16, noise=np.eye(2), seed=0, distance=5.0)
    rng = np.random.default_rng(0)
    who = rng.choice(["ann", "bob", "cy"], ROWS)
    flipped = (who == "bob") & (rng.random(ROWS) < 0.4)
    folder.mkdir(parents=True)
    with (folder / "train.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["review", "label", "who"])
        texts = [text if n % 10 or not vectors else "" for n, text in enumerate(made.texts)]
        writer.writerows(zip(texts, np.where(flipped, 1 - made.truth, made.truth).tolist(), who, strict=True))
    if vectors:
        np.save(folder / "train.npy", made.embeddings)


def run(folder: Path, **chosen: str) -> main.Done:
    """Run the job on the folder's data."""
    paths = environment.read({}).paths.moved(data=folder / "data", output=folder / "out")
    return main.train(paths, environment.read({}), {**QUICK, **chosen}, lambda _name, _done, _total: None)


def results(folder: Path) -> Path:
    """Give the folder of results."""
    return folder / "out" / "output" / "data"


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Path:
    """Run a job whose data say who labelled a row."""
    folder = tmp_path_factory.mktemp("population")
    written(folder / "data")
    done = run(folder, metadata_columns="who")
    assert done.code == 0, done.reason
    return folder


def test_every_row_has_its_place_loss_and_measures(job) -> None:
    """In the order of audit.parquet, with which the loss agrees; rows without a text have no measures."""
    audited = audit_table.read(results(job))
    rows, figures = population.read(results(job))
    assert rows.column_names[:5] == ["x", "y", "cluster", "loss", "predicted_label"]
    assert rows.column_names[5:] == [*measures.TITLES, "metadata.who"]
    assert len(rows) == len(audited) == ROWS
    np.testing.assert_allclose(np.exp(-rows["loss"].to_numpy()), audited["self_confidence"].to_numpy(), atol=1e-5)
    probability = np.array(audited["probability"].to_pylist())
    assert [int(name) for name in rows["predicted_label"].to_pylist()] == probability.argmax(axis=1).tolist()
    empty = pc.equal(audited["text"], "").to_numpy()
    for name in measures.TITLES:
        assert (rows[name].is_null().to_numpy() == empty).all(), name
    assert figures["measured"] == {"rows": ROWS * 9 // 10, "of": ROWS * 9 // 10, "why": None}
    assert rows["cluster"].to_numpy().max() == len(figures["clusters"]) - 1
    assert np.bincount(rows["cluster"].to_numpy()).tolist() == [each["rows"] for each in figures["clusters"]]
    assert figures["projection"]["of"] == "the last hidden layer of the served model, 64 wide"


def test_the_classes_come_apart_on_the_map(job) -> None:
    """Along its first axis, in which the served model sees them."""
    rows, _ = population.read(results(job))
    first = rows["x"].to_numpy()
    said = np.array(rows["predicted_label"].to_pylist()) == "1"
    assert abs(np.corrcoef(first, said)[0, 1]) > 0.8


def test_the_annotator_who_errs_is_the_worst_slice(job) -> None:
    """By a column that nothing was learned from."""
    rows, figures = population.read(results(job))
    assert figures["worst"][0]["measure"] == "metadata.who"
    assert figures["worst"][0]["name"] == "bob"
    assert figures["worst"][0]["expected_wrong_labels"] > 0.2
    (who,) = [each for each in figures["slices"] if each["measure"] == "metadata.who"]
    assert sum(one["rows"] for one in who["bins"]) == len(set(audit_table.read(results(job))["group"].to_pylist()))
    assert set(rows["metadata.who"].to_pylist()) == {"ann", "bob", "cy"}
    assert figures["overall"]["rows"] == sum(one["rows"] for one in who["bins"])
    assert figures["worst"][0]["accuracy"] < figures["overall"]["accuracy"]
    assert figures["skipped"] == []


def test_doubtful_rows_have_labelled_neighbours(job) -> None:
    """Eight of each flagged row, nearest first, of other groups."""
    audited = audit_table.read(results(job))
    pairs = neighbours.read(results(job))
    row, other = pairs["row"].to_numpy(), pairs["neighbour"].to_numpy()
    flagged = np.flatnonzero(audited["flagged"].to_numpy())
    assert np.array_equal(np.unique(row), flagged)
    assert (np.unique(row, return_counts=True)[1] == 8).all()
    group = audited["group"].to_numpy()
    assert (group[row] != group[other]).all()
    falls = np.diff(pairs["similarity"].to_numpy()) <= 0
    assert (falls | (row[1:] != row[:-1])).all()


def test_without_a_report_the_files_go(job, tmp_path) -> None:
    """Those of an earlier job too."""
    written(tmp_path / "data")
    for name in FILES:
        (results(tmp_path)).mkdir(parents=True, exist_ok=True)
        (results(tmp_path) / name).write_bytes((results(job) / name).read_bytes())
    done = run(tmp_path, report="off", data_issues="off")
    assert done.code == 0, done.reason
    assert not FILES & {path.name for path in results(tmp_path).iterdir()}


def test_a_linear_model_of_texts_has_a_map_of_their_words(tmp_path, monkeypatch) -> None:
    """It has no hidden layer; and where texts are many, a draw of them is measured, which is said."""
    written(tmp_path / "data", vectors=False)
    monkeypatch.setattr(stage, "CHARACTERS", 20_000)
    done = run(tmp_path, learner="linear", data_issues="off", baselines="off", max_epochs="2", folds="2")
    assert done.code == 0, done.reason
    rows, figures = population.read(results(tmp_path))
    assert figures["projection"]["of"].startswith("vectors of the texts' words")
    assert 350 < figures["measured"]["rows"] < 450
    assert f"a uniform draw of {figures['measured']['rows']} of 1,500 texts" in figures["measured"]["why"]
    assert rows["polarity"].null_count == ROWS - figures["measured"]["rows"]
    assert rows["words"].null_count == 0


def test_a_map_that_cannot_be_made_is_told_before_anything_is_read(tmp_path, monkeypatch) -> None:
    """There is no data in this folder, and that is not what is said; without a report nothing is missing."""
    monkeypatch.setitem(sys.modules, "umap", None)
    (tmp_path / "data").mkdir()
    assert "umap-learn is not installed" in run(tmp_path, projection="umap").reason
    assert "umap" not in run(tmp_path, projection="umap", report="off").reason


def test_texts_that_are_not_english_are_not_measured_as_if_they_were(tmp_path) -> None:
    """Their length is, and it is said why no more."""
    rng = np.random.default_rng(0)
    words = {"gut": ["schön", "prima", "herrlich"], "schlecht": ["mies", "furchtbar", "kaputt"]}
    (tmp_path / "data").mkdir()
    lines = [
        f"Der Film hat uns {rng.choice(words[label])} gefallen und dauert {n} Minuten,{label}"
        for n, label in enumerate(["gut", "schlecht"] * 100)
    ]
    (tmp_path / "data" / "train.csv").write_text("\n".join(["review,label", *lines]), encoding="utf-8")
    done = run(tmp_path, learner="linear", data_issues="off", baselines="off", max_epochs="2", folds="2")
    assert done.code == 0, done.reason
    rows, figures = population.read(results(tmp_path))
    assert figures["measured"]["rows"] == 0
    assert "for English" in figures["measured"]["why"]
    assert rows["polarity"].null_count == rows["smog"].null_count == 200
    assert rows["characters"].null_count == rows["unknown_share"].null_count == 0


def test_of_very_many_rows_a_draw_is_described_and_the_page_says_so(tmp_path, monkeypatch) -> None:
    """The map has all rows; clusters, slices and neighbours are of the drawn ones, but the worst doubtful rows all have neighbours."""
    monkeypatch.setattr(vicinity, "MOST", 1000)
    written(tmp_path / "data")
    assert run(tmp_path).code == 0
    table, figures = population.read(results(tmp_path))
    flagged = set(np.flatnonzero(audit_table.read(results(tmp_path))["flagged"].to_numpy()).tolist())
    assert table.num_rows == ROWS
    assert np.isfinite(table["x"].to_numpy()).all()
    looked_at = np.flatnonzero(table["cluster"].to_numpy() >= 0)
    assert looked_at.size == sum(one["rows"] for one in figures["clusters"]) == 1000
    assert figures["looked_at"] == "a uniform draw of 1,000 of 1,500 rows"
    found = neighbours.read(results(tmp_path))
    assert set(found["row"].to_pylist()) == flagged
    assert set(found["neighbour"].to_pylist()) <= set(looked_at.tolist())
    page = (results(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert page.count("a uniform draw of 1,000 of 1,500 rows") >= 3
