"""Promises of a job that is given the model that serves now."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from relabel.container import environment, metrics
from relabel.data import planted, reading
from relabel.errors import UserError
from relabel.job import champion as champions
from relabel.job import contest
from relabel.job.main import Done, train
from relabel.model import artifact, earlier, package, predictor, training_rows
from relabel.model.artifact import Model
from relabel.results import champion as champion_file
from relabel.results import columns, journal, metrics_file
from relabel.settings import TrainSettings
from relabel.text import encoder_files, reader

NOISE = np.array([[0.95, 0.05], [0.2, 0.8]])
QUICK = {"policy": "drop", "seeds": 2, "folds": 3, "threads": 1, "report": "off", "data_issues": "off"}
LONG = {"max_epochs": 8, "lr": 0.003}

Start = Callable[..., Done]


def data(root: Path, rows: int = 400, *, test: int = 400, seed: int = 0, width: int = 16) -> Path:
    """Write the channel train of a job: its training rows follow from the seed, dev and test are always the same."""
    for name, count, own in (("train", rows, seed), ("dev", 120, 101), ("test", test, 102)):
        made = planted.reviews(count, width=width, noise=NOISE, seed=own)
        planted.write(root / "input" / "data" / "train", name, made)
    return root


def run(root: Path, champion: Path | None = None, **how: object) -> Done:
    """Run the job in a folder."""
    here = environment.read({"RELABEL_ROOT": str(root), "RELABEL_CACHE": str(root / "cache")})
    return train(here.paths.moved(champion=champion), here, {**QUICK, **how}, lambda *_: None)


def examples(root: Path):
    """Read the data of a job."""
    return reading.read({"train": root / "input" / "data" / "train"}, TrainSettings())


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    """A first job, of few rows and hardly trained: its folder."""
    root = data(tmp_path_factory.mktemp("first"))
    assert run(root).code == 0
    return root


@pytest.fixture(scope="module")
def second(first, tmp_path_factory) -> Path:
    """A job with more rows and steps whose champion is the first one, given as the channel `model`, packed, and asked for a warm start."""
    root = data(tmp_path_factory.mktemp("second"), 1500, seed=1)
    package.pack(first / "model", root / "input" / "data" / "model" / "model.tar.gz")
    assert run(root, **LONG, warm_start="on").code == 0
    return root


def test_a_better_model_is_promoted_and_all_figures_are_there(first, second) -> None:
    """champion.json names both models, scores them on the same rows, and says what to do and why."""
    found = champion_file.read(second / "output" / "data")
    assert found is not None
    models = [artifact.load(root / "model") for root in (first, second)]
    assert [found["champion"], found["challenger"]] == [model.short_hash for model in models]
    assert (found["decision"], found["rows"], found["left_out"]) == ("promote", 400, {"champion trained on them": 0})
    assert "+" in found["reason"]
    given = second / "input" / "data" / "train"
    labels = np.array([int(line["label"]) for line in columns.read_csv(given / "test.csv")])
    accuracies = [
        (predictor.load(model.model)(np.load(given / "test.npy")).argmax(axis=1) == labels).mean() for model in models
    ]
    scores = [found["scores"][side]["accuracy"] for side in ("champion", "challenger")]
    assert scores == pytest.approx(accuracies)
    value, low, high = found["gain"]["accuracy"]
    assert value == pytest.approx(scores[1] - scores[0])
    assert low < value < high
    assert set(found["scores"]["champion"]) == {"accuracy", "log_loss", "macro_f1", "ece"}
    assert found["gain_of_right_labels"] is None or found["gain_of_right_labels"][0] > value


def test_the_models_that_judge_labels_never_start_from_the_champion(second, tmp_path_factory) -> None:
    """A warm start is a fit beside all others: folds, audit, before and after are those of a job without one, to the byte."""
    root = tmp_path_factory.mktemp("cold")
    shutil.copytree(second / "input", root / "input")
    assert run(root, **LONG).code == 0
    anew, begun = (each / "output" / "data" for each in (root, second))
    for name in ("audit.parquet", "label_issues.csv", "predictions.parquet"):
        assert (anew / name).read_bytes() == (begun / name).read_bytes()
    figures = [metrics_file.read(folder) for folder in (anew, begun)]
    for name in ("comparison", "audit", "cross_validation", "treatment"):
        assert figures[0][name] == figures[1][name]
    kept = [{path.name for path in (each / "checkpoints" / "fits").iterdir()} for each in (root, second)]
    assert kept[0] < kept[1]
    assert len(kept[1] - kept[0]) == 1


def test_it_is_the_same_to_the_byte_when_it_runs_again_and_goes_with_its_champion(second, tmp_path) -> None:
    """A job started again gives champion.json again; one without a champion takes it away."""
    root = shutil.copytree(second, tmp_path / "again")
    path = root / "output" / "data" / champion_file.NAME
    before = {each: each.read_bytes() for each in (path, root / "model" / "model.json")}
    assert run(root, **LONG, warm_start="on").code == 0
    assert {each: each.read_bytes() for each in before} == before
    shutil.rmtree(root / "input" / "data" / "model")
    assert run(root, **LONG).code == 0
    assert champion_file.read(root / "output" / "data") is None


def test_a_warm_start_is_served_where_it_is_better_and_knows_all_that_it_learned_from(tmp_path) -> None:
    """With steps too few to get there from nothing; its training rows are the champion's too, and the metrics name its start."""
    strong = data(tmp_path / "strong", 600, seed=2)
    assert run(strong, **LONG).code == 0
    root = data(tmp_path / "next", 150, seed=3)
    champion = artifact.load(strong / "model")
    assert run(root, strong / "model", warm_start="on", lr=1e-4, policy="keep").code == 0
    served, figures = artifact.load(root / "model"), metrics_file.read(root / "output" / "data")
    assert figures["served"]["start"] == served.provenance["start"] == champion.short_hash
    assert np.isin(champion.training_rows, served.training_rows).all()
    assert training_rows.among(served.training_rows, np.load(root / "input" / "data" / "train" / "train.npy")).all()
    found = champion_file.read(root / "output" / "data")
    assert found is not None
    assert found["start"] == champion.short_hash
    assert found["decision"] == "keep", "hardly another model"


