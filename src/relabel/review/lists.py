"""Lists of questions, found by words and filters."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Split
from relabel.data.reviews import DISPUTED, RANDOM, Verdict
from relabel.results.reviewing import queue
from relabel.results.reviewing.queue import CONFLICT, WORST
from relabel.review import cards
from relabel.review.desk import Desk
from relabel.text.preprocessing import MARKS

SHOWN = 50
"""Questions of a page of a list."""

ACCENTS = re.compile("[\u0300-\u036f]")
OPEN, ANSWERED, MINE, SKIPPED = "open", "answered", "mine", "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a list should hold; "" does not matter.

    text:     words that the text holds, as one string, see `folded`. state: open, answered, mine or skipped.
    why:      conflict, disputed, random or worst (flagged by the audit). name: who asks, for mine and skipped.
    """

    text: str = ""
    given: str = ""
    suggested: str = ""
    split: str = ""
    why: str = ""
    state: str = ""
    name: str = ""


class Lists:
    """Finds questions; texts are folded and ordered once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        questions, wanted = desk.questions, desk.material.wanted
        self._order = queue.worst_first(questions, np.flatnonzero(wanted))
        self._texts = [folded(questions.text[row] or questions.id[row] or "") for row in questions.shown[self._order]]

    def found(self, wish: Wish) -> NDArray[np.int64]:
        """Give the questions that meet a wish, the worst first."""
        keep = self._facts(wish)[self._order] & self._state(wish)[self._order]
        if words := folded(wish.text):
            keep &= np.fromiter((words in text for text in self._texts), np.bool_, len(self._texts))
        found: NDArray[np.int64] = self._order[keep]
        return found

    def page(self, wish: Wish, first: int) -> dict[str, Any]:
        """Give a page of a list, with the number of all."""
        found = self.found(wish)
        verdicts, mine = self.desk.verdicts(), self.desk.mine(wish.name)
        items = [self._item(one, verdicts.get(one), own=one in mine) for one in found[first : first + SHOWN].tolist()]
        return {"total": int(found.size), "first": first, "items": items}

    def _facts(self, wish: Wish) -> NDArray[np.bool_]:
        """Mark the questions (Q,) by what the data say."""
        questions = self.desk.questions
        keep = np.ones(len(questions), np.bool_)
        for value, column in ((wish.given, questions.given), (wish.suggested, questions.suggested)):
            if value and not self.desk.options.blind:
                keep &= column[questions.shown] == value
        if wish.split:
            keep &= questions.split == Split[wish.split.upper()]
        if wish.why == CONFLICT and not self.desk.options.blind:
            keep &= questions.conflict
        if wish.why == WORST and not self.desk.options.blind:
            keep &= questions.flagged
        return keep

    def _state(self, wish: Wish) -> NDArray[np.bool_]:
        """Mark the questions (Q,) by what people said."""
        desk, count = self.desk, len(self.desk.questions)
        verdicts = desk.verdicts()
        keep = np.ones(count, np.bool_)
        if wish.state in (OPEN, ANSWERED):
            keep &= _marks(count, list(verdicts)) == (wish.state == ANSWERED)
        if wish.state == MINE:
            keep &= _marks(count, list(desk.mine(wish.name)))
        if wish.state == SKIPPED:
            keep &= _marks(count, list(desk.skipped(wish.name)))
        if wish.why == DISPUTED:
            keep &= _marks(count, [one for one, verdict in verdicts.items() if verdict.answer is None])
        if wish.why == RANDOM:
            keep &= _marks(count, desk.drawn_by_chance().tolist())
        return keep

    def _item(self, question: int, verdict: Verdict | None, *, own: bool) -> dict[str, Any]:
        questions = self.desk.questions
        row = int(questions.shown[question])
        item = {
            "id": questions.row_hash[row],
            "text": cards.excerpt(questions.text[row]) or f"Row {row:,}",
            "split": questions.split_name(question),
            "rows": int(questions.size[question]),
            "answered": verdict is not None,
        }
        if self.desk.options.blind and not own:
            return item
        return {
            **item,
            "given": cards.shown(questions.given[row]),
            "suggested": cards.shown(questions.suggested[row]),
            "posterior": round(float(questions.wrong[row]), cards.DIGITS),
            "answer": cards.settled(verdict),
        }


def folded(text: str) -> str:
    """Give a text without case, accents and runs of spaces, as it is searched."""
    if not text.isascii():
        text = "".join(ACCENTS.sub("", unicodedata.normalize("NFKD", piece)) for piece in MARKS.split(text))
    return " ".join(text.casefold().split())


def _marks(count: int, questions: list[int]) -> NDArray[np.bool_]:
    marks = np.zeros(count, np.bool_)
    marks[questions] = True
    return marks
