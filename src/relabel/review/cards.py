"""What a card says of a question: plain values, for people to read. Pure; texts stay texts, the page never makes markup of them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from relabel.data.reviews import DISPUTED, NEITHER, RANDOM, Verdict
from relabel.results.reviewing import wording
from relabel.results.reviewing.questions import Questions
from relabel.results.reviewing.queue import CONFLICT, WORST
from relabel.review.material import Material, Words

DIGITS = 6
CHIPS = 8
"""Words behind the doubt that are listed."""

LEAST = 0.2
"""Share of the strongest word's weight from which on a word is told: the rest are in every text."""

LONGEST = 140
"""Characters of a text in a list."""

DOUBTS = (
    (0.95, "almost certainly wrong"),
    (0.8, "very probably wrong"),
    (0.5, "probably wrong"),
    (0.2, "perhaps wrong"),
    (0.0, "probably right"),
)
"""Posterior from which on a label is called so."""

REASONS = {
    DISPUTED: ("Disputed", "People gave different answers. One more decides."),
    CONFLICT: ("Conflict", "Duplicates carry different labels: one at least is wrong."),
    WORST: ("Most doubtful", "One of the most doubtful labels that are left."),
    RANDOM: ("By chance", "Drawn by chance, to learn how many errors the others hide."),
    "": ("Looked up", "You opened it yourself."),
}
"""Why a question is asked -> a short name, a sentence."""


def card(material: Material, question: int, why: str, *, blind: bool = False) -> dict[str, Any]:
    """Give what people see of a question.

    blind: nothing that could lead them: no label, doubt, reason, neighbours or place.
    """
    questions = material.questions
    row = int(questions.shown[question])
    about = {
        "id": questions.row_hash[row],
        "split": questions.split_name(question),
        "rows": int(questions.size[question]),
        "blind": blind,
    }
    text = questions.text[row]
    if blind:
        return {**about, "text": [[text, 0]] if text else [], "number": row}  # a file's name may be that of a label
    words = material.words.get(row)
    reason, sentence = REASONS.get(why, REASONS[""])
    return {
        **about,
        "place": place(questions, row),
        "name": questions.id[row],
        "text": marked(text, words) if text else [],
        "given": shown(questions.given[row]),
        "suggested": shown(questions.suggested[row]),
        "posterior": min(round(float(questions.wrong[row]), DIGITS), 1 - 10**-DIGITS),
        "doubt": doubt(float(questions.wrong[row])),
        "why": {"name": why, "short": reason, "sentence": sentence},
        "words": None if words is None else _chips(words),
        "labels": _labels(material, question),
        "neighbours": _neighbours(material, row),
    }


def choice(answer: str | None) -> str:
    """Name an answer as people know it."""
    return "Skipped" if answer is None else wording.NEITHER_SHOWN if answer == NEITHER else answer


def settled(verdict: Verdict | None) -> str | None:
    """Name what answers came to; None where there are none."""
    if verdict is None:
        return None
    return "Disputed" if verdict.answer is None else choice(verdict.answer)


def place(questions: Questions, row: int) -> str:
    """Say where a row stands."""
    return f"{questions.file[row]}, record {int(questions.row[row]):,}"


def shown(label: str | None) -> dict[str, str] | None:
    """Give a label with its name; None where a row has none."""
    return None if label is None else {"value": label, "name": label}


def doubt(posterior: float) -> str:
    """Say a posterior in words."""
    return next(words for least, words in DOUBTS if posterior >= least)


def excerpt(text: str | None) -> str:
    """Give the beginning of a text on one line; it is cut between words where it can be."""
    line = " ".join((text or "").split())
    if len(line) <= LONGEST:
        return line
    head, _, tail = line[:LONGEST].rpartition(" ")
    return (head if head and len(tail) < LONGEST // 3 else line[:LONGEST]) + "…"


def marked(text: str, words: Words | None) -> list[list[Any]]:
    """Cut a text into [piece, sign]: 1 speaks for the suggested label, -1 against, 0 neither; the pieces together are the text."""
    terms = {term.casefold(): value for term, value in strongest(words) if term.strip()} if words else {}
    if words is None or not terms:
        return [[text, 0]]
    # the longest first, so that `not good` is found before `good`
    ways = "|".join(r"\W+".join(map(re.escape, term.split())) for term in sorted(terms, key=len, reverse=True))
    end_of_word = r"(?!\w)" if words.whole else r"\w*"
    pattern = re.compile(rf"(?<!\w)({ways}){end_of_word}", re.IGNORECASE)
    pieces: list[list[Any]] = []
    end = 0
    for found in pattern.finditer(text):
        value = terms.get(" ".join(re.split(r"\W+", found[1].casefold())), 0.0)
        pieces += [[text[end : found.start()], 0], [found[0], 1 if value > 0 else -1 if value < 0 else 0]]
        end = found.end()
    pieces.append([text[end:], 0])
    return [piece for piece in pieces if piece[0]]


def strongest(words: Words) -> list[tuple[str, float]]:
    """Give the words that matter, the strongest first."""
    least = LEAST * max((abs(value) for _, value in words.words), default=0.0)
    return [(word, value) for word, value in words.words[:CHIPS] if value and abs(value) >= least]


def _chips(words: Words) -> dict[str, Any]:
    """List the words that matter most."""
    chips = [{"word": word, "weight": round(value, 2)} for word, value in strongest(words)]
    return {"label": words.label, "chips": chips}


def _labels(material: Material, question: int) -> list[dict[str, Any]]:
    """Count the labels of the rows that an answer settles, the commonest first."""
    questions = material.questions
    counted = Counter(questions.given[material.members(question)].tolist())
    return [
        {"name": label if label is not None else "no label", "rows": rows}
        for label, rows in sorted(counted.items(), key=lambda one: (-one[1], one[0] or ""))
    ]


def _neighbours(material: Material, row: int) -> dict[str, Any] | None:
    """Say what the nearest rows carry: the given label, the suggested one, or another."""
    questions = material.questions
    near = material.neighbours.of(row) if material.neighbours is not None else []
    if not near:
        return None
    by_label = {questions.suggested[row]: "suggested", questions.given[row]: "given"}  # given where they are the same
    rows = [
        {
            "text": excerpt(questions.text[other]) or place(questions, other),
            "label": questions.given[other],
            "says": by_label.get(questions.given[other], "other"),
            "similarity": round(similarity, 2),
        }
        for other, similarity in near
        if questions.given[other] is not None
    ]
    counted = Counter(one["says"] for one in rows)
    return {"rows": rows, "of": len(rows), "given": counted["given"], "suggested": counted["suggested"]}
