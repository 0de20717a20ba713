"""Decisions as the answers that the training job and the formats of reviews know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from relabel.data.reviews import Answer, line
from relabel.results.reviewing import importing
from relabel.results.reviewing.entries import answered
from relabel.results.reviewing.formats import FORMATS
from relabel.results.reviewing.questions import Questions
from relabel.review.store import Decision

SOURCE = "page"
REVIEWS = "reviews"
SUFFIX = {REVIEWS: ".jsonl", "csv": ".csv", "jsonl": ".jsonl", "labelstudio": ".json", "groundtruth": ".manifest"}
"""Format of a file of answers -> its suffix; `reviews` is what the channel `reviewed` takes."""


def of_decisions(decisions: Iterable[Decision], questions: Questions, place: Mapping[str, int]) -> tuple[Answer, ...]:
    """Give the answers that stand, in order; skips and what was taken back are none.

    place: row hash -> row.
    """
    return tuple(
        of_decision(decision, questions, place[decision.row_hash])
        for decision in decisions
        if decision.answer is not None and not decision.withdrawn and decision.row_hash in place
    )


def of_decision(decision: Decision, questions: Questions, row: int) -> Answer:
    """Give the answer of a decision on a row; a skip is none, and has no answer."""
    assert decision.answer is not None  # noqa: S101  # whoever calls has looked
    return questions.answered(
        row,
        answer=decision.answer,
        reviewer=decision.reviewer,
        time=decision.time,
        why=decision.why,
        source=SOURCE,
    )


def places(questions: Questions) -> dict[str, int]:
    """Give the row of every row hash: of duplicates, the last."""
    return {found: row for row, found in enumerate(questions.row_hash.tolist())}


def exported(form: str, questions: Questions, earlier: tuple[Answer, ...], here: tuple[Answer, ...]) -> bytes:
    """Write answers as a file.

    form: a key of SUFFIX. `reviews` has the earlier answers too, for a training job takes one file; the others have what was answered
          here, and `relabel review import` reads them back.
    """
    if form == REVIEWS:
        return "".join(map(line, (*earlier, *importing.added(earlier, here)))).encode()
    return FORMATS[form].answered(answered(questions, here, places(questions)), questions.classes)
