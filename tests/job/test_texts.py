"""The job on texts: every learner finds planted errors, and what it serves reads texts as it was trained to."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from relabel import settings
from relabel.container import environment
from relabel.data import planted, reading, room, spool
from relabel.data.examples import Split
from relabel.job import main, material
from relabel.model import training_rows
from relabel.serving import served
from relabel.settings import TrainSettings
from relabel.training import terms

NOISE = np.array([[0.95, 0.05], [0.25, 0.75]])
SMALL = {
    "linear": {},
    "boosted": {"max_epochs": "60"},
    "lstm": {"width": "16", "embedding_width": "16", "lr": "0.01", "max_epochs": "4"},
    "pooled": {"lr": "0.02", "max_epochs": "6"},
    "convolutional": {"width": "16", "embedding_width": "16", "lr": "0.01", "max_epochs": "4"},
}
"""Learners, and what makes them quick."""


def written(folder: Path, rows: int = 1200) -> dict[str, planted.Planted]:
    """Write train, dev and test, with errors in the first two."""
    made = {
        "train": planted.reviews(rows, width=1, noise=NOISE, seed=0),
        "dev": planted.reviews(rows // 4, width=1, noise=NOISE, seed=1),
        "test": planted.reviews(rows // 2, width=1, noise=np.eye(2), seed=2),
    }
    for name, each in made.items():
        planted.write(folder, name, each)
        (folder / f"{name}.npy").unlink()
    return made


def trained(data: Path, output: Path, encoder: Path | None = None, **chosen: str) -> dict[str, object]:
    """Run the job; give its figures."""
    paths = environment.read({}).paths.moved(data=data, output=output, encoder=encoder)
    done = main.train(paths, environment.read({}), chosen, lambda _name, _done, _total: None)
    assert done.code == 0, done.reason
    figures: dict[str, object] = json.loads((paths.output_data / "metrics.json").read_text())
    return figures


def left(folder: Path) -> dict[str, bytes]:
    """Read what a job left, without what it keeps to go on from."""
    every = (file for part in ("model", "output") for file in (folder / part).rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in every}


def test_splits_of_texts_that_were_drawn_by_chance_are_alike(tmp_path) -> None:
    """Vectors of words are no better at the training texts than at others, so that splits drawn by chance show no drift."""
    said = "abcdefghijklmnopqrstuvwxyz"
    rng = np.random.default_rng(0)
    words = np.array([first + second for first in said for second in said])
    chance = 1 / np.arange(1, words.size + 1)
    texts = [" ".join(rng.choice(words, 30, p=chance / chance.sum())) for _ in range(1500)]
    lines = [f"{text},{'good' if n % 2 else 'bad'}" for n, text in enumerate(texts)]
    (tmp_path / "train.csv").write_text("\n".join(["review,label", *lines]) + "\n")
    figures = trained(tmp_path, tmp_path / "out", seeds="1", folds="2")
    assert figures["data"]["rows"]["test"] >= 300
    issues = json.loads((tmp_path / "out" / "output" / "data" / "data_issues.json").read_text())
    assert not [split for split in issues["drift"]["splits"] if split["drifted"]]


@pytest.mark.parametrize("learner", SMALL)
def test_planted_errors_are_found_from_texts_alone(tmp_path, learner) -> None:
    """Three quarters of what is flagged is wrong, of what is wrong half is flagged, and dropping it does no harm."""
    made = written(tmp_path / "data")
    figures = trained(
        tmp_path / "data", tmp_path / "out", learner=learner, policy="drop", seeds="3", folds="3", **SMALL[learner]
    )
    wrong = made["train"].given != made["train"].truth
    with (tmp_path / "out/output/data/label_issues.csv").open(newline="") as file:
        flagged = [int(line["row"]) for line in csv.DictReader(file) if line["decision"] == "drop"]
    assert wrong[flagged].mean() > 0.75
    assert wrong[flagged].sum() > 0.5 * wrong.sum()
    assert figures["comparison"]["gain"]["accuracy"]["value"] > -0.01
    assert figures["served"]["test"]["accuracy"] > 0.85
    assert set(figures["baselines"]) == ({"linear"} - {learner})


@pytest.mark.parametrize("learner", ["linear", "lstm"])
def test_a_text_is_read_and_predicted_in_serving_as_in_training(tmp_path, learner) -> None:
    """Ten thousand texts: the same ids, and the same probabilities to 1e-6, in whatever company they come."""
    written(tmp_path / "data", rows=300)
    chosen = {
        "learner": learner,
        "policy": "keep",
        "seeds": "1",
        "folds": "2",
        "stemming": "porter",
        "data_issues": "off",
        "report": "off",
    }
    trained(tmp_path / "data", tmp_path / "out", **chosen, **SMALL[learner])
    endpoint = served.load(tmp_path / "out" / "model")
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    texts = _varied(10_000)
    train = material.made(examples, settings.parse(TrainSettings, {**chosen, **SMALL[learner]}))
    assert train.text is not None
    assert endpoint.read is not None
    trained_ids, served_ids = material.reader.load(train.text)(texts), endpoint.read(texts)
    np.testing.assert_array_equal(trained_ids.ids, served_ids.ids)
    np.testing.assert_array_equal(trained_ids.starts, served_ids.starts)
    every = endpoint.predictor(trained_ids)
    rng = np.random.default_rng(0)
    cuts = np.sort(rng.choice(np.arange(1, 10_000), 700, replace=False))
    for rows in np.split(np.arange(10_000), cuts):
        own = endpoint.predictor(endpoint.read([texts[row] for row in rows]))
        np.testing.assert_allclose(own, every[rows], atol=1e-6)


def _varied(count: int) -> list[str]:
    """Make texts of all kinds and lengths: plain, marked up, of other scripts, empty."""
    rng = np.random.default_rng(5)
    plain = planted.reviews(count, width=1, noise=np.eye(2), seed=3).texts
    twist = [
        str,
        str.upper,
        lambda text: f"<p>{text}<br/>&amp; more</p>",
        lambda text: text.replace("a", "à").replace(" ", "\t\n"),
        lambda text: f"{text} 很好看 рассказ \U0001f600 رائع",
        lambda text: text[: rng.integers(0, 8)],
        lambda text: text * 20,
    ]
    return [twist[int(rng.integers(len(twist)))](text) for text in plain]


def test_an_encoder_makes_the_vectors_and_goes_along(tmp_path, tiny_encoder) -> None:
    """Texts with an encoder: an mlp on its vectors, an endpoint that takes texts and vectors, and rows known again as either."""
    written(tmp_path / "data", rows=300)
    chosen = {
        "policy": "keep",
        "seeds": "1",
        "folds": "2",
        "data_issues": "off",
        "report": "off",
        "max_epochs": "3",
        "lr": "0.01",
    }
    trained(tmp_path / "data", tmp_path / "out", tiny_encoder, **chosen)
    endpoint = served.load(tmp_path / "out" / "model")
    assert endpoint.read is not None
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    texts = examples.texts[:]
    vectors = endpoint.read(texts)
    np.testing.assert_allclose(endpoint(tuple(texts)), endpoint.predictor(vectors), atol=1e-5)
    assert training_rows.known(endpoint.artifact.training_rows, training_rows.text_hashes(texts[:20])).all()
    again = trained(tmp_path / "data", tmp_path / "out", tiny_encoder, **chosen)
    assert again["served"]["test"]["accuracy"] > 0.6


@pytest.mark.parametrize("learner", ["linear", "boosted"])
def test_of_very_many_texts_parts_are_learned_from(tmp_path, monkeypatch, learner) -> None:
    """Words are chosen from some of them and each model learns from a part, which is said; all are audited, and what is served is of use."""
    written(tmp_path / "data")
    monkeypatch.setattr(material, "LEARNED", 500)
    monkeypatch.setattr(terms, "MOST", 8000)
    figures = trained(tmp_path / "data", tmp_path / "out", learner=learner, seeds="1", folds="2", **SMALL[learner])
    words, part, *_ = (note for note in figures["data"]["notes"] if "training texts" in note)
    assert words == "words were chosen from 500 of 1,200 training texts, spread evenly over them"
    assert re.match(
        rf"a model of the learner {learner} takes 8,000 tokens at most: one on all 1,200 .* from \d+ of them", part
    )
    assert figures["served"]["test"]["accuracy"] > 0.75
    audited = pq.read_table(tmp_path / "out" / "output" / "data" / "audit.parquet", columns=["split", "posterior"])
    assert np.isfinite(audited["posterior"].to_numpy()[audited["split"].to_numpy() == "train"]).sum() == 1200


@pytest.mark.parametrize(("learner", "in_parts"), [("linear", True), ("boosted", True), ("pooled", False)])
def test_the_learning_curve_counts_what_was_learned_from(tmp_path, monkeypatch, learner, in_parts) -> None:
    """Not the rows that there are, where a model takes a part of them."""
    written(tmp_path / "data", rows=300)
    monkeypatch.setattr(terms, "MOST", 2000)
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    made = material.made(examples, settings.parse(TrainSettings, {"learner": learner}))
    rows = examples.rows(Split.TRAIN)
    count = made.learned(rows)
    assert (count < rows.size) == in_parts
    assert made.learned(rows[:10]) == 10
    assert not in_parts or made.inputs.take(rows[:count]).ids.size == pytest.approx(2000, rel=0.2)


def test_models_beside_each_other_fit_into_memory(tmp_path) -> None:
    """As many as were asked for where there is room, else fewer, and one at least."""
    written(tmp_path / "data", rows=300)
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    said = settings.parse(TrainSettings, {"learner": "linear"})
    rooms = [None, room.Room(1 << 30), room.Room(0)]
    made = [material.made(examples, said, material.World(workers=4, room=each)) for each in rooms]
    assert [each.learner.workers for each in made] == [4, 4, 1]


@pytest.mark.parametrize("learner", ["linear", "mlp"])
def test_vectors_of_texts_on_disk_give_the_same_bytes(tmp_path, tiny_encoder, monkeypatch, learner) -> None:
    """A job that has no room in memory for the vectors of words, or of an encoder, differs in run.json alone."""
    written(tmp_path / "data", rows=300)
    encoder = tiny_encoder if learner == "mlp" else None
    chosen = {"seeds": "1", "folds": "2", "max_epochs": "2", "learner": learner}
    trained(tmp_path / "data", tmp_path / "memory", encoder, **chosen)
    made = []
    monkeypatch.setattr(room, "SHARE", 0)
    monkeypatch.setattr(spool.Spool, "stretch", lambda self, of=spool.Spool.stretch: made.append(1) or of(self))
    trained(tmp_path / "data", tmp_path / "disk", encoder, **chosen)
    assert made
    first, second = (left(tmp_path / name) for name in ("memory", "disk"))
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} <= {"output/data/run.json"}


def test_an_encoder_is_trained_on(tmp_path, tiny_encoder) -> None:
    """The learner fine_tuned learns the made rule, and what it leaves takes texts without the folder it began with."""
    test = written(tmp_path / "data", rows=800)["test"]
    encoder = tmp_path / "moved"
    shutil.copytree(tiny_encoder, encoder)
    chosen = {
        "learner": "fine_tuned",
        "policy": "keep",
        "seeds": "1",
        "folds": "2",
        "data_issues": "off",
        "report": "off",
        "lr": "0.001",
        "max_epochs": "4",
    }
    figures = trained(tmp_path / "data", tmp_path / "out", encoder, **chosen)
    assert figures["served"]["test"]["accuracy"] > 0.8
    shutil.rmtree(encoder)
    endpoint = served.load(tmp_path / "out" / "model")
    assert (endpoint(tuple(test.texts)).argmax(axis=1) == test.truth).mean() == figures["served"]["test"]["accuracy"]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"learner": "mlp"}, "texts alone"),
        ({"learner": "fine_tuned"}, "needs an encoder"),
        ({"learner": "lstm", "ngrams": "2"}, "one word after another"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, chosen, said) -> None:
    """Before anything is fitted, with what to do."""
    written(tmp_path / "data", rows=100)
    paths = environment.read({}).paths.moved(data=tmp_path / "data", output=tmp_path / "out")
    done = main.train(paths, environment.read({}), chosen, lambda _name, _done, _total: None)
    assert done.code == 2
    assert said in done.reason


def test_an_encoder_that_is_not_used_is_said(tmp_path, tiny_encoder, caplog) -> None:
    """A learner that reads words has no use for it."""
    written(tmp_path / "data", rows=100)
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    said = settings.parse(TrainSettings, {"learner": "linear"})
    material.made(examples, said, material.World(encoder=tiny_encoder))
    assert "`encoder` is not used" in caplog.text


def test_fits_of_other_words_are_not_taken_for_these(tmp_path, tiny_encoder) -> None:
    """What is kept of a fit is named for its preprocessing too, also where only the baseline beside the learner goes by it."""
    written(tmp_path / "data", rows=100)
    examples = reading.read({"train": tmp_path / "data"}, TrainSettings())
    versions = {
        material.made(
            examples,
            settings.parse(TrainSettings, {"learner": "fine_tuned", "stop_words": each}),
            material.World(encoder=tiny_encoder),
        ).version
        for each in ("none", "english", "none")
    }
    assert len(versions) == 2


def test_a_learner_of_texts_needs_texts(channel) -> None:
    """Embeddings alone are no words."""
    root = channel({"learner": "linear", "text_column": "nowhere"})
    here = environment.read({"RELABEL_ROOT": str(root)})
    done = main.train(here.paths, here, {}, lambda _name, _done, _total: None)
    assert done.code == 2
    assert "`nowhere`" in done.reason
