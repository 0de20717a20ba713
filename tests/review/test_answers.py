"""Promises of answers as files."""

import pytest
from click.testing import CliRunner

from relabel.cli.review import command
from relabel.data import reviews
from relabel.results.reviewing import importing
from relabel.results.reviewing.formats import FORMATS
from relabel.review import answers
from relabel.review.desk import Person

PEOPLE = ("ann", "Zoë, the 2nd", "=cmd")


@pytest.fixture
def answered(seat, decide):
    """Give a desk with answers of every kind: a change of mind, a dispute, a skip, one taken back, `neither`, a hostile text."""
    desk = seat()
    for question, name, answer in (
        (0, "ann", "0"),
        (0, "ann", "1"),
        (1, PEOPLE[1], "neither"),
        (2, PEOPLE[2], "1"),
        (2, "ann", "0"),
        (3, "ann", None),
        (7, "ann", "1"),
    ):
        decide(desk, question, name, answer, "worst")
    desk.withdraw(desk.decisions("ann")[0].id, Person("ann", "w1"))
    return desk


@pytest.mark.parametrize("form", ["csv", "jsonl", "labelstudio", "groundtruth"])
def test_every_format_reads_back_to_the_same_answers(answered, form) -> None:
    """Who said what of which row, when and why; not what was skipped or taken back."""
    given = answered.answered()
    assert len(given) == 5
    data = answers.exported(form, answered.questions, (), given)
    rows = importing.Rows(answered.questions)
    found = importing.taken(FORMATS[form].read(data), rows, reviewer="", source=answers.SOURCE)
    assert not found.bad
    assert found.answers == given
    assert found.open == 0


def test_what_a_training_job_takes_has_the_earlier_answers_too(answered, tmp_path) -> None:
    """They stand first, each once, and mean the same when they are read."""
    given = answered.answered()
    earlier = (reviews.Answer(row_hash="elsewhere", answer="1", reviewer="eve"), given[0])
    path = tmp_path / "reviews.jsonl"
    path.write_bytes(answers.exported(answers.REVIEWS, answered.questions, earlier, given))
    assert reviews.read(path) == (*earlier, *given[1:])


@pytest.mark.parametrize("form", [*answers.SUFFIX])
def test_the_command_writes_what_the_page_does(answered, results, tmp_path, form) -> None:
    """And `relabel review import` takes it."""
    output = tmp_path / f"answers{answers.SUFFIX[form]}"
    done = CliRunner().invoke(
        command,
        [
            "answers",
            str(tmp_path / "review.sqlite"),
            "--results",
            str(results),
            "--output",
            str(output),
            "--format",
            form,
        ],
    )
    assert done.exit_code == 0, done.output
    assert "5 answers of 3 people" in done.output
    assert output.read_bytes() == answers.exported(form, answered.questions, (), answered.answered())
    if form == answers.REVIEWS:
        return
    into = tmp_path / "into.jsonl"
    taken = CliRunner().invoke(command, ["import", str(output), "--results", str(results), "--reviews", str(into)])
    assert taken.exit_code == 0, taken.output
    assert [answer.key for answer in reviews.read(into)] == [answer.key for answer in answered.answered()]
