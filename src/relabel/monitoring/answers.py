"""What an endpoint answered, read back from its captured responses.

Letters: n records, C classes.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import lines, table
from relabel.errors import UserError

CELLS = 2
"""Of a line of CSV, those before the probabilities: the label and its class."""


def read(content_type: str, body: bytes, classes: Sequence[str]) -> NDArray[np.float32] | None:
    """Give the probabilities (n, C) of an answer, NaN for records that were refused; None where it does not say them.

    An answer of plain text has the names of classes alone, and an error has nothing.
    """
    try:
        with np.errstate(over="ignore"):
            return _read(table.of_request(content_type), body, len(classes))
    except (ValueError, TypeError, KeyError, UserError, RecursionError, csv.Error, OverflowError):
        return None


def count(content_type: str, body: bytes) -> int:
    """Give how many records an answer is of; 0 where that cannot be told."""
    media_type = table.of_request(content_type)
    try:
        if media_type == table.JSON:
            return len(json.loads(body)["predictions"])
        if media_type == table.NPY:
            return len(np.load(io.BytesIO(body), allow_pickle=False))
        return len(lines.split(body))
    except (ValueError, TypeError, KeyError, UserError, RecursionError, EOFError):
        return 0


def _read(media_type: str | None, body: bytes, classes: int) -> NDArray[np.float32] | None:
    match media_type:
        case table.JSON:
            return _of_objects(json.loads(body)["predictions"], classes)
        case table.JSON_LINES:
            return _of_objects([json.loads(line) for line in lines.split(body)], classes)
        case table.CSV:
            return _of_rows(list(csv.reader(io.StringIO(body.decode()))), classes)
        case table.NPY:
            array = np.load(io.BytesIO(body), allow_pickle=False)
            return array.astype(np.float32) if array.ndim == CELLS and array.shape[1] == classes else None
    return None


def _of_objects(said: list[Any], classes: int) -> NDArray[np.float32] | None:
    return _array([None if "error" in one else one["probabilities"] for one in said], classes)


def _of_rows(rows: list[list[str]], classes: int) -> NDArray[np.float32] | None:
    """Read lines of `label,class,probability,…`; of a refused record the label is empty."""
    return _array([row[CELLS : CELLS + classes] if row[0] else None for row in rows if row], classes)


def _array(rows: list[Any], classes: int) -> NDArray[np.float32] | None:
    refused = [math.nan] * classes
    array = np.array([refused if row is None else row for row in rows], np.float32)
    return array if array.shape == (len(rows), classes) else None
