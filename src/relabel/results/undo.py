"""Taking changes back: which of a journal's, and what that means for a table of labels. No files here.

Letters: N records of the table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from relabel.data import phrases
from relabel.errors import UserError
from relabel.results.changes import Change

KNOWN = ("drop", "flip", "weight", "soft", "review")
"""Decisions that can be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which changes are taken back: those that meet all that is given.

    decision: drop, flip or review.
    above, below: posterior of at least, and of less than this.
    rows:     (file, row) of rows, or ids. What a person decided is taken back only where the row is named here.
    """

    decision: str | None = None
    above: float | None = None
    below: float | None = None
    rows: Collection[tuple[str, int] | str] | None = None

    def takes(self, change: Change) -> bool:
        """Tell whether a change is among them."""
        return (
            (self.decision is None or change.decision == self.decision)
            and (self.above is None or change.posterior >= self.above)
            and (self.below is None or change.posterior < self.below)
            and (change.reviewer is None if self.rows is None else change.place in self.rows or change.id in self.rows)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table of labels (N), as it was found.

    name:       for messages.
    places:     (N) file and row in the original data.
    labels:     (N) class names.
    in_part:    records that count in part only: they have a weight below 1, or soft labels.
    texts, ids: (N), or None where the table has no such column.
    complete:   it has every row of its file: dropped ones are still there.
    """

    name: str
    places: Sequence[tuple[str, int]]
    labels: Sequence[str]
    texts: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    complete: bool = False
    in_part: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is done to a table.

    labels: record -> the label it gets back, and counts for alone and as a whole.
    back:   rows that come back, each with the record that it stands before; in their order.
    before: chosen changes that were taken back before.
    """

    labels: dict[int, str]
    back: tuple[tuple[int, Change], ...]
    before: int


def plan(changes: Sequence[Change], chosen: Collection[tuple[str, int]], listing: Listing) -> Undoing:
    """Say how the chosen changes (places) of a journal are taken back in a table. Done a second time, it changes nothing.

    A flipped row gets its old label; a dropped one comes back in its place; one that was weighed down or given soft labels counts for its
    label again. What a person decided is taken back likewise.
    The other rows stay as they are.

    Raises UserError with every problem at once: rows that are there twice, rows that are others than the journal's (by
    text or id), chosen rows that carry neither label, or were flipped and are missing.
    """
    record = {place: n for n, place in enumerate(listing.places)}
    if len(record) < len(listing.places):
        twice = [row for n, (file, row) in enumerate(listing.places) if record[file, row] != n]
        raise UserError(f"{listing.name}: {phrases.rows(twice)} more than once: keep one record of each")
    taken = [change for change in changes if change.place in chosen]
    if problems := [*_others(changes, listing, record), *_unfit(taken, listing, record)]:
        raise UserError(*problems)
    labels = {
        record[change.place]: change.old_label
        for change in taken
        if change.place in record
        and (listing.labels[record[change.place]] != change.old_label or record[change.place] in listing.in_part)
    }
    missing = sorted((change for change in taken if change.place not in record), key=lambda change: change.place)
    ordered = sorted(record.items())
    keys = [place for place, _ in ordered]
    back = [(_before(change.place, keys, ordered), change) for change in missing]
    return Undoing(labels, tuple(sorted(back, key=lambda pair: pair[0])), len(taken) - len(labels) - len(missing))


def _before(place: tuple[str, int], keys: list[tuple[str, int]], ordered: list[tuple[tuple[str, int], int]]) -> int:
    """The record that a missing row stands before: the one after its neighbour above, or else its neighbour below."""
    at = bisect_left(keys, place)
    if at:
        return ordered[at - 1][1] + 1
    return ordered[0][1] if ordered else 0


def _others(changes: Sequence[Change], listing: Listing, record: dict[tuple[str, int], int]) -> list[str]:
    """Rows that are not those of the journal, whether they are chosen or not: the two do not belong together."""
    problems = []
    found = [(change, record[change.place]) for change in changes if change.place in record]
    texts, ids = listing.texts, listing.ids
    kinds: dict[str, Callable[[Change, int], bool]] = {
        "another text": lambda change, n: texts is not None and change.text is not None and texts[n] != change.text,
        "another id": lambda change, n: ids is not None and bool(ids[n]) and bool(change.id) and ids[n] != change.id,
    }
    for what, differs in kinds.items():
        if rows := [change.row for change, n in found if differs(change, n)]:
            problems.append(
                f"{listing.name}: {phrases.rows(rows)}, of {len(found):,} that the journal names, with {what} than there: "
                "give the labels and the journal of one job"
            )
    return problems


def _unfit(taken: Sequence[Change], listing: Listing, record: dict[tuple[str, int], int]) -> list[str]:
    """What hinders the chosen changes from being taken back."""
    problems = []
    missing = [change for change in taken if change.place not in record]
    if unknown := sorted({change.decision for change in taken} - {*KNOWN}):
        problems.append(
            f"the journal has the decision {phrases.names(unknown)}: only {' and '.join(KNOWN)} can be undone"
        )
    if elsewhere := [change.row for change in missing if not listing.complete and change.split != "train"]:
        problems.append(
            f"{listing.name}: {phrases.rows(elsewhere)} of dev or test, which it does not have: give the label file of that split"
        )
        missing = [change for change in missing if change.split == "train"]
    if lost := [change.row for change in missing if listing.complete or change.new_label is not None]:
        problems.append(
            f"{listing.name}: {phrases.rows(lost)} of the journal missing: give the labels and the journal of one job, "
            "with all rows that are not dropped"
        )
    if listing.texts is not None and (silent := [change.row for change in missing if change.text is None]):
        problems.append(f"{listing.name}: {phrases.rows(silent)} dropped, and the journal has no text to give back")
    strange = [
        change
        for change in taken
        if change.place in record and listing.labels[record[change.place]] not in (change.old_label, change.new_label)
    ]
    if strange:
        first = strange[0]
        seen = phrases.name(listing.labels[record[first.place]])
        expected = " or ".join(map(phrases.name, filter(None, (first.old_label, first.new_label))))
        problems.append(
            f"{listing.name}: {phrases.rows([change.row for change in strange])} with labels that are neither the old nor "
            f"the new one (seen {seen}, expected {expected}): someone changed them since; choose other rows"
        )
    return problems
