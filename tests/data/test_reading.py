"""Promises of the gate for data that is sound."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from relabel.data.examples import Split


def counts(examples) -> list[int]:
    """Rows of train, dev and test."""
    return np.bincount(examples.split, minlength=3).tolist()


def test_one_channel_holds_three_splits(three) -> None:
    """Files named train, dev and test in channel train become the splits, in that order, each row with its origin."""
    examples = three.read()
    assert counts(examples) == [12, 4, 6]
    assert examples.files == ("train/train.csv", "train/dev.csv", "train/test.csv")
    assert examples.file.tolist() == [0] * 12 + [1] * 4 + [2] * 6
    assert examples.row.tolist() == [*range(12), *range(4), *range(6)]
    assert examples.texts[:] == [
        f"{examples.files[f][:-4]} {r}" for f, r in zip(examples.file, examples.row, strict=True)
    ]
    assert examples.labels.tolist() == [row % 2 for row in examples.row]


def test_rows_keep_their_embeddings(three) -> None:
    """Row for row, the features are the float32 values of the tensor beside the label file, in one array."""
    examples = three.read()
    for number, name in enumerate(examples.files):
        saved = torch.load(three.path(name.replace(".csv", ".pt")), weights_only=True).numpy()
        assert np.array_equal(examples.features.take(np.flatnonzero(examples.file == number)), saved)
    assert examples.features.array.dtype == np.float32
    assert examples.features.array.flags.c_contiguous


def test_fields_have_the_declared_types(three) -> None:
    """Dtypes and lengths are those that Examples promises; nothing is trusted before people look."""
    examples = three.read()
    types = {
        name: getattr(examples, name).dtype
        for name in ("labels", "split", "group", "left_out", "trusted", "file", "row")
    }
    assert types == {
        "labels": np.int64,
        "split": np.uint8,
        "group": np.int64,
        "left_out": bool,
        "trusted": bool,
        "file": np.int32,
        "row": np.int64,
    }
    assert not examples.trusted.any()
    assert examples.ids.tolist() == [""] * 22
    assert examples.classes == ("0", "1")


@pytest.mark.parametrize("dev", ["dev", "val", "valid", "validation"])
def test_each_split_has_a_channel(channels, dev) -> None:
    """Channels train, dev under any of its names, and test are read whatever their files are called."""
    for name in ("train/a", f"{dev}/b", "test/c"):
        channels.add(name, [0, 1, 0, 1])
    examples = channels.read()
    assert counts(examples) == [4, 4, 4]
    assert examples.files == ("train/a.csv", f"{dev}/b.csv", "test/c.csv")


@pytest.mark.parametrize("dev", ["dev", "val", "valid", "validation", "val-00000", "Dev_1"])
def test_dev_files_have_several_names(channels, dev) -> None:
    """In one channel, called train or training, a file named dev, val, valid or validation is the dev split."""
    for name in ("training/train", f"training/{dev}", "training/test"):
        channels.add(name, [0, 1, 0, 1])
    assert channels.read().files == ("training/train.csv", f"training/{dev}.csv", "training/test.csv")


def test_shards_are_read_in_the_order_of_their_names(channels) -> None:
    """Several pairs of one channel are one split, in the order of names; .pt and .npy may be mixed."""
    channels.add("train/part-2", [1, 1])
    channels.add("train/part-1", [0, 0, 0])
    channels.table("train/part-3", {"label": ["0"], "review": ["x"]})
    np.save(channels.path("train/part-3.npy"), channels.vectors(1))
    channels.add("dev/d", [0, 1])
    channels.add("test/t", [0, 1])
    examples = channels.read()
    assert examples.files[:3] == ("train/part-1.csv", "train/part-2.csv", "train/part-3.csv")
    assert examples.labels[examples.split == Split.TRAIN].tolist() == [0, 0, 0, 1, 1, 0]


def test_without_dev_and_test_a_split_is_drawn_and_said(channels) -> None:
    """Train alone is divided by the shares of the settings, in the order of splits, and a note has the counts."""
    channels.add("train/all", [row % 2 for row in range(100)])
    examples = channels.read(dev_share=0.2, test_share=0.3, seed=7)
    assert counts(examples) == [50, 20, 30]
    assert (np.diff(examples.split.astype(int)) >= 0).all()
    (note,) = examples.notes
    assert note.startswith("no dev and test given")
    assert "seed 7" in note
    assert "50 train, 20 dev, 30 test" in note


def test_rows_of_a_drawn_split_keep_everything_that_is_theirs(channels) -> None:
    """After rows have moved, each has its own embedding, text, id and label, and rows of a split keep their order."""
    vectors = channels.vectors(300, 5)
    channels.add("train/all", [row % 3 for row in range(300)], vectors, id=[f"id{row}" for row in range(300)])
    examples = channels.read()
    assert sorted(examples.row.tolist()) == list(range(300))
    assert np.array_equal(examples.features.array, vectors[examples.row])
    assert examples.texts[:] == [f"train/all {row}" for row in examples.row]
    assert examples.ids.tolist() == [f"id{row}" for row in examples.row]
    assert np.array_equal(examples.labels, examples.row % 3)
    for split in Split:
        assert (np.diff(examples.row[examples.split == split]) > 0).all()


def test_a_drawn_split_follows_from_the_seed(channels) -> None:
    """The same seed draws the same rows, another seed others."""
    channels.add("train/all", [row % 2 for row in range(60)])
    first, again, other = (channels.read(seed=seed).row.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_only_the_missing_split_is_drawn(channels) -> None:
    """With dev given, test alone comes out of train, and never a row whose duplicate is in dev."""
    channels.add("train/a", [row % 2 for row in range(50)])
    channels.add("dev/b", [0, 1] * 5, review=[f"train/a {row}" for row in range(10)])
    examples = channels.read(test_share=0.4)
    assert counts(examples) == [34, 10, 16]
    assert not set(examples.group[examples.split == Split.TEST]) & set(examples.group[examples.split == Split.DEV])
    assert examples.notes[0].startswith("no test given")


def test_duplicates_are_left_out_below_the_highest_split(channels) -> None:
    """Test wins over dev over train, by text or by embedding; the rows are counted, and stay in the data."""
    shared = channels.vectors(1)[0]
    train, dev, test = channels.vectors(6), channels.vectors(4), channels.vectors(4)
    train[5] = test[3] = shared
    channels.add("train/train", [0, 1, 0, 1, 0, 1], train, review=["a", "b", "c", "d", "e", "f"])
    channels.add("train/dev", [0, 1, 0, 1], dev, review=["a", "x", "y", "z"])
    channels.add("train/test", [0, 1, 0, 1], test, review=["x", "b", "u", "v"])
    examples = channels.read()
    assert len(examples) == 14
    assert np.flatnonzero(examples.left_out).tolist() == [0, 1, 5, 7]
    assert examples.rows(Split.TRAIN).tolist() == [2, 3, 4]
    assert "3 of 6 train rows are left out: they have duplicates in dev or test" in examples.notes
    assert "1 of 4 dev rows are left out: they have duplicates in test" in examples.notes


def test_duplicates_with_several_labels_are_counted(three) -> None:
    """A note has the number of duplicate groups whose labels contradict each other."""
    three.add("train/train", [0, 1, 1, 1, 0, 1, 0, 1], review=["a", "a", "b", "b", "c", "c", "c", "d"])
    assert "2 duplicate groups of 5 rows in all: equal rows with more than one label" in three.read().notes


def test_other_columns_can_be_named(channels) -> None:
    """Settings say which columns hold text, label and id, and the label may be a name."""
    vectors = torch.from_numpy(channels.vectors(20))
    columns = {"stars": ["good", "bad"] * 10, "body": [f"t{n}" for n in range(20)], "key": [f"k{n}" for n in range(20)]}
    channels.table("train/a", columns)
    torch.save(vectors, channels.path("train/a.pt"))
    examples = channels.read(label_column="stars", text_column="body", id_column="key")
    assert examples.classes == ("bad", "good")
    assert [examples.classes[c] for c in examples.labels] == ["good" if r % 2 == 0 else "bad" for r in examples.row]
    assert sorted(examples.texts) == sorted(columns["body"])
    assert sorted(examples.ids) == sorted(columns["key"])


def test_texts_are_optional(channels) -> None:
    """Without a text column there are no texts, and a note says which columns there are."""
    channels.table("train/a", {"label": ["0", "1"] * 10})
    np.save(channels.path("train/a.npy"), channels.vectors(20))
    examples = channels.read()
    assert examples.texts is None
    assert any("no file has the text column `review` (train/a.csv has `label`)" in note for note in examples.notes)


def test_texts_of_one_file_alone_are_kept(three) -> None:
    """A file without texts has empty ones beside the texts of the others, which make no duplicates, and is named."""
    three.table("train/dev", {"label": ["0", "1", "0", "1"]})
    examples = three.read()
    assert examples.texts[examples.split == Split.DEV] == [""] * 4
    assert examples.texts[0] == "train/train 0"
    assert not examples.left_out.any()
    assert np.unique(examples.group).size == len(examples)
    assert any("train/dev.csv" in note for note in examples.notes)


def test_what_is_passed_over_is_said_if_it_looks_like_data(three) -> None:
    """Hidden files and notes of people are passed over in silence, other formats and folders of data with a note."""
    for name in (".train.csv", "README.md", "more.feather", "shards/a.csv", "pictures/a.png"):
        three.path(f"train/{name}").write_bytes(b"x")
    notes = [note.split(" is passed over")[0] for note in three.read().notes]
    assert notes == ["train/more.feather", "train/shards"]


def test_channels_are_never_written_to(three) -> None:
    """Reading leaves every file of a channel, its bytes and its times as they were."""

    def seen() -> list[tuple[str, int, str]]:
        files = sorted(path for path in three.root.rglob("*"))
        return [
            (str(f), f.stat().st_mtime_ns, hashlib.sha256(f.read_bytes()).hexdigest() if f.is_file() else "")
            for f in files
        ]

    before = seen()
    three.read().features.array[:] = 0
    assert seen() == before


def test_torch_is_loaded_only_for_tensors() -> None:
    """Importing the gate does not load torch: that takes seconds that a process without tensors does not have."""
    code = "import sys, relabel.data.reading; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
