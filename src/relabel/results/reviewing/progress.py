"""How far a review is: what was found, what is left, when to stop.

A question is of one row that people were shown; an error is a wrong label, of that row or of a duplicate. Where the answer is
that no class fits, the label counts neither as wrong nor as right. Letters: N rows, Q questions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.reviews import NEITHER, RANDOM, Verdict
from relabel.evaluation.comparison import Interval
from relabel.evaluation.shares import Z, wilson
from relabel.results.reviewing import queue
from relabel.results.reviewing.questions import Questions

NEXT = (10, 50, 100, 500)
"""Numbers of questions for which the expected errors are told."""

ENOUGH = 30
"""Answered questions from which on the expected errors are scaled by what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What the posterior's expectations are multiplied by, from what it expected of answered questions and what was found.

    factor: (found + 1) / (expected + 1), 1 with fewer than ENOUGH answers: one error is added to both, so that few
            answers change little.
    """

    answers: int = 0
    expected: float = 0.0
    found: int = 0
    factor: float = 1.0

    @property
    def error(self) -> float:
        """Relative standard error of the factor."""
        return 1.0 / math.sqrt(self.found + 1) if self.answers >= ENOUGH else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """All figures; intervals are of 95%.

    asked:       questions that were asked, where it was said; answered: those with an answer.
    wrong, right, neither, disputed: what the answers said of the labels that people were shown.
    errors:      wrong labels found, duplicates included.
    precision:   share of wrong labels among the flagged rows that were shown and are wrong or right (Wilson).
    expected_precision: what the posterior expected of the same rows.
    flagged, unflagged: how expectations are scaled, inside and outside the flagged rows.
    recall:      share of all errors that lies in the flagged rows, see `recall`; None without answers of random rows.
    next:        number of questions -> errors expected in them, worst first.
    open:        questions without an answer that holds; remaining: errors expected in all of them.
    least:       errors per question below which it is not worth going on.
    until_stop:  how many more questions are worth it; remaining_then: errors expected in the others.
    """

    asked: int | None
    answered: int
    wrong: int
    right: int
    neither: int
    disputed: int
    errors: int
    precision: Interval | None
    expected_precision: float | None
    flagged: Scale
    unflagged: Scale
    recall: Interval | None
    next: dict[int, float]
    open: int
    remaining: Interval
    least: float
    until_stop: int
    remaining_then: float

    def as_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Answers as arrays over the questions (Q).

    settled: bool, an answer holds: `fits` where it is a class. by_chance: bool, it was drawn uniformly.
    found:   int64, wrong labels by the answer. shown_wrong: bool, that of the shown row is one.
    """

    settled: NDArray[np.bool_]
    fits: NDArray[np.bool_]
    by_chance: NDArray[np.bool_]
    found: NDArray[np.int64]
    shown_wrong: NDArray[np.bool_]


def measured(
    questions: Questions,
    wanted: NDArray[np.bool_],
    verdicts: Mapping[int, Verdict],
    *,
    least: float,
    asked: int | None = None,
) -> Progress:
    """Measure a review.

    wanted:   (Q,) the questions that it is about.
    verdicts: what answers came to, by question.
    least:    errors per question below which it is not worth going on.
    asked:    how many were asked, where it is known.

    Rows that people decided on before the audit count among what was found, by the label that they were shown then, and
    are left out of every estimate: the audit trusted them.
    """
    verdicts = {question: verdict for question, verdict in verdicts.items() if wanted[question]}
    seen = _seen(questions, verdicts)
    current = wanted & ~questions.reviewed
    judged = current & seen.fits & questions.flagged
    inside = _scale(questions, seen, current & seen.fits & questions.flagged)
    outside = _scale(questions, seen, current & seen.fits & ~questions.flagged & seen.by_chance)
    factor = np.where(questions.flagged, inside.factor, outside.factor)
    value = np.minimum(questions.value * factor, questions.size)
    left = current & ~seen.settled
    ordered = value[queue.worst_first(questions, np.flatnonzero(left))]
    worth = left & (value >= least)
    return Progress(
        asked=asked,
        answered=len(verdicts),
        wrong=int(seen.shown_wrong.sum()),
        right=int((seen.fits & ~seen.shown_wrong).sum()),
        neither=int((seen.settled & ~seen.fits).sum()),
        disputed=sum(verdict.answer is None for verdict in verdicts.values()),
        errors=int(seen.found.sum()),
        precision=wilson(int(seen.shown_wrong[judged].sum()), int(judged.sum())),
        expected_precision=float(questions.wrong[questions.shown[judged]].mean()) if judged.any() else None,
        flagged=inside,
        unflagged=outside,
        recall=recall(questions, current, seen, value),
        next={n: float(ordered[:n].sum()) for n in NEXT},
        open=int(left.sum()),
        remaining=_remaining(questions, value, left, inside, outside),
        least=least,
        until_stop=int(worth.sum()),
        remaining_then=float(value[left & ~worth].sum()),
    )


