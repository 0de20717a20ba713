"""Answers of a file taken over, once they are found to be about rows that were audited. No files here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from relabel.data import phrases
from relabel.data.reviews import ANONYMOUS, Answer
from relabel.results.reviewing import wording
from relabel.results.reviewing.entries import Entry, Reading
from relabel.results.reviewing.questions import Questions

SHOWN = 20
"""Records that a message names; the file of bad ones has all."""

UNKNOWN = "of a row that is not among the results"
OTHER = "of a row whose hash is another than in the results: of other data"
CHANGED = "whose text is another than in the results"
SEVERAL = "with two answers or more where one is asked for"
CONTRADICTING = "with answers of one reviewer that contradict each other, and no time tells which holds"


@dataclass(frozen=True, slots=True)
class Import:
    """What a file came to.

    answers:  good ones, in the order of the file.
    bad:      record -> (where it stands, what is wrong with it).
    asked:    rows that the file asks about.
    open:     of these, how many nobody answered.
    passed:   what was left aside, by reason.
    """

    answers: tuple[Answer, ...]
    bad: dict[int, tuple[str, str]]
    asked: frozenset[str]
    open: int
    passed: Counter[str]

    def problems(self, name: str) -> list[str]:
        """Say all that is wrong, by kind, with the places; never a text."""
        by_kind: dict[str, list[str]] = defaultdict(list)
        for _, (where, what) in sorted(self.bad.items()):
            by_kind[what].append(where)
        return [f"{name}: {_places(places)}: {what}" for what, places in by_kind.items()]


class Rows:
    """The audited rows, found by what a file says of them."""

    def __init__(self, questions: Questions) -> None:
        self.questions = questions
        self.by_hash = {found: n for n, found in enumerate(questions.row_hash.tolist())}
        self.by_place = {place: n for n, place in enumerate(zip(questions.file, questions.row.tolist(), strict=True))}
        self.by_text = {text: n for n, text in enumerate(questions.text.tolist()) if text}

    def find(self, entry: Entry) -> tuple[int, str]:
        """Give the row that an entry is about, and what is wrong, "" where nothing is; the row is -1 where it is not found.

        By its hash; where the record has none, by its text, which duplicates share, so it means one question.
        """
        if not entry.row_hash:
            n = self.by_text.get(entry.text or "", -1)
            return n, "" if n >= 0 else UNKNOWN
        n = self.by_hash.get(entry.row_hash, -1)
        if n < 0:
            return n, OTHER if (entry.file, entry.row) in self.by_place else UNKNOWN
        return n, "" if entry.text is None or _same(self.questions.text[n] or "", entry.text) else CHANGED


def _same(known: str, said: str) -> bool:
    """Tell whether a text is the one that was asked about: spreadsheets change line ends, and some drop the mark before what looks like a formula."""
    return known.split() in (said.split(), said.removeprefix("'").split())


def taken(reading: Reading, rows: Rows, *, reviewer: str, source: str) -> Import:
    """Check what was read against the audited rows.

    reviewer: who answered, where the file does not say it.
    source:   name of the format.

    Good answers of a record count where another of the same record is bad.
    """
    bad = dict(reading.torn)
    found: list[tuple[Entry, Answer]] = []
    places = [rows.find(entry) for entry in reading.entries]
    for entry, (n, wrong) in zip(reading.entries, places, strict=True):
        if not entry.choices:
            continue
        meant = wording.meant(entry.choices[0], rows.questions.classes)
        several = SEVERAL if len(entry.choices) > 1 else ""
        if problem := wrong or several or ("" if meant else _unknown(entry.choices[0], rows.questions.classes)):
            bad.setdefault(entry.record, (entry.where, problem))
        else:
            who = entry.reviewer or reviewer or ANONYMOUS
            answer = rows.questions.answered(
                n, answer=meant or "", reviewer=who, time=entry.time, why=entry.why, source=source
            )
            found.append((entry, answer))
    contradicting = _contradicting([answer for _, answer in found], rows)
    bad |= {
        entry.record: (entry.where, CONTRADICTING) for entry, answer in found if _said(answer, rows) in contradicting
    }
    asked = {rows.questions.row_hash[n] for n, _ in places if n >= 0}
    decided = {
        rows.questions.row_hash[n] for entry, (n, _) in zip(reading.entries, places, strict=True) if entry.choices
    }
    return Import(
        answers=tuple(answer for _, answer in found if _said(answer, rows) not in contradicting),
        bad=bad,
        asked=frozenset(asked),
        open=len(asked - decided),
        passed=+reading.passed,
    )


def added(known: Sequence[Answer], new: Sequence[Answer]) -> tuple[Answer, ...]:
    """Give those of the new answers that are not among the known ones."""
    seen = {answer.key for answer in known}
    fresh = {answer.key: answer for answer in new if answer.key not in seen}
    return tuple(fresh.values())


def superseded(known: Sequence[Answer], new: Sequence[Answer]) -> int:
    """Count new answers that are known already, without a time, but were followed by another of the same person: they change nothing."""
    last = {(answer.row_hash, answer.reviewer): answer.answer for answer in known}
    seen = {answer.key for answer in known}
    return sum(
        answer.key in seen and not answer.time and last[answer.row_hash, answer.reviewer] != answer.answer
        for answer in new
    )


def _unknown(choice: str, classes: Sequence[str]) -> str:
    """Say that a choice is no class; a long one is a text, and is not quoted."""
    seen = f" {phrases.name(choice)}" if len(choice) <= phrases.LONGEST else ""
    return f"an answer{seen} that is no class: give one of {phrases.names(wording.choices(classes))}"


def _said(answer: Answer, rows: Rows) -> tuple[int, str, str]:
    """What one person can say but once: the question, who, when."""
    return int(rows.questions.question[rows.by_hash[answer.row_hash]]), answer.reviewer, answer.time


def _contradicting(answers: Sequence[Answer], rows: Rows) -> set[tuple[int, str, str]]:
    """What was said in more ways than one."""
    said: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    for answer in answers:
        said[_said(answer, rows)].add(answer.answer)
    return {key for key, ways in said.items() if len(ways) > 1}


def _places(places: Sequence[str]) -> str:
    """Say where, the first few of many: `line 3, line 7`."""
    more = f" and {len(places) - SHOWN:,} more" if len(places) > SHOWN else ""
    return ", ".join(places[:SHOWN]) + more
