"""Promises of what people's answers come to, and of the file that keeps them."""

import itertools

import pytest

from relabel.data import reviews
from relabel.data.reviews import Answer, line, settled
from relabel.errors import UserError


def said(answer, who="ann", time="", **about) -> Answer:
    """An answer on one row."""
    return Answer(row_hash="a", answer=answer, reviewer=who, time=time, **about)


def test_two_who_disagree_settle_nothing_and_a_third_decides() -> None:
    """Neither wins; then the majority does, and those who were of it are named."""
    assert settled([said("0"), said("1", "bob")]).answer is None
    assert settled([said("0"), said("1", "bob")]).reviewers == ("ann", "bob")
    verdict = settled([said("0"), said("1", "bob"), said("1", "cleo")])
    assert (verdict.answer, verdict.reviewers) == ("1", ("bob", "cleo"))
    assert settled([said("0"), said("1", "bob"), said("neither", "cleo")]).answer is None


def test_a_later_answer_of_the_same_person_replaces_the_earlier() -> None:
    """By the times that are said, in whatever order they came and however they are written."""
    times = ("2026-03-02T09:00:00Z", "2026-03-02T12:00:00+02:00", "2026-03-02T11:00:00.5")
    answers = [said(answer, time=time) for answer, time in zip("001", times, strict=True)]
    for order in itertools.permutations(answers):
        assert settled(order).answer == "1"


def test_without_times_the_place_in_the_file_tells() -> None:
    """An answer without a time comes after all before it."""
    assert settled([said("0"), said("1")]).answer == "1"
    assert settled([said("0", time="2026-03-02T09:00:00Z"), said("1")]).answer == "1"
    assert settled([said("1"), said("0", time="2026-03-02T09:00:00Z")]).answer == "0"
    assert settled([said("0", time="yesterday"), said("1", time="earlier")]).answer == "1"


def test_what_was_asked_for_a_reason_was_not_drawn_by_chance() -> None:
    """Only what nothing but chance asked for counts as drawn, even where it is asked again for a dispute."""
    assert settled([said("0", why="random"), said("1", "bob", why="worst")]).first.why == "worst"
    assert settled([said("0", why="disputed"), said("1", "bob", why="random")]).first.why == "random"


def test_lines_come_back_as_they_were(tmp_path) -> None:
    """With what a text may hold, and with nothing known but the answer."""
    full = said(
        "1", id='é"\u2028', row=3, given="0", suggested="1", posterior=0.25, why="worst", source="csv", data="d"
    )
    path = tmp_path / "reviews.jsonl"
    path.write_text(line(full) + line(said("neither")))
    assert reviews.read(path) == (full, said("neither"))


@pytest.mark.parametrize("torn", ["{", "{}", '{"row_hash": "a", "answer": 1}', ""])
def test_a_torn_line_is_named_and_not_quoted(tmp_path, torn) -> None:
    """Nothing of the file is taken."""
    path = tmp_path / "reviews.jsonl"
    path.write_text(f"{line(said('1'))}{torn}\n{line(said('1'))}")
    with pytest.raises(UserError, match=r"reviews.jsonl: line 2 is no answer"):
        reviews.read(path)


def test_a_sheet_gives_its_answered_rows(tmp_path) -> None:
    """By the names of the columns; empty answers say nothing."""
    path = tmp_path / "answers.csv"
    path.write_text("text,answer,row_hash,row,posterior,why\nx,1,a,5,0.5,random\ny,,b,6,0.5,worst\n")
    (answer,) = reviews.read(path)
    assert (answer.row_hash, answer.answer, answer.row, answer.posterior, answer.why) == ("a", "1", 5, 0.5, "random")
    assert answer.reviewer == "anonymous"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("text,label\nx,1\n", "no column `row_hash`, `answer`"),
        ("row_hash,answer,row\na,1,x\n", "row 0"),
        ("row_hash,answer\na,1,2\n", "more or fewer"),
    ],
)
def test_a_sheet_of_something_else_is_refused(tmp_path, text, word) -> None:
    """With its name and what it must have."""
    path = tmp_path / "answers.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"answers.csv: .*{word}"):
        reviews.read(path)
