"""People's answers put into the data: their labels replace the given ones, in every split, and are trusted.

Letters: N rows, G duplicate groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from relabel.data import identity, phrases, reviews
from relabel.data.examples import Examples, Reviews
from relabel.data.labels import UNLABELLED
from relabel.data.layout import REVIEWED
from relabel.data.reviews import NEITHER, Answer, Verdict
from relabel.errors import UserError

UNASKED = -2
"""Code of a group that nobody decided on."""


def read(paths: Sequence[Path]) -> tuple[tuple[Answer, ...], tuple[str, ...]]:
    """Read the answers of all files, in their order, and what is wrong; each problem begins with `reviewed/file`."""
    answers: list[Answer] = []
    problems: list[str] = []
    for path in paths:
        try:
            answers += reviews.read(path)
        except UserError as error:
            problems += [f"{REVIEWED}/{problem}" for problem in error.problems]
    return tuple(answers), tuple(problems)


def applied(examples: Examples, answers: Sequence[Answer]) -> Examples:
    """Put answers into the data; each holds for all rows of its duplicate group.

    The label becomes the answer, and is trusted. Where the answer is that no class fits, the rows are unlabelled and left
    out. Where people disagree nothing changes. A class that no row has any more is a class no longer.

    Raises UserError where an answer is no class, or a class has the name of the answer that none fits.
    """
    reviews.check_classes(examples.classes)
    meant = [reviews.meant(answer.answer, examples.classes) for answer in answers]
    if unknown := sorted({a.answer for a, known in zip(answers, meant, strict=True) if known is None}):
        raise UserError(
            f"{REVIEWED}: {phrases.counted(len(unknown), 'answer')} that is no class of the data, {phrases.names(unknown)}: "
            f"give one of {phrases.names(examples.classes)}, or `{NEITHER}`"
        )
    spelled = [replace(a, answer=known or "") for a, known in zip(answers, meant, strict=True)]
    group_of = _groups(examples, {answer.row_hash for answer in answers})
    verdicts = reviews.verdicts(spelled, group_of)
    strange = sum(answer.row_hash not in group_of for answer in answers)
    after = _relabelled(examples, verdicts)
    return replace(after, notes=(*examples.notes, *_notes(examples, after, verdicts, strange)))


def _groups(examples: Examples, wanted: set[str]) -> dict[str, int]:
    """The duplicate group of every row hash that is wanted and in the data."""
    hashes = identity.row_hashes(examples.features, examples.texts, len(examples), known=examples.hashes)
    return {found: int(examples.group[n]) for n, found in enumerate(hashes) if found in wanted}


def _relabelled(examples: Examples, verdicts: dict[int, Verdict]) -> Examples:
    decided = {group: verdict for group, verdict in verdicts.items() if verdict.answer is not None}
    place = {name: code for code, name in enumerate((*examples.classes, NEITHER))}
    code = np.full(int(examples.group.max(initial=-1)) + 1, UNASKED, np.int64)
    for group, verdict in decided.items():
        code[group] = place[verdict.answer or ""]
    own = code[examples.group]
    neither = own == len(examples.classes)
    names = np.array([*examples.classes, ""], np.object_)  # the last one names the unlabelled
    about = Reviews(
        given=names[examples.labels],
        decided=own != UNASKED,
        neither=neither,
        reviewer=_told(examples, {g: ", ".join(v.reviewers) for g, v in decided.items()}, ""),
        why=_told(examples, {g: v.first.why for g, v in decided.items()}, ""),
        posterior=_told(examples, {g: _or_nan(v.first.posterior) for g, v in decided.items()}, np.nan).astype(
            np.float64
        ),
    )
    labels = np.where(neither, UNLABELLED, np.where(own == UNASKED, examples.labels, own))
    return _without_lost_classes(
        replace(
            examples,
            labels=labels,
            trusted=examples.trusted | (about.decided & ~neither),
            left_out=examples.left_out | neither,
            reviews=about,
        )
    )


def _told(examples: Examples, said: dict[int, object], otherwise: object) -> NDArray[np.object_]:
    """Spread what is said of groups over their rows (N,)."""
    by_group = np.full(int(examples.group.max(initial=-1)) + 1, otherwise, np.object_)
    for group, value in said.items():
        by_group[group] = value
    told: NDArray[np.object_] = by_group[examples.group]
    return told


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _without_lost_classes(examples: Examples) -> Examples:
    """Take out classes, such as misspelled ones, whose last row people gave another label."""
    named = np.bincount(examples.labels[examples.labels >= 0], minlength=len(examples.classes)) > 0
    if named.all():
        return examples
    place = np.append(np.cumsum(named) - 1, UNLABELLED)  # the last one serves the unlabelled
    kept = tuple(name for name, still in zip(examples.classes, named, strict=True) if still)
    return replace(examples, labels=place[examples.labels], classes=kept)


def _notes(before: Examples, after: Examples, verdicts: dict[int, Verdict], strange: int) -> Iterator[str]:
    """Say what the answers changed, and what they did not."""
    about = after.reviews
    assert about is not None  # noqa: S101  # it was made above
    rows, neither = int(after.trusted.sum()), int(about.neither.sum())
    names = np.array([*after.classes, ""], np.object_)
    changed = int((about.given != names[after.labels])[after.trusted].sum())
    yield (
        f"{phrases.counted(rows, 'row')} reviewed by people: {changed:,} labels were changed, {rows - changed:,} confirmed; "
        "they are trusted and never treated"
    )
    if neither:
        yield f"{phrases.counted(neither, 'row')} left out: people said that no class fits"
    if disputed := sum(verdict.answer is None for verdict in verdicts.values()):
        yield f"{phrases.counted(disputed, 'question')} on which people disagree: the rows stay as given, ask again"
    if strange:
        yield f"{phrases.counted(strange, 'answer')} on rows that are not in the data: passed over"
    if lost := [name for name in before.classes if name not in after.classes]:
        yield f"people left no row with the label {phrases.names(lost)}: it is no class any more"
