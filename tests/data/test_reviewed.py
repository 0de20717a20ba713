"""Promises of the channel `reviewed`: what people decided replaces the labels, wherever the rows stand."""

import numpy as np
import pytest

from relabel.data import reading
from relabel.data.identity import row_hashes
from relabel.data.reviews import Answer, line
from relabel.settings import TrainSettings


@pytest.fixture
def hashes(three) -> dict[tuple[str, int], str]:
    """Give (file, row) -> row hash of the three splits."""
    examples = three.read()
    places = zip((examples.files[f] for f in examples.file), examples.row.tolist(), strict=True)
    return dict(zip(places, row_hashes(examples.features, examples.texts, len(examples)), strict=True))


def write(channels, *answers: Answer) -> None:
    """Write the channel."""
    channels.path("reviewed/reviews.jsonl").write_text("".join(map(line, answers)))


def test_every_split_gets_the_verified_label(three, hashes) -> None:
    """The label is the answer and is trusted; the given one, the person and the reason are kept; nothing else changes."""
    plain = three.read()
    write(
        three,
        Answer(row_hash=hashes["train/train.csv", 3], answer="0", reviewer="ann", why="worst", posterior=0.75),
        Answer(row_hash=hashes["train/test.csv", 2], answer="0", reviewer="bob", why="random"),
    )
    examples = three.read()
    changed = np.flatnonzero(examples.labels != plain.labels)
    assert changed.tolist() == [3]
    assert np.flatnonzero(examples.trusted).tolist() == [3, 18]
    about = examples.reviews
    assert about.given.tolist() == [str(label) for label in plain.labels]
    assert examples.as_given().tolist() == plain.labels.tolist()
    assert np.flatnonzero(examples.verified() >= 0).tolist() == [3, 18]
    assert about.reviewer[[3, 18]].tolist() == ["ann", "bob"]
    assert about.why[[3, 18]].tolist() == ["worst", "random"]
    assert about.posterior[3] == 0.75
    assert np.isnan(about.posterior[18])
    assert not about.decided[[n for n in range(len(examples)) if n not in (3, 18)]].any()
    assert any("2 rows reviewed by people: 1 labels were changed, 1 confirmed" in note for note in examples.notes)
    for name in ("split", "group", "left_out", "file", "row"):
        assert np.array_equal(getattr(examples, name), getattr(plain, name)), name


def test_an_answer_finds_its_row_in_another_file(three, hashes) -> None:
    """Rows are known by what they are, not where they stand."""
    write(three, Answer(row_hash=hashes["train/dev.csv", 1], answer="0"))
    for suffix in (".csv", ".pt"):
        source = three.path(f"train/dev{suffix}")
        source.rename(three.path(f"train/val_moved{suffix}"))
    examples = three.read()
    (row,) = np.flatnonzero(examples.trusted)
    assert (examples.files[examples.file[row]], examples.row[row], examples.labels[row]) == (
        "train/val_moved.csv",
        1,
        0,
    )


def test_an_answer_holds_for_all_duplicates(channels) -> None:
    """In the same split and in others, whichever of them was shown."""
    channels.add("train/train", [0, 1, 0, 1, 0, 1], review=["a", "b", "a", "c", "d", "e"])
    channels.add("train/dev", [0, 1, 1], review=["f", "g", "a"])
    channels.add("train/test", [0, 1], review=["h", "i"])
    plain = channels.read("train")
    (first, *_) = row_hashes(plain.features, plain.texts, len(plain))
    write(channels, Answer(row_hash=first, answer="1"))
    examples = channels.read()
    same = np.array([text == "a" for text in examples.texts])
    assert same.sum() == 3
    assert examples.trusted.tolist() == same.tolist()
    assert (examples.labels[same] == 1).all()


def test_answers_may_be_one_file(three, hashes) -> None:
    """A file in place of the channel's folder is read, and no file beside it."""
    write(three, Answer(row_hash=hashes["train/train.csv", 3], answer="0"))
    three.path("reviewed/other.jsonl").write_text("{")
    examples = reading.read(
        {"train": three.root / "train", "reviewed": three.path("reviewed/reviews.jsonl")}, TrainSettings()
    )
    assert np.flatnonzero(examples.trusted).tolist() == [3]


def test_rows_that_no_class_fits_are_left_out(three, hashes) -> None:
    """Neither trained on nor scored, and without a label; they stay listed."""
    write(three, *(Answer(row_hash=hashes["train/train.csv", n], answer="Neither") for n in (0, 5)))
    write_to = three.path("reviewed/more.csv")
    write_to.write_text(f"row_hash,answer,reviewer\n{hashes['train/test.csv', 0]},neither,bob\n")
    examples = three.read()
    out = [0, 5, 16]
    assert np.flatnonzero(examples.left_out).tolist() == out
    assert (examples.labels[out] == -1).all()
    assert examples.reviews.neither[out].all()
    assert not examples.trusted.any()
    assert any("3 rows left out" in note for note in examples.notes)


