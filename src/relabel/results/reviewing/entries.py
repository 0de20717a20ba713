"""What formats turn questions from, and answers into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from relabel.data.reviews import Answer
from relabel.results.reviewing.questions import Questions
from relabel.results.reviewing.queue import Queue

FIELDS = (
    *("text", "given", "suggested", "posterior", "answer", "reviewer", "time", "why"),
    *("split", "file", "row", "row_id", "row_hash"),
)
"""What a question is in a file, in the order in which people read it; `answer`, `reviewer` and `time` are theirs to fill in."""

DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one record of a file says of one question.

    record:    the record's number in the file, from 0; several entries may come from one record.
    where:     the record as people find it: `line 7`, `task 12`.
    choices:   what was chosen; none where nobody answered yet, one in an answer.
    row_hash, file, row, text: which question it is, as far as the record says.
    """

    record: int
    where: str
    choices: tuple[str, ...] = ()
    reviewer: str = ""
    time: str = ""
    row_hash: str = ""
    file: str = ""
    row: int | None = None
    text: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is in a file of answers.

    entries: in the order of the file.
    torn:    record -> (where it stands, what is wrong), for records that cannot be read.
    passed:  how many records or annotations were left aside, by reason: they are no decisions of people.
    """

    entries: list[Entry] = field(default_factory=list)
    torn: dict[int, tuple[str, str]] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)


class Format(Protocol):
    """A kind of file: questions to bytes, bytes to answers. A module with these names is one."""

    def write(self, records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
        """Give the file of the questions, records of FIELDS."""
        ...

    def answered(self, records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
        """Give the file of answers, records of FIELDS with `answer`, `reviewer` and `time`, as `read` takes it."""
        ...

    def companions(self, classes: Sequence[str]) -> dict[str, bytes]:
        """Give what stands beside the file, by the end of its name: how a tool is set up for these questions."""
        ...

    def read(self, data: bytes, attribute: str = "") -> Reading:
        """Read answers. Raises UserError where the file is none of this format.

        attribute: name of the answers in the records, where the format lets people choose it.
        """
        ...

    def cut(self, data: bytes, records: Collection[int]) -> bytes:
        """Give the file with these records alone, each as it stood."""
        ...


def records(questions: Questions, queue: Queue) -> list[dict[str, Any]]:
    """Give the questions of a queue as records of FIELDS, unanswered."""
    return [
        _record(questions, int(questions.shown[question]), why=why)
        for question, why in zip(queue.question.tolist(), queue.why, strict=True)
    ]


def answered(questions: Questions, answers: Iterable[Answer], place: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give answers as records of FIELDS.

    place: row hash -> row.
    """
    return [
        _record(questions, place[one.row_hash], why=one.why)
        | {"answer": one.answer, "reviewer": one.reviewer, "time": one.time}
        for one in answers
    ]


def _record(questions: Questions, row: int, *, why: str) -> dict[str, Any]:
    return {
        "text": questions.text[row] or "",
        "given": questions.given[row],
        "suggested": questions.suggested[row],
        "posterior": round(float(questions.wrong[row]), DIGITS),
        "answer": "",
        "reviewer": "",
        "time": "",
        "why": why,
        "split": questions.split_name(int(questions.question[row])),
        "file": questions.file[row],
        "row": int(questions.row[row]),
        "row_id": questions.id[row],
        "row_hash": questions.row_hash[row],
    }
