"""Promises of taking answers over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.reviews import Answer, verdicts
from relabel.results.reviewing import importing


def sheet(*lines: str) -> bytes:
    """Write answers as (row_hash, answer, more ...)."""
    return ("row_hash,answer,reviewer,time,file,row,text\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("name", ["label_studio.json", "label_studio_min.json"])
def test_an_export_of_label_studio_becomes_answers(imported, asked, hashes, name) -> None:
    """Classes by their names, times and people kept; the later annotation of the same person holds; a dispute stays one."""
    found = imported(name)
    assert not found.bad
    assert {answer.source for answer in found.answers} == {"labelstudio"}
    settled = verdicts(found.answers, asked.of_hash())
    by_row = {asked.row_hash[asked.shown[question]]: verdict for question, verdict in settled.items()}
    assert by_row[hashes[0]].answer == "1"
    assert by_row[hashes[1]].answer == "0"
    assert by_row[hashes[1]].reviewers == ("2", "ann@example.org")
    assert by_row[hashes[2]].answer == "neither"
    assert by_row[hashes[4]].answer is None
    (first,) = (answer for answer in found.answers if answer.row_hash == hashes[0])
    assert (first.file, first.row, first.split, first.given, first.suggested) == (
        "train/train.csv",
        0,
        "train",
        "0",
        "1",
    )
    assert (first.posterior, first.why, first.data) == (0.97, "worst", "digest")


def test_an_output_manifest_becomes_answers(imported, hashes) -> None:
    """People's alone."""
    found = imported("output.manifest")
    assert {answer.row_hash: answer.answer for answer in found.answers} == {
        hashes[0]: "1",
        hashes[1]: "0",
        hashes[2]: "neither",
        hashes[4]: "1",
    }
    assert found.open == 2
    assert len(found.asked) == 6


def test_tasks_without_a_hash_are_known_by_their_text(imported, hashes) -> None:
    """So pre-annotations.json, which carries texts alone, can be answered too."""
    export = [
        {
            "id": 1,
            "data": {"text": "A dull mirror"},
            "annotations": [
                {"id": 1, "completed_by": 1, "result": [{"type": "choices", "value": {"choices": ["Negative"]}}]}
            ],
        }
    ]
    (answer,) = imported("x.json", json.dumps(export).encode()).answers
    assert (answer.row_hash, answer.answer, answer.reviewer) == (hashes[6], "0", "1")


def test_every_mistake_is_said_with_its_place_and_without_its_text(imported, hashes) -> None:
    """All of them at once, by kind; the good answers are there all the same."""
    data = sheet(
        f"{hashes[0]},1,ann,,,,The cream is lovely",  # line 2: good
        f"{hashes[1]},2,ann,,,,",  # 3: unknown class, and an empty text
        f"{'0' * 32},1,ann,,train/x.csv,5,secret words",  # unknown row
        f"{'1' * 32},1,ann,,train/train.csv,2,secret words",  # a place whose row is another
        f"{hashes[5]},1,ann,,,,secret words",  # text changed
        f"{hashes[2]},1,ann,,,x,",  # row that is no number
        f"{hashes[6]},0,ann,,,,A dull mirror",  # contradicts the next
        f"{hashes[6]},1,ann,,,,A dull mirror",
        f"{hashes[6]},1,bob,,,,A dull mirror",  # good
        f'{hashes[2]},"{"secret words " * 9}",ann,,,,It came on a Tuesday',
        "torn",
    )
    found = imported("answers.csv", data)
    assert [(answer.row_hash, answer.reviewer) for answer in found.answers] == [(hashes[0], "ann"), (hashes[6], "bob")]
    said = "\n".join(found.problems("answers.csv"))
    assert "secret" not in said
    for line, word in {
        "line 3": "text is another",
        "line 4": "not among the results",
        "line 5": "hash is another",
        "line 6": "text is another",
        "line 7": "no number",
        "line 8, line 9": "contradict",
        "line 11": "an answer that is no class: give one of `Negative`, `Positive`, `Neither`",
        "line 12": "values than the header",
    }.items():
        assert any(line in problem and word in problem for problem in found.problems("answers.csv")), line


def test_an_unknown_class_is_named(imported, hashes) -> None:
    """As long as it is short enough for a name."""
    found = imported("answers.csv", sheet(f"{hashes[0]},Postive,ann,,,,The cream is lovely"))
    assert found.problems("a") == [
        "a: line 2: an answer `Postive` that is no class: give one of `Negative`, `Positive`, `Neither`"
    ]


def test_two_choices_in_one_task_are_no_answer(imported, exports) -> None:
    """The other annotations of the task count."""
    tasks = json.loads((exports / "label_studio.json").read_text())
    tasks[1]["annotations"][2]["result"][0]["value"]["choices"] = ["Positive", "Negative"]
    found = imported("x.json", json.dumps(tasks).encode())
    assert [where for where, _ in found.bad.values()] == ["task 102"]
    assert {answer.reviewer for answer in found.answers if answer.row == 1} == {"ann@example.org"}


@pytest.mark.parametrize(("written", "means"), [("1", "1"), (" 1.0 ", "1"), ("Positive", "1"), ("NEITHER", "neither")])
def test_an_answer_may_be_a_class_or_the_name_that_is_shown(imported, hashes, written, means) -> None:
    """Numbers in any spelling, the names of the interface, and `neither` however it is written."""
    (answer,) = imported("a.csv", sheet(f"{hashes[0]},{written},,,,,")[:-1] + b"The cream is lovely").answers
    assert answer.answer == means
    assert answer.reviewer == "anonymous"


def test_line_ends_that_a_spreadsheet_changed_are_no_other_text(imported, hashes) -> None:
    """A text is compared by its words."""
    found = imported("a.csv", sheet(f'{hashes[1]},0,ann,,,,"The soap is harsh, and\r\nsticky "'))
    assert not found.bad


SAID = st.tuples(st.integers(0, 2), st.sampled_from(["0", "1", "neither"]), st.sampled_from(["ann", "bob", "cleo"]))


@given(st.lists(SAID, max_size=12), st.data())
def test_files_in_any_order_and_any_number_of_times_come_to_the_same(said, data) -> None:
    """The file only grows, a file imported again adds nothing, and the decisions are the same whatever came first."""
    answers = [
        Answer(row_hash=str(question), answer=answer, reviewer=who, time=f"2026-03-02T09:{minute:02d}:00Z")
        for minute, (question, answer, who) in enumerate(said)
    ]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answers)), max_size=3)))
    batches = [answers[a:b] for a, b in zip([0, *cuts], [*cuts, len(answers)], strict=True)]
    of_hash = {str(n): n for n in range(3)}
    expected = verdicts(answers, of_hash)
    known: tuple[Answer, ...] = ()
    for batch in [*data.draw(st.permutations(batches)), *data.draw(st.lists(st.sampled_from(batches), max_size=3))]:
        before = known
        known += importing.added(known, batch)
        assert known[: len(before)] == before
        assert importing.added(known, batch) == ()
    assert sorted(known, key=lambda one: one.time) == answers
    found = verdicts(known, of_hash)
    assert {q: (v.answer, v.reviewers) for q, v in found.items()} == {
        q: (v.answer, v.reviewers) for q, v in expected.items()
    }


def test_going_back_without_a_time_is_noticed() -> None:
    """The same words again look like the same file: nothing is added, and it is said."""
    one, other = (Answer(row_hash="a", answer=answer, reviewer="ann") for answer in ("0", "1"))
    assert importing.added([one, other], [one]) == ()
    assert importing.superseded([one, other], [one]) == 1
    assert importing.superseded([one], [one]) == 0
