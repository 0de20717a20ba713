"""Records and predictions as JSON values: what JSON and JSON Lines share, the slow path of reading vectors, and the only one of texts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import kinds, labels, texts
from relabel.codecs.codec import LabelAudit, Predictions, Problem, Records, Takes, finite
from relabel.codecs.labels import ABSENT, LABEL, LABELS
from relabel.codecs.vectors import FEATURES, TOO_MANY
from relabel.errors import UserError

HOLDERS = (FEATURES, *texts.NAMES)
WORDS = {True: "true", False: "false", None: "null"}


def records(rows: Sequence[Any], takes: Takes, beside: Sequence[Any] | None = None) -> Records:
    """Make records of decoded JSON values; a Problem stands for itself.

    Each value is a list of numbers or `{"features": list, "label": label}`, or a text or `{"text": text, "label": label}`. For a model that
    takes both, one text makes them all texts.

    beside: labels of the rows, where they stand beside them all.

    Raises UserError where rows have labels of their own too, or are too many.
    """
    check_count(len(rows), takes)
    inside = [_label(row) for row in rows]
    apart = all(label is ABSENT for label in inside)
    if beside is not None and not apart:
        raise UserError(f"both `{LABELS}` and records with a `{LABEL}`: give each label once")
    given = inside if beside is None else beside
    held = [_held(row, takes) for row in rows]
    width = _width(held, takes)
    found = [
        row if isinstance(row, Problem) else _problem(n, held[n], width) or _label_problem(n, given[n])
        for n, row in enumerate(rows)
    ]
    good = [each for each, problem in zip(held, found, strict=True) if not problem]
    problems = tuple(problem for problem in found if problem)
    by_row = None if beside is None and apart else labels.by_row(given)
    if width is None:
        return Records(len(rows), tuple(good), problems, by_row)
    return finite(_array(good) if good else np.empty((0, width), np.float32), problems, by_row)


def check_count(count: int, takes: Takes) -> None:
    """Raise UserError where records are too many, before anything is made for each: wrong ones would take a hundred times their bytes."""
    if takes.width is None:
        texts.check_count(count)
    elif count > texts.MOST:
        raise UserError(TOO_MANY)


def holders(row: Mapping[str, Any]) -> list[str]:
    """Give the names under which an object holds what a model takes."""
    return [name for name in HOLDERS if name in row]


def holder(takes: Takes) -> str:
    """Say under which name an object should hold it."""
    return " or ".join([f"`{texts.NAMES[0]}`"] * takes.texts + [f"`{FEATURES}`"] * (takes.width is not None))


def written(predictions: Predictions) -> list[str]:
    """Write one JSON object per row, without line breaks; every float32 is given with the 9 digits that bring it back exactly."""
    starts = _starts(predictions.classes)
    numbers = ", ".join(["%.9g"] * len(predictions.classes)) + "]}"
    likeliest = predictions.probabilities.argmax(axis=1).tolist()
    rows = predictions.probabilities.tolist()
    lines = [starts[label] + numbers % tuple(row) for label, row in zip(likeliest, rows, strict=True)]
    if predictions.audits:
        for row, audit in predictions.audits.items():
            lines[row] = f"{lines[row][:-1]}, {_audited(audit)}"
    if predictions.words:
        for row, words in predictions.words.items():
            lines[row] = f'{lines[row][:-1]}, "words": [{", ".join(map(_weighed, words))}]}}'
    for row, why in predictions.refused.items():
        lines[row] = json.dumps({"error": why}, ensure_ascii=False)
    return lines


@lru_cache(maxsize=64)
def _starts(classes: tuple[str, ...]) -> list[str]:
    """Write what comes before the probabilities, for each label."""
    return [
        f'{{"label": {label}, "class": {json.dumps(each, ensure_ascii=False)}, "probabilities": ['
        for label, each in enumerate(classes)
    ]


def _audited(audit: LabelAudit) -> str:
    """Write what is said of a label as the end of an object."""
    posterior = "null" if audit.posterior is None else f"{audit.posterior:.9g}"
    return (
        f'"given_label": {_quoted(audit.given)}, "error_posterior": {posterior}, '
        f'"suggested_label": {_quoted(audit.suggested)}, "in_sample": {WORDS[audit.in_sample]}}}'
    )


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _weighed(word: tuple[str, float]) -> str:
    return f'{{"word": {json.dumps(word[0], ensure_ascii=False)}, "weight": {word[1]:.9g}}}'


def _held(row: Any, takes: Takes) -> Any:
    """Give the vector of a row where the model takes vectors, else its text; a row that has none, or two texts, stays as it is."""
    found = holders(row) if isinstance(row, dict) else []
    if len(found) > 1:
        found = [name for name in found if (name == FEATURES) == (takes.width is not None and FEATURES in found)]
    return row[found[0]] if len(found) == 1 else row


def _label(row: Any) -> Any:
    return row.get(LABEL, ABSENT) if isinstance(row, dict) and holders(row) else ABSENT


def _width(held: Sequence[Any], takes: Takes) -> int | None:
    """Give the width of the vectors that rows are taken for, None where they are taken for texts."""
    if takes.width is None or (takes.texts and any(isinstance(each, str) for each in held)):
        texts.check_count(len(held))
        return None
    return takes.width


def _problem(n: int, held: Any, width: int | None) -> Problem | None:
    """Say what is wrong with one vector, or one text."""
    if width is None:
        return texts.problem(n, held)
    if not isinstance(held, list):
        return Problem(n, f" is {kinds.name(held)}, expected a list of {width} numbers")
    if len(held) != width:
        return Problem(n, f" has width {len(held)}, expected {width}")
    if not kinds.NUMBERS.issuperset(map(type, held)):
        column, value = next((c, v) for c, v in enumerate(held) if not kinds.is_number(v))
        return Problem(n, f", column {column} is {kinds.name(value)}, expected a number")
    return None


def _label_problem(n: int, label: Any) -> Problem | None:
    if labels.text(label) is None:
        return Problem(n, f", `{LABEL}` is {kinds.name(label)}, expected the name of a class")
    return None


def _array(rows: list[list[float]]) -> NDArray[np.float32]:
    """Make the array as the fast path does, through float64; a number beyond float32 becomes infinite."""
    try:
        return np.array(rows, dtype=np.float64).astype(np.float32)
    except OverflowError:  # an integer beyond every float
        return np.array([[_float(value) for value in row] for row in rows], dtype=np.float64).astype(np.float32)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
