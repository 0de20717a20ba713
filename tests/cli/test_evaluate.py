"""Promises of `relabel evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.evaluation import metrics
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model
from relabel.model.networks import of_words, weights
from relabel.serving.served import BLOCK
from relabel.text import reader
from relabel.text.preprocessing import Preprocessing
from relabel.text.words import Words

CLASSES = ("bad", "good")
TENSORS = {
    "mean": np.zeros(2, np.float32),
    "scale": np.ones(2, np.float32),
    "weight.0": np.eye(2, dtype=np.float32),
    "bias.0": np.zeros(2, np.float32),
}
MODEL = Model("dense", {"inputs": 2, "width": 1, "depth": 0, "classes": 2}, TENSORS)
VECTORS = np.array([[3, 0], [3, 0], [0, 2], [1, 0], [0, 1]], np.float32)
LABELS = ["bad", "bad", "good", "good", "good"]


@pytest.fixture
def data(tmp_path) -> Path:
    """A folder with a test split: four rows right and one wrong, two of them duplicates."""
    add(tmp_path / "data", "test", LABELS, VECTORS)
    return tmp_path / "data"


@pytest.fixture
def evaluate(tmp_path, data) -> Callable[..., Result]:
    """Run the command on a model that names the larger column."""
    artifact.save(tmp_path / "model", Artifact(MODEL, CLASSES, "given"))

    def run(*arguments: str) -> Result:
        given = ["evaluate", "--model", str(tmp_path / "model"), "--data", str(data), *arguments]
        return CliRunner().invoke(commands, given)

    return run


def add(folder: Path, name: str, labels: Sequence[str], vectors: np.ndarray, column: str = "label") -> None:
    """Write one label file and its embeddings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(f"review,{column}\n" + "".join(f"text,{label}\n" for label in labels))
    np.save(folder / f"{name}.npy", vectors)


def figures(done: Result) -> dict:
    """Read the JSON of a command that ended well."""
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def refusal(done: Result) -> str:
    """Give the message of a command that was refused."""
    assert isinstance(done.exception, UserError), done.output
    return str(done.exception)


def test_every_row_of_the_split_is_scored_once(evaluate, data) -> None:
    """The figures are those of the metrics on all rows, duplicates inside the split and in train included."""
    add(data, "train", LABELS, VECTORS)
    said = figures(evaluate("--json"))
    labels = np.array([CLASSES.index(label) for label in LABELS])
    expected = metrics.score(labels, predictor.load(MODEL)(VECTORS)).as_dict()
    assert {name: said[name] for name in expected} == expected
    assert (said["rows"], said["accuracy"], said["confusion"]) == (5, 0.8, [[2, 0], [1, 2]])
    assert (said["files"], said["classes"]) == (["data/test.csv"], ["bad", "good"])


def test_what_is_printed_is_what_the_json_says(evaluate) -> None:
    """Each figure has a line, and the confusion matrix has class names on both sides."""
    said, printed = figures(evaluate("--json")), evaluate().stdout
    for name, key in {"accuracy": "accuracy", "log loss": "log_loss", "macro F1": "macro_f1"}.items():
        assert f"{name:<22}{said[key]:.4f}\n" in printed
    assert f"{'rows':<22}5\n" in printed
    assert f"{'calibration error':<22}{said['ece']:.4f}\n" in printed
    assert [line.split() for line in printed.splitlines()[-3:]] == [
        ["bad", "good"],
        ["bad", "2", "0"],
        ["good", "1", "2"],
    ]


def test_the_split_is_told_by_the_names_of_files(evaluate, data) -> None:
    """Other splits do not matter, whatever is wrong with them; several files of one split are read in order of names."""
    add(data, "test-2", ["good"], VECTORS[:1])
    add(data, "dev", ["bad", "bad"], VECTORS[:2])
    (data / "train.csv").write_text("no labels, and no embeddings beside them")
    assert figures(evaluate("--json"))["rows"] == 6
    assert figures(evaluate("--json", "--split", "dev"))["accuracy"] == 1


def test_files_that_are_named_for_no_split_are_all_scored(evaluate, data) -> None:
    """Whoever evaluates one file need not rename it."""
    for path in list(data.iterdir()):
        path.rename(path.with_stem("monday"))
    assert figures(evaluate("--json"))["files"] == ["data/monday.csv"]


def test_files_that_are_named_for_no_split_are_train_beside_those_that_are(evaluate, data) -> None:
    """As in the training job."""
    add(data, "monday", ["bad"], VECTORS[:1])
    assert figures(evaluate("--json"))["files"] == ["data/test.csv"]
    assert figures(evaluate("--json", "--split", "train"))["files"] == ["data/monday.csv"]


def test_a_split_without_files_is_refused(evaluate) -> None:
    """And the message names what is there."""
    assert "`test`" in refusal(evaluate("--split", "dev"))


