"""Promises of the gate for unsound data: every problem at once, with the file and what to do; nothing is run."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

ROWS = [row % 2 for row in range(12)]


def only(problems: tuple[str, ...], name: str, *parts: str) -> None:
    """Insist on a single problem, which begins with the file's name and says all parts."""
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"{name}: ")
    for part in parts:
        assert part in problems[0]


class Writes:
    """An object whose pickle creates a file when it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (open, (str(self.path), "w"))


def test_code_in_a_pickle_is_not_run(three, tmp_path) -> None:
    """A pickle with code, as .pt of either kind, as plain pickle or as .npy, is refused and does nothing."""
    proof = tmp_path / "proof"
    pickle.loads(pickle.dumps(Writes(proof))).close()  # noqa: S301  # the trap works
    assert proof.exists()
    proof.unlink()

    torch.save(Writes(proof), three.path("train/train.pt"))
    torch.save(Writes(proof), three.path("train/dev.pt"), _use_new_zipfile_serialization=False)
    three.path("train/test.pt").write_bytes(pickle.dumps(Writes(proof)))
    three.add("test/more", [0, 1])
    three.path("test/more.pt").unlink()
    np.save(three.path("test/more.npy"), np.array([Writes(proof), None], dtype=object))
    three.add("test/plain", [0, 1])
    three.path("test/plain.pt").unlink()
    three.path("test/plain.npy").write_bytes(pickle.dumps(Writes(proof)))
    three.path("train/test.csv").rename(three.path("train/rest.csv"))
    three.path("train/test.pt").rename(three.path("train/rest.pt"))

    problems = three.problems()
    names = ["train/train.pt", "train/dev.pt", "train/rest.pt", "test/more.npy", "test/plain.npy"]
    assert sorted(problem.split(":")[0] for problem in problems) == sorted(names)
    assert all("nothing of it was run" in problem for problem in problems)
    assert all("`io.open`" in problem for problem in problems if problem.startswith(("train/train.pt", "train/dev.pt")))
    assert not proof.exists()


@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (
            {"weight": torch.zeros(2, 2), "bias": torch.zeros(2)},
            ["OrderedDict", "dict of 2 entries", "torch.save(tensor"],
        ),
        ([torch.zeros(12, 4)], ["a list of 1 entries"]),
        (torch.zeros(12, 4, dtype=torch.int64), ["int64", "float16, bfloat16, float32 or float64"]),
        (torch.zeros(12, 4, dtype=torch.bool), ["bool"]),
        (torch.zeros(12), ["shape (12,)", "(rows, width)"]),
        (torch.zeros(12, 2, 4), ["shape (12, 2, 4)"]),
        (torch.zeros(12, 0), ["shape (12, 0)"]),
        (torch.zeros(12, 4).to_sparse(), ["sparse", "dense"]),
        (torch.zeros(1, 4).expand(10**9, 4), ["(1000000000, 4)", "clone"]),
        (np.zeros((12, 4)), ["numpy", "nothing of it was run"]),
    ],
)
def test_what_is_no_matrix_of_floats_is_refused(three, saved, said) -> None:
    """The message says what the file holds and what to save in its place."""
    torch.save(saved, three.path("train/train.pt"))
    (problem,) = three.problems()
    assert problem.startswith("train/train.pt: ")
    assert any(part in problem for part in said[:2])
    assert all(part in problem for part in said[2:])


@pytest.mark.parametrize("kept", [0, 3, 40, 400, -1])
@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_tensors_are_refused(three, kept, legacy) -> None:
    """A .pt that was cut anywhere, also before its first byte, is named as truncated, torn or empty."""
    path = three.path("train/dev.pt")
    torch.save(torch.zeros(4, 64), path, _use_new_zipfile_serialization=not legacy)
    path.write_bytes(path.read_bytes()[:kept])
    (problem,) = three.problems()
    assert problem.startswith("train/dev.pt: ")
    assert "empty" in problem if kept == 0 else "truncated" in problem or "torn" in problem


@pytest.mark.parametrize("kept", [0, 5, 30, 200])
def test_truncated_arrays_are_refused(three, kept) -> None:
    """So is a .npy."""
    three.path("train/dev.pt").unlink()
    path = three.path("train/dev.npy")
    np.save(path, np.zeros((4, 4), np.float32))
    path.write_bytes(path.read_bytes()[:kept] if kept < 200 else path.read_bytes()[:-1])
    only(three.problems(), "train/dev.npy", "empty" if kept == 0 else "truncated")


def test_row_counts_that_differ_have_both_figures(three) -> None:
    """The message has the rows of the label file and of its embeddings."""
    three.add("train/dev", [0, 1, 0], three.vectors(5))
    only(three.problems(), "train/dev.pt", "5 embeddings", "train/dev.csv has 3 rows")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_no_numbers_are_named(three, value) -> None:
    """The first rows with NaN, infinity or more than float32 can hold are listed, and all are counted."""
    vectors = np.zeros((12, 4)) + np.arange(12)[:, None]
    vectors[[1, 3, 4, 6, 7, 9, 10], 2] = value
    three.add("train/train", ROWS, vectors)
    only(three.problems(), "train/train.pt", "7 rows (1, 3, 4, 6, 7, …, counted from 0)")


def test_widths_must_agree(three) -> None:
    """Every file that is not as wide as the first is named with both widths."""
    three.add("train/dev", [0, 1], three.vectors(2, 3))
    three.add("train/test", [0, 1], three.vectors(2, 5))
    first, second = three.problems()
    assert first.startswith("train/dev.pt: 3 wide, but train/train.pt is 4")
    assert second.startswith("train/test.pt: 5 wide, but train/train.pt is 4")


def test_an_expected_width_is_insisted_on(three) -> None:
    """With width_expected every file is held to it, and the right one passes."""
    assert [p.split(":")[0] for p in three.problems(width_expected=768)] == [
        "train/train.pt",
        "train/dev.pt",
        "train/test.pt",
    ]
    assert all("width_expected is 768" in p for p in three.problems(width_expected=768))
    assert three.read(width_expected=4).features.shape == (22, 4)


def test_one_class_is_not_enough(channels) -> None:
    """Labels that are all the same are refused, with the class."""
    channels.add("train/a", [1] * 10)
    only(channels.problems(), "train/a.csv", "`1`", "two classes")


def test_a_class_that_train_lacks_is_named(three) -> None:
    """Each class must occur in train: where else it stands is said."""
    three.add("train/test", [0, 1, 2, 3])
    only(three.problems(), "train/test.csv", "`2`, `3`", "no training row")


def test_a_missing_label_column_lists_those_found(channels) -> None:
    """A few of the columns that are there are named, and cut, so that a file without header shows no text."""
    columns = {
        name: ["x"]
        for name in ("review", "Label", "c", "d", "e", "f", "a text that is much too long to be the name of anything")
    }
    channels.table("train/a", columns)
    np.save(channels.path("train/a.npy"), channels.vectors(1))
    only(channels.problems(), "train/a.csv", "`label`", "`review`, `Label`, `c`, `d`, `e` and 2 more", "label_column")
    channels.table("train/a", {"I bought this for my sister, who has never been so disappointed": ["x"]})
    assert "so disappointed" not in channels.problems()[0]


def test_empty_labels_are_counted_and_listed(three) -> None:
    """Rows with an empty or blank label are a problem: how many, and the first five."""
    three.add("train/train", ["", "1", " ", "", "0", "", "", "", "1"])
    only(three.problems(), "train/train.csv", "6 rows (0, 2, 3, 5, 6, …, counted from 0)")


@pytest.mark.parametrize("label", ["0.5", "nan", "-inf", "1e-3"])
def test_numbers_that_are_not_whole_are_no_labels(three, label) -> None:
    """Among whole numbers a probability or a written NaN is refused, with its row."""
    three.add("train/dev", ["0", label, "1"])
    only(three.problems(), "train/dev.csv", "row 1 (counted from 0)", "whole number")


def test_a_text_in_place_of_a_label_is_not_shown(three) -> None:
    """Where the label column is a column of texts, the message says so and quotes none."""
    three.add("train/train", ROWS, review=["a secret " * 20] * 12)
    three.add("train/dev", [0, 1], review=["another secret", "a third secret"])
    only(three.problems(label_column="review"), "train/train.csv", "labels of up to 180 characters", "label_column")
    assert "secret" not in three.problems(label_column="review")[0]


def test_ids_given_twice_are_named_across_files(three) -> None:
    """An id that another row has, in any file, is named with both places; rows without id are none."""
    three.add("train/train", ROWS, id=[f"t{row}" for row in range(11)] + ["t3"])
    three.add("train/test", [0, 1, 0], id=["t7", "", ""])
    first, second = three.problems()
    assert first.startswith("train/train.csv: 1 id given before (`t3` in row 11 and train/train.csv row 3)")
    assert second.startswith("train/test.csv: 1 id given before (`t7` in row 0 and train/train.csv row 7)")


def test_many_repeated_ids_are_counted(three) -> None:
    """No more than five ids are named, all are counted."""
    three.add("train/dev", [0, 1] * 10, id=[f"d{n % 10}" for n in range(20)])
    (problem,) = three.problems()
    assert "10 ids given before" in problem
    assert problem.count("`") == 10


def test_an_empty_channel_is_named(three) -> None:
    """A folder without files, and one with nothing to read, are told apart."""
    three.path("dev/x").parent.mkdir(exist_ok=True)
    three.path("test/notes.txt").write_text("x")
    empty, unread = (p for p in three.problems() if p.startswith(("dev:", "test:")))
    assert empty.startswith("dev: the folder is empty")
    assert unread.startswith("test: nothing to read, only `notes.txt`")


def test_a_channel_without_folder_is_named(three) -> None:
    """A channel that was announced and is not there is a problem with the remedy."""
    only(three.problems("train", "test")[:1], "test", "no folder at", "File or FastFile mode")


def test_a_channel_must_be_train(channels) -> None:
    """Without training data there is no job: what was given is said."""
    channels.add("test/a", [0, 1])
    only(channels.problems(), "train", "only `test`")


def test_an_unknown_channel_lists_the_known(three) -> None:
    """A channel of another name is a problem with the names there are."""
    three.add("extra/a", [0, 1])
    only(three.problems(), "extra", "unknown channel", "`validation`")


def test_a_channel_of_dev_and_test_alone_lacks_train(channels) -> None:
    """Files of dev and test in channel train, and none of train, are a problem."""
    channels.add("train/dev", [0, 1])
    channels.add("train/test", [0, 1])
    only(channels.problems(), "train", "none of train")


def test_pairs_must_be_whole(three) -> None:
    """Embeddings without labels, and two embeddings or two tables of one name are each named."""
    three.path("train/train.jsonl").write_text('{"label": 0}')
    three.path("train/dev.csv").unlink()
    np.save(three.path("train/test.npy"), three.vectors(6))
    dev, test, train = sorted(three.problems())
    assert dev.startswith("train/dev.pt: embeddings without labels: add dev.csv")
    assert test.startswith("train/test.npy: `test.pt` has the same name")
    assert train.startswith("train/train.csv: `train.jsonl` has the same name")


def test_a_file_named_for_another_split_is_refused(three) -> None:
    """The same split as a channel and as a file of another channel is not guessed at."""
    three.add("test/train", [0, 1])
    names = [problem.split(":")[0] for problem in three.problems()]
    assert sorted(names) == ["test/train.csv", "train/test.csv"]


def test_a_class_whose_rows_all_have_duplicates_in_test_is_named(three) -> None:
    """After duplicates are left out, each class must still have a row to train on."""
    three.add("train/train", [0, 0, 1], review=["a", "b", "train/test 0"])
    only(three.problems(), "train", "`1`", "left to train on")


def test_too_few_rows_to_draw_from_are_said(channels) -> None:
    """Where no dev or test row can be drawn, more rows are asked for."""
    channels.add("train/a", [0, 1])
    assert {problem.split(":")[0] for problem in channels.problems()} <= {"train", "dev", "test"}


def test_all_problems_come_at_once(three) -> None:
    """One message has every problem: of the channels, of each file alone, and of files beside each other."""
    bad = three.vectors(12)
    bad[4, 1] = np.nan
    three.add("train/train", ["", *ROWS[1:]], bad, id=["same"] * 12)
    three.add("train/dev", [0, 1, 0], three.vectors(4, 3))
    three.path("train/test.csv").write_bytes(b"review,label\na,1\nb\xff,0\n")
    three.path("train/test.pt").write_bytes(three.path("train/test.pt").read_bytes()[:100])
    three.add("more/a", [0, 1])
    problems = three.problems("train", "more", "training")
    assert [tuple(problem.split(": ")[:2]) for problem in problems] == [
        ("more", "unknown channel"),
        ("training", f"no folder at {three.root / 'training'}"),
        ("train/train.csv", "the label is empty in row 0 (counted from 0)"),
        ("train/dev.pt", "4 embeddings, but train/dev.csv has 3 rows"),
        ("train/test.csv", "byte 0xff at offset 18 (line 3) is no UTF-8"),
        ("train/test.pt", "no tensor can be read from it"),
        ("train/dev.pt", "3 wide, but train/train.pt is 4"),
        ("train/train.csv", "1 id given before (`same` in row 1 and train/train.csv row 0)"),
        ("train/train.pt", "NaN, infinity or a value beyond float32 in row 4 (counted from 0)"),
    ]
