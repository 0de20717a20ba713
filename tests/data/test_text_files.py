"""Promises of folders of text files, one for each class."""

import numpy as np
import pytest

from relabel.data import labelled, layout
from relabel.data.examples import Split
from relabel.settings import TrainSettings


@pytest.fixture
def folders(channels):
    """IMDb's layout, small."""
    for split in ("train", "test"):
        for label, rows in (("neg", 6), ("pos", 5)):
            for row in range(rows):
                channels.path(f"{split}/{label}/{row}_7.txt").write_text(f"{split} {label} {row} é<br />", "utf-8")
        channels.path(f"{split}/urls_pos.txt").write_text("somewhere")
        channels.path(f"{split}/labeledBow.feat").write_text("1 0:1")
    channels.path("train/unsup/0_0.txt").write_text("nobody knows")
    channels.path("train/pos/.hidden.txt").write_text("x")
    channels.path("train/pos/notes.md").write_text("x")
    return channels


def test_a_folder_for_each_class_is_a_split(folders) -> None:
    """Labels are the folders' names, ids tell the file, dev is drawn, and a note says what is passed over."""
    examples = folders.read(dev_share=0.4)
    assert examples.features is None
    assert examples.classes == ("neg", "pos")
    assert np.bincount(examples.split).tolist() == [7, 4, 11]
    assert examples.files == ("train", "test")
    for text, name, label in zip(examples.texts, examples.ids, examples.labels, strict=True):
        split, kind, row = text.split(" ")[:3]
        assert name == f"{split}/{kind}/{row}_7"
        assert examples.classes[label] == kind
    assert any("train: `labeledBow.feat`, `unsup`, `urls_pos.txt` passed over" in note for note in examples.notes)


def test_rows_are_in_the_order_of_names(folders) -> None:
    """Of folders, then of files: the number of a row is its place."""
    examples = folders.read()
    test = examples.split == Split.TEST
    assert examples.row[test].tolist() == list(range(11))
    assert examples.ids[test].tolist() == [
        *(f"test/neg/{n}_7" for n in range(6)),
        *(f"test/pos/{n}_7" for n in range(5)),
    ]


def test_files_that_are_no_utf_8_are_named(folders) -> None:
    """A few of them, without what is in them."""
    for row in (1, 3):
        folders.path(f"train/neg/{row}_7.txt").write_bytes(b"secret \xff")
    (problem,) = folders.problems()
    assert problem.startswith("train: 2 files in another encoding than UTF-8 (`neg/1_7.txt`, `neg/3_7.txt`)")
    assert "secret" not in problem


def test_tables_beside_folders_win(folders) -> None:
    """The folders are passed over then."""
    folders.table("train/train", {"review": [f"text {row}" for row in range(20)], "label": ["neg", "pos"] * 10})
    assert "train/train.csv" in folders.read().files


def test_one_folder_alone_is_no_data(channels) -> None:
    """It has a single class."""
    channels.path("train/pos/0_7.txt").write_text("x")
    (problem,) = channels.problems()
    assert problem.startswith("train: nothing to read, only `pos`")


@pytest.mark.parametrize("inside", ["", "test"])
def test_a_split_is_found_for_scoring(folders, inside) -> None:
    """The folder of the split, or the one above it."""
    found = layout.find_split(folders.root / inside, Split.TEST)
    assert [source.table_path.name for source in found.sources] == ["test"]
    rows = labelled.read(folders.root / inside, Split.TEST, TrainSettings(), classes=["neg", "pos"], width=0)
    assert rows.vectors is None
    assert rows.texts[0] == "test neg 0 é<br />"
    assert rows.labels.tolist() == [0] * 6 + [1] * 5
