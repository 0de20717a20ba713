"""Records and predictions as JSON values: what JSON and JSON Lines share, and the slow path of reading."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import labels
from relabel.codecs.codec import LabelAudit, Predictions, Problem, Records, finite
from relabel.codecs.labels import ABSENT, LABEL, LABELS
from relabel.codecs.vectors import FEATURES
from relabel.errors import UserError

NAMES = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}
NUMBERS = {int, float}
WORDS = {True: "true", False: "false", None: "null"}


def records(rows: Sequence[Any], width: int, beside: Sequence[Any] | None = None) -> Records:
    """Make records of decoded JSON values, each a list of numbers or `{"features": list, "label": label}`; a Problem stands for itself.

    beside: labels of the rows, where they stand beside them all.

    Raises UserError where rows have labels of their own too.
    """
    inside = [_label(row) for row in rows]
    apart = all(label is ABSENT for label in inside)
    if beside is not None and not apart:
        raise UserError(f"both `{LABELS}` and records with a `{LABEL}`: give each label once")
    given = inside if beside is None else beside
    found = [
        row if isinstance(row, Problem) else _problem(n, _vector(row), given[n], width) for n, row in enumerate(rows)
    ]
    good = [_vector(row) for row, problem in zip(rows, found, strict=True) if not problem]
    vectors = _array(good) if good else np.empty((0, width), np.float32)
    texts = None if beside is None and apart else labels.by_row(given)
    return finite(vectors, tuple(problem for problem in found if problem), texts)


def texts(predictions: Predictions) -> list[str]:
    """Write one JSON object per row, without line breaks; every float32 is given with the 9 digits that bring it back exactly."""
    starts = _starts(predictions.classes)
    numbers = ", ".join(["%.9g"] * len(predictions.classes)) + "]}"
    likeliest = predictions.probabilities.argmax(axis=1).tolist()
    rows = predictions.probabilities.tolist()
    written = [starts[label] + numbers % tuple(row) for label, row in zip(likeliest, rows, strict=True)]
    if predictions.audits:
        for row, audit in predictions.audits.items():
            written[row] = f"{written[row][:-1]}, {_audited(audit)}"
    for row, why in predictions.refused.items():
        written[row] = json.dumps({"error": why}, ensure_ascii=False)
    return written


def name(value: Any) -> str:
    """Say what kind of JSON value this is, and never which."""
    return NAMES.get(type(value), "true or false")


def is_number(value: Any) -> bool:
    """Tell numbers from all else; true and false are none."""
    return type(value) in NUMBERS


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


def _vector(row: Any) -> Any:
    return row[FEATURES] if isinstance(row, dict) and FEATURES in row else row


def _label(row: Any) -> Any:
    return row.get(LABEL, ABSENT) if isinstance(row, dict) and FEATURES in row else ABSENT


def _problem(n: int, vector: Any, label: Any, width: int) -> Problem | None:
    """Say what is wrong with one vector and its label."""
    if not isinstance(vector, list):
        return Problem(n, f" is {name(vector)}, expected a list of {width} numbers")
    if len(vector) != width:
        return Problem(n, f" has width {len(vector)}, expected {width}")
    if not NUMBERS.issuperset(map(type, vector)):
        column, value = next((c, v) for c, v in enumerate(vector) if not is_number(v))
        return Problem(n, f", column {column} is {name(value)}, expected a number")
    if labels.text(label) is None:
        return Problem(n, f", `{LABEL}` is {name(label)}, expected the name of a class")
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