def test_rows_that_the_champion_was_trained_on_do_not_speak(first, tmp_path) -> None:
    """They are left out, with their duplicates, and a warm start is refused: all figures of it would be flattered."""
    made = examples(data(tmp_path / "ml", 400))
    champion = champions.fitted(artifact.load(first / "model"), made)
    dropped = {line["row"] for line in journal.read(first / "output" / "data")}
    assert dropped
    assert set(np.flatnonzero(champion.seen(made))) == set(range(400)) - dropped, "the same seed, so the same rows"
    features = made.features
    test = np.flatnonzero(made.split == 2)
    known = training_rows.collected(features, test[:30])
    group = made.group.copy()
    group[test[30]] = group[test[0]]  # a duplicate that differs
    told = dataclasses.replace(made, group=group)
    saw = dataclasses.replace(champion, artifact=dataclasses.replace(champion.artifact, training_rows=known))
    assert np.array_equal(np.flatnonzero(saw.seen(told)), test[:31])
    judged = contest.Judged(
        examples=told,
        rows=test,
        choosing=test[:0],
        before=np.zeros((1, test.size, 2), np.float32),
        after=champion.predicted(told, test)[None],
        dev=np.zeros((1, 0, 2), np.float32),
        models=[],
        best=0,
        treated=False,
    )
    held = contest.held(saw, judged, None, seed=0)
    assert held.left_out == {"champion trained on them": 31}
    assert held.comparison is not None
    assert held.comparison.rows == test.size - 31
    assert held.promotion.decision == "keep"
    nothing = dataclasses.replace(saw, artifact=dataclasses.replace(saw.artifact, training_rows=None))
    assert "does not know" in contest.held(nothing, judged, None, seed=0).notes[0]
    everything = training_rows.collected(features, test)
    all_seen = dataclasses.replace(saw, artifact=dataclasses.replace(saw.artifact, training_rows=everything))
    assert contest.held(all_seen, judged, None, seed=0).promotion.reason.startswith("no row to compare")


def test_metric_lines_say_how_the_champion_did(second, first, caplog) -> None:
    """Each once, as its regular expression reads it: what the platform collects is what champion.json holds."""
    with caplog.at_level("INFO"):
        assert run(second, first / "model", **LONG, warm_start="on").code == 0
    lines = [record.getMessage() for record in caplog.records if record.name == metrics.LOGGER]
    read = {
        metric.name: [float(match[1]) for line in lines if (match := re.search(metric.regex, line))]
        for metric in metrics.METRICS
    }
    found = champion_file.read(second / "output" / "data")
    assert found is not None
    value, low, high = found["gain"]["accuracy"]
    assert read["champion_accuracy"] == [found["scores"]["champion"]["accuracy"]]
    assert [read[f"challenger_gain{end}"] for end in ("", "_low", "_high")] == [[value], [low], [high]]
    assert read["promote"] == [1]


def test_a_warm_start_from_what_saw_the_judges_is_refused(first, tmp_path, caplog) -> None:
    """So is one without a champion; the job goes on, and says why it began anew."""
    root = data(tmp_path / "ml", 200)
    for kind in ("npy", "csv"):
        there, here = (each / "input" / "data" / "train" for each in (first, root))
        shutil.copy(there / f"train.{kind}", here / f"test.{kind}")
    with caplog.at_level("WARNING"):
        assert run(root, first / "model", warm_start="on").code == 0
        assert "dev and test rows, which would flatter" in caplog.text
        found = champion_file.read(root / "output" / "data")
        assert found is not None
        assert found["rows"] == 400 - found["left_out"]["champion trained on them"] < 100
        assert any("doubted their labels" in note for note in found["notes"])
        assert found["decision"] == "keep"
        caplog.clear()
        assert run(root, warm_start="on").code == 0
        assert "no champion is given" in caplog.text


