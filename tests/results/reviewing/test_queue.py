"""Promises of the queue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.reviews import Answer, settled
from relabel.results.reviewing import questions, queue


def numbered(count, made, **changed) -> questions.Questions:
    """Make questions of single rows whose posteriors fall."""
    rows = [(f"t{n}", "0", "1", 1 - n / count, n < count // 5, "train", "train/a.csv", n) for n in range(count)]
    return questions.gathered(made(rows, **changed), ("0", "1"), "d")


def answers(asked, question, *said):
    """Settle answers of ann, bob, … on a question."""
    found = asked.row_hash[asked.shown[question]]
    return settled([Answer(row_hash=found, answer=answer, reviewer=f"person {n}") for n, answer in enumerate(said)])


def test_one_question_stands_for_all_duplicates(asked) -> None:
    """Its value counts all its rows, and at least the labels that cannot all be right; its most doubtful row is shown."""
    assert len(asked) == 6
    (pair,) = np.flatnonzero(asked.conflict)
    assert asked.size[pair] == 2
    assert asked.value[pair] == 1.0, "0.02 and 0.4 sum to less than the one label that is surely wrong"
    assert asked.row[asked.shown[pair]] == 4
    assert asked.flagged[pair]


def test_conflicts_come_first_then_the_likeliest_errors(asked) -> None:
    """And every item says why it is there."""
    drawn = queue.drawn(asked, np.ones(6, bool), {}, count=4, random_share=0, seed=0)
    assert drawn.why == ("conflict", "worst", "worst", "worst")
    assert asked.wrong[asked.shown[drawn.question]].tolist() == [0.4, 0.97, 0.9, 0.6]


def test_settled_questions_are_not_asked_again_and_disputed_ones_come_first(asked) -> None:
    """An answer settles; contradicting answers of two people ask again."""
    order = queue.drawn(asked, np.ones(6, bool), {}, count=6, random_share=0, seed=0).question.tolist()
    verdicts = {order[0]: answers(asked, order[0], "1"), order[4]: answers(asked, order[4], "1", "0")}
    again = queue.drawn(asked, np.ones(6, bool), verdicts, count=6, random_share=0, seed=0)
    assert again.question.tolist() == [order[4], *order[1:4], order[5]]
    assert again.why[0] == "disputed"


def test_rows_reviewed_before_the_audit_are_not_asked(made) -> None:
    """They are trusted, or people said that no class fits."""
    asked = numbered(10, made, reviewed=[n == 0 for n in range(10)])
    drawn = queue.drawn(asked, np.ones(10, bool), {}, count=10, random_share=0, seed=0)
    assert drawn.question.tolist() == [*range(1, 10)]


def test_only_wanted_splits_are_asked(asked) -> None:
    """Here those of train."""
    drawn = queue.drawn(asked, asked.split == 0, {}, count=9, random_share=0.5, seed=0)
    assert len(drawn) == 5


@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 9))
def test_no_question_is_asked_twice_and_the_share_is_kept(count, share, seed) -> None:
    """The worst ones are a head of the order without gaps, the drawn ones are from behind it, and the same seed draws the same."""
    size = 50
    asked = drawn_from(size)
    drawn = queue.drawn(asked, np.ones(size, bool), {}, count=count, random_share=share, seed=seed)
    places = min(count, size)
    chance = [q for q, why in zip(drawn.question.tolist(), drawn.why, strict=True) if why == "random"]
    worst = [q for q, why in zip(drawn.question.tolist(), drawn.why, strict=True) if why != "random"]
    assert len(set(drawn.question.tolist())) == len(drawn) == places
    assert len(chance) == round(share * places)
    assert worst == [*range(len(worst))]
    assert min(chance, default=size) >= len(worst)
    again = queue.drawn(asked, np.ones(size, bool), {}, count=count, random_share=share, seed=seed)
    assert again.question.tolist() == drawn.question.tolist()


def drawn_from(size) -> questions.Questions:
    """Make single-row questions without the fixtures, which drawn examples would share."""
    falling = 1 - np.arange(size) / size
    empty = np.full(size, "", np.object_)
    return questions.Questions(
        **dict.fromkeys(("file", "id", "row_hash", "text", "given", "suggested"), empty),
        **dict.fromkeys(("row", "question", "shown"), np.arange(size)),
        **dict.fromkeys(("wrong", "value"), falling),
        split=np.zeros(size, np.uint8),
        size=np.ones(size, np.int64),
        **dict.fromkeys(("conflict", "flagged", "reviewed"), np.zeros(size, bool)),
        classes=("0", "1"),
        data="d",
    )


def test_the_draw_is_uniform_over_what_is_not_among_the_worst() -> None:
    """Over many seeds every other question comes equally often, and at every place of the queue."""
    asked, times, places = drawn_from(30), np.zeros(30), np.zeros(10)
    for seed in range(2000):
        drawn = queue.drawn(asked, np.ones(30, bool), {}, count=10, random_share=0.2, seed=seed)
        chance = np.array(drawn.why) == "random"
        times[drawn.question[chance]] += 1
        places += chance
    assert not times[:8].any()
    assert times[8:].sum() == 4000
    assert np.abs(times[8:] - 4000 / 22).max() < 5 * np.sqrt(4000 / 22)
    assert np.abs(places - 400).max() < 5 * np.sqrt(400)


def test_results_of_an_older_version_are_refused(tmp_path, made) -> None:
    """Without hashes no answer finds its row again."""
    from relabel.errors import UserError  # noqa: PLC0415
    from relabel.results import audit_table, columns  # noqa: PLC0415

    with pytest.raises(UserError, match="output/data"):
        questions.read(tmp_path)
    old = made().drop_columns(["row_hash"])
    columns.write_parquet(tmp_path / audit_table.NAME, [{name: old[name] for name in old.column_names}])
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(UserError, match="no column `row_hash`: run the job again"):
        questions.read(tmp_path)
