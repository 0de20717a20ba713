"""Promises of `relabel select`."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from click.testing import CliRunner, Result

from relabel.cli.main import commands
from relabel.errors import UserError
from relabel.model import artifact, package
from relabel.model.artifact import Artifact, Model
from relabel.results.columns import read_csv
from relabel.text import encoder_files, reader
from relabel.training import network_fit
from relabel.training.learner import Hooks
from relabel.training.learners import fine_tuned
from relabel.training.member import Member

TENSORS = {
    "mean": np.zeros(32, np.float32),
    "scale": np.ones(32, np.float32),
    "weight.0": np.eye(32, 2, dtype=np.float32),
    "bias.0": np.zeros(2, np.float32),
}
MODEL = Model("dense", {"inputs": 32, "width": 1, "depth": 0, "classes": 2}, TENSORS)


@pytest.fixture
def select(tmp_path, monkeypatch) -> Callable[..., Result]:
    """Run the command on forty rows; the model is unsure of the first twenty, of which 10 to 19 repeat 0 to 9."""
    monkeypatch.setenv("RELABEL_CACHE", str(tmp_path / "cache"))
    artifact.save(tmp_path / "model", Artifact(MODEL, ("bad", "good"), "given"))
    package.pack(tmp_path / "model", tmp_path / "model.tar.gz")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 32)).astype(np.float32)
    vectors[:20, 1] = vectors[:20, 0] + 0.1
    vectors[20:, 0] = vectors[20:, 1] + 6
    vectors[10:20] = vectors[:10]
    np.save(tmp_path / "pool.npy", vectors)
    lines = [f'{"bad" if row in (0, 20) else ""},n{row},"text, {row}"' for row in range(40)]
    (tmp_path / "pool.csv").write_text("label,id,review\n" + "".join(f"{line}\n" for line in lines))

    def run(*arguments: str, model: str = "model") -> Result:
        given = ["select", str(tmp_path / model), str(tmp_path / "pool.npy"), *arguments]
        return CliRunner().invoke(commands, given)

    return run


def test_a_table_lists_the_batch_with_what_is_known_of_each_row(select, tmp_path) -> None:
    """In order, by row and id, with prediction, margin, score and text; unsure rows first, none labelled, no duplicate."""
    done = select("--count", "5", "--output", str(tmp_path / "next.csv"))
    assert done.exit_code == 0, done.exception
    rows = read_csv(tmp_path / "next.csv")
    assert [*rows[0]] == ["order", "row", "id", "predicted", "margin", "score", "label", "review"]
    assert [row["order"] for row in rows] == ["1", "2", "3", "4", "5"]
    numbers = [int(row["row"]) for row in rows]
    assert not {0, 10, 20} & {*numbers}
    assert all(row["id"] == f"n{n}" and row["review"] == f"text, {n}" for n, row in zip(numbers, rows, strict=True))
    assert rows[0]["predicted"] in ("bad", "good")
    assert [float(row["score"]) for row in rows] == sorted(float(row["score"]) for row in rows)
    assert "5 rows chosen of 38 without a label" in done.output


@pytest.mark.parametrize("method", ["margin", "activelab", "random"])
def test_a_folder_and_its_package_choose_alike(select, method) -> None:
    """The table goes to standard output, the same for model/ and model.tar.gz, and for the same seed."""
    asked = ("--count", "6", "--method", method, "--seed", "3")
    folder, packed = select(*asked), select(*asked, model="model.tar.gz")
    assert folder.exit_code == packed.exit_code == 0
    assert folder.stdout == packed.stdout
    assert len(folder.stdout.splitlines()) == 7


def test_fewer_rows_than_asked_for_are_said_to_be_fewer(select) -> None:
    """Forty rows, ten of them duplicates, one more of a labelled row, two with labels."""
    done = select("--count", "100")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1 + 28
    assert "fewer than the 100 asked for" in done.stderr


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "nothing"}, "no such file or folder"),
        ({"model": "pool.npy"}, "no model.tar.gz can be read"),
        ({"table": "label\n" + "good\n" * 40}, "every row has a label"),
        ({"table": "label\nfair\n" + "good\n" * 39}, "does not know the label `fair`"),
        ({"vectors": np.ones((40, 3), np.float32)}, "the model is 32"),
    ],
)
def test_what_does_not_fit_is_refused(select, tmp_path, change, word) -> None:
    """Exit code 2's error says what was seen; nothing is written."""
    if "table" in change:
        (tmp_path / "pool.csv").write_text(change["table"])
    if "vectors" in change:
        np.save(tmp_path / "pool.npy", change["vectors"])
    done = select("--count", "3", "--output", str(tmp_path / "next.csv"), model=change.get("model", "model"))
    assert isinstance(done.exception, UserError)
    assert word in str(done.exception)
    assert not (tmp_path / "next.csv").exists()


FILMS = [f"a {word} film of {name}" for word in ("good", "bad", "dull", "unseen") for name in ("Rome", "Oslo", "Bonn")]


@pytest.fixture
def select_texts(text_model, tmp_path) -> Callable[..., Result]:
    """Run the command with the model of texts on a file of the pool."""

    def run(name: str, *arguments: str) -> Result:
        return CliRunner().invoke(commands, ["select", str(text_model), str(tmp_path / name), *arguments])

    return run