def changed(folder: Path, to: Path, **how: object) -> Path:
    """Save a model with something changed."""
    artifact.save(to, dataclasses.replace(artifact.load(folder), **how))
    return to


def test_classes_in_another_order_are_the_same_classes(first, tmp_path) -> None:
    """Aligned by name: probabilities are those of the champion, class by class."""
    made = examples(data(tmp_path / "ml", 100))
    found = artifact.load(first / "model")
    rows = np.arange(10)
    plain = champions.fitted(found, made).predicted(made, rows)
    turned = champions.fitted(dataclasses.replace(found, classes=found.classes[::-1]), made)
    assert np.array_equal(turned.predicted(made, rows), plain[:, ::-1])


def test_a_champion_that_does_not_fit_is_refused_with_every_problem(first, tmp_path) -> None:
    """Other classes and another width, in one message."""
    made = examples(data(tmp_path / "ml", 100, width=8))
    other = dataclasses.replace(artifact.load(first / "model"), classes=("bad", "good"))
    with pytest.raises(UserError) as error:
        champions.fitted(other, made)
    assert len(error.value.problems) == 2
    assert "classes bad, good" in str(error.value)
    assert "width 16" in str(error.value)
    assert "width 8" in str(error.value)


def test_texts_and_embeddings_are_told_apart(first, text_model, tmp_path) -> None:
    """A champion of embeddings cannot read texts alone, one of texts no embeddings alone; where both are there, it takes its own."""
    made = examples(data(tmp_path / "ml", 100))
    vectors, texts = artifact.load(first / "model"), artifact.load(text_model)
    texts = dataclasses.replace(texts, classes=("0", "1"))
    assert champions.fitted(texts, made).predicted(made, np.arange(3)).shape == (3, 2)
    with pytest.raises(UserError, match="takes texts"):
        champions.fitted(texts, dataclasses.replace(made, texts=None))
    with pytest.raises(UserError, match=r"embeddings of width 16.*texts alone"):
        champions.fitted(vectors, dataclasses.replace(made, features=None))


def test_a_broken_champion_is_said_before_anything_is_read(first, tmp_path) -> None:
    """The failure file names the file; nothing was fitted."""
    root = data(tmp_path / "ml", 100)
    shutil.copytree(first / "model", root / "input" / "data" / "model")
    (root / "input" / "data" / "model" / artifact.TENSORS).write_bytes(b"torn")
    assert run(root).code == 2
    assert "its hash is not the one" in (root / "output" / "failure").read_text()
    assert not (root / "checkpoints").exists()


def test_the_channel_may_hold_the_model_anywhere_but_once(first, tmp_path) -> None:
    """A model's files, or its archive beside others, at any depth; none and several are refused."""
    here = environment.read({"RELABEL_CACHE": str(tmp_path / "cache")})
    hashes = set()
    package.pack(first / "model", tmp_path / "packed" / "job" / "output" / "model.tar.gz")
    (tmp_path / "packed" / "job" / "output" / "output.tar.gz").write_bytes(b"results")
    shutil.copytree(first / "model", tmp_path / "plain" / "job" / "model")
    for name in ("packed", "plain"):
        found = earlier.read(tmp_path / name, here)
        assert found is not None
        hashes.add(found.tensors_sha256)
    assert len(hashes) == 1
    assert earlier.read(None, here) is None
    shutil.copytree(first / "model", tmp_path / "plain" / "other" / "model")
    with pytest.raises(UserError, match="several models"):
        earlier.read(tmp_path / "plain", here)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"neither model\.json nor model\.tar\.gz"):
        earlier.read(tmp_path / "empty", here)


def test_a_champion_with_its_encoder_reads_texts_alone(first, tiny_encoder, tmp_path) -> None:
    """It embeds them by its own encoder, whatever the job trains on, and says what it says of these vectors."""
    made = dataclasses.replace(examples(data(tmp_path / "ml", 100)), features=None)
    text = encoder_files.describe(tiny_encoder, pooling="mean")
    tensors = {"mean": np.zeros(32), "scale": np.ones(32), "weight.0": np.eye(32)[:, :2], "bias.0": np.zeros(2)}
    model = Model(
        "dense",
        {"inputs": 32, "width": 1, "depth": 0, "classes": 2},
        {name: value.astype(np.float32) for name, value in tensors.items()},
    )
    found = dataclasses.replace(artifact.load(first / "model"), model=model, text=text)
    champion = champions.fitted(found, made, vectors=tmp_path / "vectors")
    rows = np.arange(5)
    vectors = reader.load(text)(made.texts[rows])
    expected = predictor.load(model)(vectors.astype(np.float16).astype(np.float32))
    assert np.allclose(champion.predicted(made, rows), expected, atol=1e-5)