def test_what_is_disputed_or_of_other_rows_changes_nothing(three, hashes) -> None:
    """Both are said."""
    found = hashes["train/train.csv", 1]
    strange = Answer(row_hash="0" * 32, answer="1")
    write(three, Answer(row_hash=found, answer="0"), Answer(row_hash=found, answer="1", reviewer="bob"), strange)
    examples = three.read()
    assert examples.labels.tolist() == three.read("train").labels.tolist()
    assert not examples.trusted.any()
    assert any("1 question on which people disagree" in note for note in examples.notes)
    assert any("1 answer on rows that are not in the data" in note for note in examples.notes)


def test_a_class_that_was_a_mistake_goes_with_its_last_row(channels) -> None:
    """A misspelled label that people put right is a class no longer; the labels keep their names."""
    labels = ["bad", "good"] * 5 + ["gud"]
    channels.add("train/train", labels)
    channels.add("train/dev", ["bad", "good"])
    channels.add("train/test", ["bad", "good"])
    plain = channels.read("train")
    *_, last = [*row_hashes(plain.features, plain.texts, len(plain))][:11]
    write(channels, Answer(row_hash=last, answer="good"))
    examples = channels.read()
    assert examples.classes == ("bad", "good")
    assert [examples.classes[label] for label in examples.labels[:11]] == [*labels[:10], "good"]
    assert examples.reviews.given[10] == "gud"
    assert examples.as_given()[:11].tolist() == [0, 1] * 5 + [-1]
    assert any("`gud`" in note for note in examples.notes)


def test_splits_are_drawn_as_without_answers(channels) -> None:
    """What people say of labels moves no row from train to test."""
    channels.add("train/all", [row % 2 for row in range(60)])
    plain = channels.read("train")
    found = [*row_hashes(plain.features, plain.texts, 60)]
    write(channels, *(Answer(row_hash=one, answer="0") for one in found[::3]))
    examples = channels.read()
    assert np.array_equal(examples.split, plain.split)
    assert np.array_equal(examples.row, plain.row)


def test_what_is_wrong_with_answers_comes_with_all_else(three) -> None:
    """A torn file of answers beside a label file without embeddings."""
    three.path("reviewed/reviews.jsonl").write_text("{\n")
    three.path("train/dev.pt").unlink()
    problems = three.problems()
    assert any(problem.startswith("reviewed/reviews.jsonl: line 1") for problem in problems)
    assert any(problem.startswith("train/dev.csv") for problem in problems)


def test_an_answer_that_is_no_class_is_refused(three, hashes) -> None:
    """A decision is never dropped in silence."""
    write(three, Answer(row_hash=hashes["train/train.csv", 1], answer="2"))
    (problem,) = three.problems()
    assert "`2`" in problem
    assert "`0`, `1`" in problem


def test_a_channel_without_answers_is_named(three) -> None:
    """What it should hold is said, and what it holds instead."""
    three.path("reviewed/answers.txt").write_text("x")
    (problem,) = three.problems()
    assert problem.startswith("reviewed: no file of answers (.jsonl or .csv), only `answers.txt`")


def test_a_channel_with_the_page_s_own_file_says_how_to_write_answers(three) -> None:
    """Decisions of the page are not overlooked: alone they are a problem, beside answers a note, both with the command."""
    command = "`relabel review answers review.sqlite --results out/output/data --output reviews.jsonl`"
    three.path("reviewed/review.sqlite").write_bytes(b"SQLite format 3\0")
    (problem,) = three.problems()
    assert command in problem
    three.path("reviewed/reviews.jsonl").write_text("")
    assert [note for note in three.read().notes if command in note]


def test_an_empty_channel_is_a_review_that_has_not_begun(three) -> None:
    """It is said, and the data are as without it."""
    three.path("reviewed/reviews.jsonl").write_text("")
    assert three.read().reviews is None
    three.path("reviewed/reviews.jsonl").unlink()
    examples = three.read()
    assert examples.reviews is None
    assert "reviewed: no answers yet" in examples.notes


def test_a_class_called_neither_cannot_be_reviewed(channels) -> None:
    """It would be taken for the answer that no class fits."""
    channels.add("train/all", ["Neither", "good"] * 30)
    write(channels, Answer(row_hash="0" * 32, answer="good"))
    assert any("rename the class" in problem for problem in channels.problems())