def test_a_model_of_texts_chooses_among_texts_alone(select_texts, tmp_path) -> None:
    """Those come first of whose words the model knows least; whatever table they stand in, the same are chosen."""
    (tmp_path / "pool.txt").write_text("\r\n".join(FILMS) + "\r\n")
    (tmp_path / "pool.csv").write_text("id,text\n" + "".join(f"n{row},{text}\n" for row, text in enumerate(FILMS)))
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps({"review": text}) + "\n" for text in FILMS))
    for name in ("pool.txt", "pool.csv", "pool.jsonl"):
        done = select_texts(name, "--count", "3", "--diversity", "1", "--output", str(tmp_path / "next.csv"))
        assert done.exit_code == 0, done.exception
        rows = read_csv(tmp_path / "next.csv")
        assert [row["review"] for row in rows] == [FILMS[int(row["row"])] for row in rows]
        assert "unseen" in rows[0]["review"]
        assert ("id" in rows[0]) is (name == "pool.csv")


def test_texts_of_which_the_model_knows_the_same_words_are_near_duplicates(select_texts, tmp_path) -> None:
    """To the model they are one text: twelve films of four kinds are four rows to choose."""
    (tmp_path / "pool.txt").write_text("\n".join(FILMS))
    done = select_texts("pool.txt", "--count", "12")
    assert len(done.stdout.splitlines()) == 1 + 4
    assert "8 near duplicates were passed over" in done.stderr


@pytest.mark.parametrize("text", ["qwertz", "good"])
def test_a_single_text_can_be_chosen(select_texts, tmp_path, text) -> None:
    """Also one without a word that the model knows."""
    (tmp_path / "pool.txt").write_text(text)
    assert select_texts("pool.txt", "--count", "1").stdout.splitlines()[1].endswith(text)


def test_embeddings_beside_texts_say_which_rows_are_alike(select_texts, tmp_path) -> None:
    """Where a pool has both, the model reads the texts; here all vectors differ, so that no row is passed over."""
    (tmp_path / "pool.csv").write_text("review\n" + "".join(f"{text}\n" for text in FILMS))
    np.save(tmp_path / "pool.npy", np.eye(len(FILMS), dtype=np.float32))
    assert len(select_texts("pool.csv", "--count", "12").stdout.splitlines()) == 1 + 12


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pool.npy", np.ones((3, 2), np.float32), "pool.npy: the model takes texts, and there are none"),
        ("pool.csv", "id,body\na,good\n", "no column `review`, only `id`, `body`): set text_column"),
        ("pool.txt", "good\n\nbad\n \n", "pool.txt: no text in 2 rows (1, 3, counted from 0): leave these rows out"),
        ("pool.txt", "", "pool.txt: no rows"),
        ("pool.txt", b"d\xff", "pool.txt: another encoding than UTF-8"),
    ],
)
def test_a_pool_that_a_model_of_texts_cannot_use_is_refused(select_texts, tmp_path, name, content, said) -> None:
    """By its file, with what to do."""
    if isinstance(content, np.ndarray):
        np.save(tmp_path / name, content)
    else:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    done = select_texts(name, "--count", "1")
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)


@pytest.mark.usefixtures("select")
def test_texts_are_refused_for_a_model_of_embeddings(tmp_path) -> None:
    """With what it takes instead."""
    (tmp_path / "more.txt").write_text("good\n")
    done = CliRunner().invoke(commands, ["select", str(tmp_path / "model"), str(tmp_path / "more.txt"), "--count", "1"])
    assert "texts alone, and the model takes embeddings" in str(done.exception)


def test_a_model_with_an_encoder_takes_texts_or_their_embeddings(tiny_encoder, tmp_path) -> None:
    """And chooses the same of both."""
    about = encoder_files.describe(tiny_encoder)
    tensors = {**TENSORS, "weight.0": np.random.default_rng(1).normal(size=(32, 2)).astype(np.float32)}
    model = Artifact(Model(MODEL.kind, MODEL.sizes, tensors), ("bad", "good"), "given", text=about)
    artifact.save(tmp_path / "model", model)
    (tmp_path / "texts.csv").write_text("review\n" + "".join(f"{text}\n" for text in FILMS))
    np.save(tmp_path / "vectors.npy", reader.load(about)(FILMS))
    done = [
        CliRunner().invoke(commands, ["select", str(tmp_path / "model"), str(tmp_path / name), "--count", "3"])
        for name in ("texts.csv", "vectors.npy")
    ]
    assert done[0].exit_code == 0, done[0].exception
    chosen = [[line.split(",")[1] for line in each.stdout.splitlines()] for each in done]
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == 1 + 3


def test_a_model_of_subwords_chooses_by_the_words_of_the_pool(tiny_encoder, tmp_path) -> None:
    """It knows no words itself."""
    about = encoder_files.describe(tiny_encoder)
    recipe = network_fit.Recipe(batch_size=4, max_epochs=1)
    learner = fine_tuned.learner(about, classes=2, recipe=recipe)
    text = encoder_files.subwords(tiny_encoder)
    labels = np.arange(len(FILMS), dtype=np.int64) % 2
    member = Member(np.arange(len(FILMS), dtype=np.int32), labels, np.ones(len(FILMS), np.float32), 0)
    (model,) = learner.fit(reader.load(text)(FILMS), [member], None, Hooks())
    artifact.save(tmp_path / "model", Artifact(model, ("bad", "good"), "given", input="text", text=text))
    (tmp_path / "pool.txt").write_text("\n".join(FILMS))
    done = CliRunner().invoke(commands, ["select", str(tmp_path / "model"), str(tmp_path / "pool.txt"), "--count", "3"])
    assert done.exit_code == 0, done.exception
    assert len(done.stdout.splitlines()) == 1 + 3
