"""What people answered when they were asked which label is right: a file that only grows, and what its answers come to.

    reviews.jsonl    one answer a line, as `relabel review import` writes it
    any .csv         the same fields as columns; a line whose `answer` is empty says nothing

An answer is known by the hash of its row, so it finds the row again in whatever file it stands later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from relabel.data import labels, phrases
from relabel.data.formats import csv
from relabel.errors import UserError

NAME = "reviews.jsonl"
SUFFIXES = (".jsonl", ".csv")
NEITHER = "neither"
"""The answer that no class fits, or that nobody can tell."""

ANONYMOUS = "anonymous"
RANDOM = "random"
DISPUTED = "disputed"
"""Why a row is asked about: drawn uniformly, or because two people disagree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One person's answer on one row, and what the person was shown.

    row_hash:  of the row that was shown; the answer holds for all its duplicates.
    answer:    a class, or NEITHER.
    reviewer:  who answered.
    time:      when, as the export says it (ISO 8601), "" where it does not.
    file, row, id, split: where the row stood.
    given, suggested, posterior: its label, the likeliest other one, the probability that the label is wrong.
    why:       why it was asked about.
    source:    format that the answer came in.
    data:      digest of the data that were audited.
    """

    row_hash: str
    answer: str
    reviewer: str = ANONYMOUS
    time: str = ""
    file: str = ""
    row: int | None = None
    id: str = ""
    split: str = ""
    given: str | None = None
    suggested: str | None = None
    posterior: float | None = None
    why: str = ""
    source: str = ""
    data: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells answers apart: the same one, imported a second time, has the same."""
        return self.row_hash, self.reviewer, self.answer, self.time


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the answers on one question come to.

    answer:    a class, NEITHER, or None where it is disputed.
    reviewers: those who gave this answer, or all where it is disputed; sorted.
    first:     the answer that tells best why the question was asked; a uniform draw counts where nothing else asked for it.
    """

    answer: str | None
    reviewers: tuple[str, ...]
    first: Answer


LINE = TypeAdapter(Answer)
COLUMNS = tuple(field.name for field in fields(Answer))


def read(path: Path) -> tuple[Answer, ...]:
    """Read answers in the order of the file.

    Raises UserError with every problem at once; each begins with the file's name, and none quotes a line.
    """
    return _read_csv(path) if path.suffix.lower() == ".csv" else _read_lines(path)


def line(answer: Answer) -> str:
    """Write an answer as it stands in reviews.jsonl, with its line end."""
    return LINE.dump_json(answer).decode() + "\n"


def settled(answers: Sequence[Answer]) -> Verdict:
    """Say what answers on one question, in the order in which they were written down, come to.

    The latest answer of each person counts: by the time that is said, and, where none is said, by the place in the file.
    One answer wins where more people gave it than any other; else the question is disputed.
    """
    votes: dict[str, Answer] = {}
    latest: dict[str, float] = {}
    for answer in answers:
        known = latest.get(answer.reviewer, float("-inf"))
        moment = instant(answer.time)
        if moment is None or moment >= known:
            votes[answer.reviewer] = answer
            latest[answer.reviewer] = known if moment is None else moment
    counted = Counter(vote.answer for vote in votes.values()).most_common(2)
    winner = None if len(counted) > 1 and counted[0][1] == counted[1][1] else counted[0][0]
    who = sorted(name for name, vote in votes.items() if winner in (None, vote.answer))
    return Verdict(winner, tuple(who), min(answers, key=_asked))


def verdicts(answers: Iterable[Answer], question_of: Mapping[str, int]) -> dict[int, Verdict]:
    """Settle every question, given the question that each row hash belongs to; answers on unknown rows count nowhere."""
    by_question: dict[int, list[Answer]] = {}
    for answer in answers:
        if (question := question_of.get(answer.row_hash)) is not None:
            by_question.setdefault(question, []).append(answer)
    return {question: settled(given) for question, given in by_question.items()}


def meant(value: str, classes: Sequence[str]) -> str | None:
    """Give the class that an answer means, or NEITHER; None where it means nothing that is known."""
    if value.strip().casefold() == NEITHER:
        return NEITHER
    (code,) = labels.known([value], classes)
    return None if code == labels.UNLABELLED else classes[code]


def check_classes(classes: Sequence[str]) -> None:
    """Raise UserError where a class has the name of the answer that no class fits."""
    if taken := [name for name in classes if name.casefold() == NEITHER]:
        raise UserError(
            f"a class is called {phrases.names(taken)}, which is the answer that no class fits: rename the class"
        )


def instant(time: str) -> float | None:
    """Give seconds since 1970 of a time in ISO 8601, UTC where it names no zone; None where there is none."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _asked(answer: Answer) -> tuple[bool, bool, float, str]:
    """Order answers so that the one that tells best why the question was asked comes first, in whatever order they came."""
    moment = instant(answer.time)
    late = float("inf") if moment is None else moment
    return answer.why in ("", DISPUTED), answer.why == RANDOM, late, answer.reviewer


def _read_lines(path: Path) -> tuple[Answer, ...]:
    answers, torn = [], []
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, text in enumerate(file, 1):
            try:
                answers.append(LINE.validate_json(text, strict=True))
            except ValidationError:  # its message quotes the line
                torn.append(number)
    if torn:
        seen = f"line {torn[0]} is" if len(torn) == 1 else f"{len(torn):,} lines, line {torn[0]} first, are"
        raise UserError(f"{path.name}: {seen} no answer: give the file as `relabel review import` wrote it")
    return tuple(answers)


def _read_csv(path: Path) -> tuple[Answer, ...]:
    try:
        table = csv.read(path, COLUMNS)
    except UserError as error:
        raise UserError(*(f"{path.name}: {problem}" for problem in error.problems)) from None
    if missing := [name for name in ("row_hash", "answer") if name not in table.values]:
        seen = phrases.names(table.header)
        raise UserError(
            f"{path.name}: no column {phrases.names(missing)}, only {seen}: give both, as the exported file has them"
        )
    answers, torn = [], []
    for row in range(table.rows):
        said = {name: values[row] for name, values in table.values.items() if values[row].strip()}
        if "answer" not in said:
            continue
        try:
            answers.append(LINE.validate_python(said))
        except ValidationError:
            torn.append(row)
    if torn:
        raise UserError(
            f"{path.name}: {phrases.rows(torn)} without a row_hash, or with a `row` or `posterior` that is no number"
        )
    return tuple(answers)