def test_labels_are_matched_by_name(evaluate, data) -> None:
    """Neither their order nor which of them occur matters; the column has the name that training gives it."""
    add(data, "test", ["good", " good "], VECTORS[2:4], column="stars")
    assert "label_column" in refusal(evaluate())
    said = figures(evaluate("--json", "--label-column", "stars"))
    assert (said["accuracy"], said["confusion"]) == (0.5, [[0, 0], [1, 1]])


def test_labels_and_widths_that_the_model_does_not_know_are_told_together(evaluate, data) -> None:
    """What was seen and what was expected, of both."""
    add(data, "test", ["bad", "awful"], np.ones((2, 3), np.float32))
    said = refusal(evaluate())
    assert "data/test.npy: 3 wide, but the model is 2" in said
    assert "does not know the label `awful`, its classes are `bad`, `good`" in said


def test_texts_in_place_of_labels_are_not_quoted(evaluate, data) -> None:
    """A column of reviews is named as such, and nothing of it is shown."""
    add(data, "test", ["secret " * 30, "bad"], VECTORS[:2])
    assert "set label_column" in refusal(evaluate())
    assert "secret" not in refusal(evaluate())


def test_values_that_no_model_can_use_are_refused_by_row(evaluate, data) -> None:
    """NaN is found when reading, numbers beyond the model's arithmetic when predicting."""
    for value, said in ((np.nan, "NaN, infinity"), (3e38, "too large")):
        artifact.save(data.parent / "model", Artifact(large(), CLASSES, "given"))
        add(data, "test", LABELS, np.where(np.arange(5)[:, None] == 3, np.float32(value), VECTORS))
        assert said in refusal(evaluate())
        assert "row 3" in refusal(evaluate())


def large() -> Model:
    """A model whose logits are ten times its inputs."""
    return Model(MODEL.kind, MODEL.sizes, TENSORS | {"weight.0": np.eye(2, dtype=np.float32) * 10})


def test_a_folder_that_is_not_there_is_the_users_error(evaluate, data) -> None:
    """The message has its path."""
    moved = data.rename(data.with_name("elsewhere"))
    assert str(moved.with_name("data")) in refusal(evaluate())


def of_texts(model: Path, data: Path, *arguments: str) -> Result:
    """Evaluate a model on texts."""
    return CliRunner().invoke(commands, ["evaluate", "--model", str(model), "--data", str(data), *arguments])


def test_a_model_of_texts_is_scored_on_texts(text_model, tmp_path) -> None:
    """On every row, in blocks as the endpoint reads them; embeddings beside them do not matter."""
    count = BLOCK // 2 + 1
    rows = [("a good film", "positive"), ("a dull film", "negative"), ("a bad film", "positive")] * count
    (tmp_path / "test.csv").write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    for _ in range(2):
        said = figures(of_texts(text_model, tmp_path, "--json"))
        assert (said["rows"], said["confusion"]) == (3 * count, [[count, 0], [count, count]])
        np.save(tmp_path / "test.npy", np.ones((3 * count, 7), np.float32))


def test_embeddings_alone_are_refused_for_a_model_of_texts(text_model, tmp_path) -> None:
    """And texts alone for one of embeddings."""
    (tmp_path / "test.csv").write_text("label\npositive\nnegative\n")
    np.save(tmp_path / "test.npy", np.ones((2, 7), np.float32))
    assert "test.csv: the model takes texts" in refusal(of_texts(text_model, tmp_path))
    (tmp_path / "test.npy").unlink()
    (tmp_path / "test.csv").write_text("review,label\nx,bad\n")
    artifact.save(tmp_path / "model", Artifact(MODEL, CLASSES, "given"))
    assert "texts alone, and the model takes embeddings" in refusal(of_texts(tmp_path / "model", tmp_path))


def test_a_network_of_words_is_scored_like_any_other(tmp_path) -> None:
    """Whose predictor is torch's."""
    sizes = {"words": 4, "embedding_width": 2, "width": 3, "classes": 2}
    blueprint = of_words.OfWords("lstm", {**sizes, "depth": 1, "dense": 0, "pooling": 0})
    model = blueprint.model(weights.arrays(blueprint.drawn(0)))
    text = reader.of_words(Words(Preprocessing(), ("fine", "awful")))
    artifact.save(tmp_path / "model", Artifact(model, CLASSES, "given", input="text", text=text))
    (tmp_path / "test.csv").write_text("review,label\nfine,good\nawful,bad\n,bad\n")
    said = figures(of_texts(tmp_path / "model", tmp_path, "--json"))
    labels, tokens = np.array([1, 0, 0]), reader.load(text)(["fine", "awful", ""])
    assert said["log_loss"] == pytest.approx(metrics.score(labels, predictor.load(model)(tokens)).log_loss)
