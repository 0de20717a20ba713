"""`text/csv`: one record per line, with or without a header; one line comes back for each, in the same order."""

from __future__ import annotations

import csv
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.codecs import lines, objects, vectors
from relabel.codecs.codec import Predictions, Problem, Records, finite
from relabel.errors import UserError

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
STARTS = frozenset(b"%c" % c for c in b"-0123456789")
"""How a line of numbers begins, as most bodies do: it is no header."""
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def decode(body: bytes, width: int) -> Records:
    """Read one record from each line; a first line without any number is a header."""
    fast = _fast(body, width)
    if fast is not None:
        return finite(fast)
    found = lines.split(body)
    if _is_header(found[0]):
        found = found[1:]
    if not found:
        raise UserError("a header without records: send one record per line")
    return objects.records([_values(n, line) for n, line in enumerate(found)], width)


def encode(predictions: Predictions) -> bytes:
    """Write `label,class,probability,…` for each row; a row that was refused is `,error: why,` with as many columns."""
    names = [_field(name) for name in predictions.classes]
    numbers = ",".join(["%.9g"] * len(names))
    labels = predictions.probabilities.argmax(axis=1).tolist()
    rows = predictions.probabilities.tolist()
    written = [f"{label},{names[label]},{numbers % tuple(row)}" for label, row in zip(labels, rows, strict=True)]
    for row, why in predictions.refused.items():
        written[row] = f",{_field('error: ' + why)}" + "," * len(names)
    return ("\n".join(written) + "\n").encode()


def _fast(body: bytes, width: int) -> NDArray[np.float32] | None:
    """Read the lines as one JSON list of lists: plain CSV of numbers is that but for the brackets. Blank lines are left to the slow path."""
    text = body.removeprefix(lines.BYTE_ORDER_MARK).strip()
    if text[:1] not in STARTS:
        first, _, text = text.partition(b"\n")
        if not _is_header(first):
            return None
    if not text or b"[" in text or b"]" in text:
        return None
    return vectors.parse(b"[[" + text.replace(b"\n", b"],[") + b"]]", width)


def _values(n: int, line: bytes) -> Any:
    """Give the numbers of a line as a list, or what is wrong with it."""
    fields = _fields(line)
    if fields is None:
        return Problem(n, " is not CSV in UTF-8")
    values = [_number(field) for field in fields]
    if None in values:
        column = values.index(None)
        seen = "a text" if fields[column].strip() else "empty"
        return Problem(n, f", column {column} is {seen}, expected a number")
    return values


def _number(field: str) -> float | None:
    """Read a number as people write it (`+1.5`, `.5`); not what Python alone takes (`1_000`, other digits)."""
    field = field.strip()
    if NUMBER.fullmatch(field):
        return float(field)
    return math.nan if NOT_FINITE.fullmatch(field) else None


def _fields(line: bytes) -> list[str] | None:
    try:
        return next(csv.reader([line.decode()], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return None


def _is_header(line: bytes) -> bool:
    if line[:1] in STARTS:
        return False
    fields = _fields(line)
    return bool(fields) and all(_number(field) is None and field.strip() for field in fields or ())


def _field(text: str) -> str:
    """Quote a text where CSV needs it; a line break would make two records of one."""
    text = " ".join(text.splitlines())
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text