def recall(
    questions: Questions, current: NDArray[np.bool_], seen: _Seen, value: NDArray[np.float64]
) -> Interval | None:
    """Estimate which share of all errors lies in the flagged rows, in strata.

    Flagged: the errors found in what was answered, and those expected (value, (Q,)) in what was not. Not flagged, and asked
    for another reason than chance: the errors found. Not flagged otherwise: the mean of the questions that were drawn
    uniformly among them, times their number. The interval is that of this mean alone (Wilson, for the share of questions
    with an error); so the more of the flagged rows is answered, the better it holds. None where nothing was drawn.
    """
    flagged, plain = current & questions.flagged, current & ~questions.flagged
    inside = float(seen.found[flagged & seen.settled].sum() + value[flagged & ~seen.settled].sum())
    drawn = plain & seen.settled & seen.by_chance
    known = plain & seen.settled & ~seen.by_chance
    if not drawn.any():
        return None
    hit = drawn & (seen.found > 0)
    share = wilson(int(hit.sum()), int(drawn.sum()))
    assert share is not None  # noqa: S101  # some were drawn
    rest = int((plain & ~known).sum())
    each = float(seen.found[hit].mean()) if hit.any() else 1.0
    low, middle, high = (seen.found[known].sum() + rest * each * part for part in (share.low, share.value, share.high))
    return Interval(*(inside / max(inside + missed, 1e-9) for missed in (high, middle, low)))


def _seen(questions: Questions, verdicts: Mapping[int, Verdict]) -> _Seen:
    """Put the answers into arrays."""
    count = len(questions)
    answer = np.full(count, None, np.object_)
    given = questions.given[questions.shown]
    by_chance = np.zeros(count, np.bool_)
    for question, verdict in verdicts.items():
        answer[question] = verdict.answer
        by_chance[question] = verdict.first.why == RANDOM
        if questions.reviewed[question]:
            given[question] = verdict.first.given  # since then it carries the answer
    settled = np.array([found is not None for found in answer], np.bool_)
    fits = settled & (answer != NEITHER)
    shown_wrong = fits & (answer != given)
    rows = fits[questions.question] & (questions.given != answer[questions.question])
    found = np.bincount(questions.question[rows], minlength=count)
    found = np.where(questions.reviewed, shown_wrong, found)
    return _Seen(settled, fits, by_chance, found.astype(np.int64), shown_wrong)


def _scale(questions: Questions, seen: _Seen, answered: NDArray[np.bool_]) -> Scale:
    """Compare what was expected of answered questions (Q,) with what was found."""
    count, expected, found = (
        int(answered.sum()),
        float(questions.value[answered].sum()),
        int(seen.found[answered].sum()),
    )
    factor = (found + 1) / (expected + 1) if count >= ENOUGH else 1.0
    return Scale(answers=count, expected=expected, found=found, factor=factor)


def _remaining(
    questions: Questions, value: NDArray[np.float64], left: NDArray[np.bool_], inside: Scale, outside: Scale
) -> Interval:
    """Expected errors of the open questions (Q,), with what chance and the scales leave open."""
    share = value[left] / questions.size[left]
    variance = float((questions.size[left] ** 2 * share * (1 - share)).sum())
    for scale, part in ((inside, left & questions.flagged), (outside, left & ~questions.flagged)):
        variance += (scale.error * float(value[part].sum())) ** 2
    total, reach = float(value[left].sum()), Z * math.sqrt(variance)
    return Interval(max(0.0, total - reach), total, total + reach)
