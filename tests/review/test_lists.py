"""Promises of lists."""

import time

import pytest

from relabel.review import lists
from relabel.review.lists import Lists, Wish


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Caf\u00e9  au\nlait", "cafe au LAIT"),
        ("cafe\u0301", "Caf\u00e9"),
        ("Stra\u00dfe", "strasse"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
    ],
)
def test_words_are_found_without_case_accents_and_runs_of_spaces(text, words) -> None:
    """In whatever form either is written."""
    assert lists.folded(words) in lists.folded(text)


def test_no_run_of_marks_takes_long() -> None:
    """Sorting so many at once would take minutes."""
    begun = time.process_time()
    assert lists.folded("A" + "\u0301\u0316" * 150_000) == "a"
    assert time.process_time() - begun < 3


def test_filters_meet_and_pages_follow_each_other(seat, decide) -> None:
    """Worst first; what a person did is told to that person; all pages together are all that was found."""
    desk = seat()
    decide(desk, 4, "ann", "1")
    decide(desk, 5, "ann", None)
    found = Lists(desk)
    assert found.found(Wish(state="mine", name="ann")).tolist() == [4]
    assert found.found(Wish(state="skipped", name="ann")).tolist() == [5]
    assert found.found(Wish(state="mine", name="bob")).size == 0
    assert found.found(Wish(state="open")).size == len(desk.questions) - 1
    assert found.page(Wish(text="review 5 of"), 0)["items"][0]["text"].startswith("review 5 of")
    pages = [found.page(Wish(), first)["items"] for first in (0, lists.SHOWN)]
    assert [len(page) for page in pages] == [lists.SHOWN, len(desk.questions) - lists.SHOWN]
    assert len({item["id"] for page in pages for item in page}) == len(desk.questions)
