"""Promises of the gate for texts without embeddings."""

import json

import numpy as np
import pytest

from relabel.data.digest import digest
from relabel.data.examples import Split
from relabel.data.identity import row_hash

TEXTS = [f"a text with the number {row}" for row in range(40)]
LABELS = [str(row % 2) for row in range(40)]


def test_texts_alone_are_examples_without_features(channels) -> None:
    """Splits, groups, ids and texts are there, rows keep what is theirs, and a fit has a name."""
    channels.table("train/train", {"review": TEXTS, "label": LABELS, "id": [f"t{row}" for row in range(40)]})
    channels.table("train/test", {"review": ["x", "y"], "label": ["0", "1"]})
    examples = channels.read(dev_share=0.25)
    assert examples.features is None
    assert np.bincount(examples.split).tolist() == [30, 10, 2]
    train = examples.split != Split.TEST
    assert examples.texts[train] == [TEXTS[row] for row in examples.row[train]]
    assert examples.ids[train].tolist() == [f"t{row}" for row in examples.row[train]]
    assert examples.labels[train].tolist() == [row % 2 for row in examples.row[train]]
    assert digest(examples) == digest(channels.read(dev_share=0.25)) != digest(channels.read(dev_share=0.25, seed=1))


def test_equal_texts_are_duplicates(channels) -> None:
    """They lie in one drawn split, those of a given test leave the others out, and contradictions are said."""
    channels.table("train/train", {"review": [*TEXTS, *TEXTS[:20], "x"], "label": [*LABELS, *LABELS[1:21], "1"]})
    channels.table("train/test", {"review": ["x", "y"], "label": ["0", "1"]})
    examples = channels.read(dev_share=0.3)
    splits = {text: set(examples.split[[each == text for each in examples.texts]].tolist()) for text in TEXTS}
    assert all(len(split) == 1 for split in splits.values())
    assert examples.texts[examples.left_out] == ["x"]
    assert any("duplicate groups of 42 rows" in note for note in examples.notes)


def test_a_file_without_embeddings_among_others_is_named(three) -> None:
    """With what to do."""
    three.path("train/train.pt").unlink()
    (problem,) = three.problems("train")
    assert problem.startswith("train/train.csv: labels without embeddings, but train/dev.csv has some")
    assert "add train.pt or train.npy" in problem
    assert "`encoder`" in problem


def test_without_texts_and_embeddings_there_is_nothing_to_learn_from(channels) -> None:
    """Every such file is named, with the column that is missing, those that are there, and the ways out."""
    channels.table("train/train", {"body": TEXTS, "label": LABELS})
    channels.table("train/test", {"review": TEXTS, "label": LABELS})
    (problem,) = channels.problems()
    assert problem.startswith(
        "train/train.csv: neither texts (no column `review`, only `body`, `label`) nor embeddings"
    )
    assert all(part in problem for part in ("text_column", "`encoder`", "train.npy"))


@pytest.mark.parametrize("column", ["text", "sentence", "content"])
def test_texts_are_found_under_their_usual_names(channels, column) -> None:
    """Where `review` is not there and no other name is set; each file by itself."""
    channels.table("train/train", {"sentiment": LABELS, column: TEXTS})
    channels.table("train/test", {"sentiment": ["0", "1"], "review": ["x", "y"], column: ["a", "b"]})
    examples = channels.read(label_column="sentiment")
    assert sorted(examples.texts) == sorted([*TEXTS, "x", "y"])
    assert "neither texts" in channels.problems(label_column="sentiment", text_column="body")[0]


def test_a_column_of_labels_is_no_column_of_texts(channels) -> None:
    """Even where its name is one of texts."""
    channels.table("train/train", {"text": LABELS, "content": TEXTS})
    assert sorted(channels.read(label_column="text").texts) == sorted(TEXTS)


def test_empty_texts_are_said(channels) -> None:
    """They stay, are no duplicates of each other, and are counted."""
    channels.table("train/train", {"review": [*TEXTS, "", " "], "label": [*LABELS, "0", "1"]})
    examples = channels.read()
    assert any("2 rows with an empty text" in note for note in examples.notes)
    assert len({*examples.group.tolist()}) == 42


def test_answers_of_people_find_their_rows_by_text(channels) -> None:
    """The hash of a row without embedding is that of its text."""
    channels.table("train/train", {"review": TEXTS, "label": LABELS})
    answer = {"row_hash": row_hash(None, TEXTS[4]), "answer": "1", "reviewer": "ann"}
    channels.path("reviewed/reviews.jsonl").write_text(json.dumps(answer) + "\n")
    examples = channels.read()
    assert examples.texts[examples.trusted] == [TEXTS[4]]
    assert examples.labels[examples.trusted].tolist() == [1]
