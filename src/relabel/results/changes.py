"""What a policy or a person did to a row: a line of the journal, read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from relabel.data import phrases
from relabel.errors import UserError

WEIGHT, SHARE = "weight", "p_"
"""Columns of a treated table: a row's weight, and how likely each class is, `p_` and its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed row.

    file, row: where it stands in the original data: the label file as `channel/name`, and the record's number in it from 0.
    decision:  drop, flip, weight or soft, or review where a person decided.
    old_label, new_label: class names; a dropped row has no new one, nor has one that a person said no class fits.
    posterior: probability that the old label is wrong.
    text:      its text, None where the data has none.
    reviewer:  the person who decided, None where the policy did.
    data:      digest of the data.
    split:     train, dev or test.
    """

    file: str
    row: int
    id: str
    row_hash: str
    decision: str
    old_label: str
    new_label: str | None
    posterior: float
    text: str | None = None
    reviewer: str | None = None
    data: str
    split: str = "train"

    @property
    def place(self) -> tuple[str, int]:
        """File and row."""
        return self.file, self.row


LINE = TypeAdapter(Change)


def read(path: Path) -> tuple[Change, ...]:
    """Read a journal.

    Raises UserError with every problem at once: lines that are none of a journal's, two changes of one row, changes of
    more than one data set.
    """
    changes, torn = [], []
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, 1):
            try:
                changes.append(LINE.validate_json(line, strict=True))
            except ValidationError:  # its message quotes the line
                torn.append(number)
    problems = [f"{path.name}: {_lines(torn)} no change of a row: give the file as the job wrote it"] if torn else []
    if problems := [*problems, *_mixed(path.name, changes)]:
        raise UserError(*problems)
    return tuple(changes)


def _lines(numbers: list[int]) -> str:
    return f"line {numbers[0]} is" if len(numbers) == 1 else f"{len(numbers):,} lines, line {numbers[0]} first, are"


def _mixed(name: str, changes: list[Change]) -> Iterator[str]:
    """Say what tells that lines of several journals are in one file."""
    if len(digests := sorted({change.data for change in changes})) > 1:
        yield f"{name}: changes of {len(digests)} data sets ({phrases.names(digests)}): give the journal of one job"
    count = Counter(change.place for change in changes)
    if twice := [row for (_, row), times in count.items() if times > 1]:
        yield f"{name}: {phrases.rows(twice)} changed more than once: give the journal of one job"
