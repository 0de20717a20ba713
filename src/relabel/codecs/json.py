"""`application/json`: `{"instances": [[…], …]}`, a bare list of vectors, or one vector."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs.codec import Predictions, check_finite, refuse
from relabel.errors import UserError

SHAPES = 'send {"instances": [[number, …], …]}, a list of vectors, or one vector'
NAMES = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}
NUMBERS = {int, float}


def decode(body: bytes, width: int) -> NDArray[np.float32]:
    """Read vectors (n, width); the literals NaN and Infinity, which JSON does not have, are read and then refused.

    Raises UserError and NotFiniteError as every codec does.
    """
    rows = _rows(_parsed(body))
    problems = [problem for n, row in enumerate(rows) if (problem := _problem(n, row, width))]
    if problems:
        raise refuse(problems)
    vectors = _array(rows)
    check_finite(vectors)
    return vectors


def encode(predictions: Predictions) -> bytes:
    """Write `{"predictions": [{"label": index, "class": name, "probabilities": [C numbers]}, …]}`."""
    labels = predictions.probabilities.argmax(axis=1).tolist()
    rows = [
        {"label": label, "class": predictions.classes[label], "probabilities": probabilities}
        for label, probabilities in zip(labels, predictions.probabilities.tolist(), strict=True)
    ]
    return json.dumps({"predictions": rows}, ensure_ascii=False, allow_nan=False).encode()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is no UTF-8"
    except (ValueError, RecursionError):  # a number of thousands of digits, lists thousands deep
        where = "too long a number, or lists too deep"
    raise UserError(f"the body is not JSON ({where}): {SHAPES}")


def _rows(value: Any) -> list[Any]:
    """Find the list of vectors in the three shapes."""
    if isinstance(value, dict):
        if "instances" not in value:
            raise UserError(f"an object without `instances`: {SHAPES}")
        value = value["instances"]
    if not isinstance(value, list):
        raise UserError(f"{_name(value)} where vectors are expected: {SHAPES}")
    if not value:
        raise UserError(f"an empty list: {SHAPES}")
    return [value] if type(value[0]) in NUMBERS else value


def _problem(n: int, row: Any, width: int) -> str:
    """Say what is wrong with one vector, "" if nothing is."""
    if not isinstance(row, list):
        return f"row {n} (counted from 0) is {_name(row)}, expected a list of {width} numbers"
    if len(row) != width:
        return f"row {n} (counted from 0) has width {len(row)}, expected {width}"
    if not NUMBERS.issuperset(map(type, row)):
        column, value = next((c, v) for c, v in enumerate(row) if type(v) not in NUMBERS)
        return f"row {n}, column {column} (counted from 0) is {_name(value)}, expected a number"
    return ""


def _array(rows: list[list[float]]) -> NDArray[np.float32]:
    """Make the array; a number beyond float32 becomes infinite."""
    with np.errstate(over="ignore"):
        try:
            return np.array(rows, dtype=np.float32)
        except OverflowError:  # an integer beyond every float
            return np.array([[_float(value) for value in row] for row in rows], dtype=np.float32)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _name(value: Any) -> str:
    return NAMES.get(type(value), "true or false")
