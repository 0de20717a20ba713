"""`text/csv` of vectors: one record per line, with or without a header; one line comes back for each, in the same order. See `text_table` for texts.

A header of one name more than there are numbers, one of them `label`, says which column holds labels; without one, `text/csv; label_size=1`
says that it is the first, as SageMaker's own algorithms have it. Columns that messages name are counted without it.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from relabel.codecs import charsets, labels, lines, objects, text_table, vectors
from relabel.codecs.codec import LabelAudit, Predictions, Problem, Records, Takes, finite
from relabel.codecs.vectors import Parsed
from relabel.errors import UserError

WRITTEN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
NUMBER = re.compile(WRITTEN, re.ASCII)
STARTS = frozenset(b"%c" % c for c in b"-0123456789")
"""How a line of numbers begins, as most bodies do: it is no header."""
NUMBERED = re.compile(rb"(?:0,[0-9,]*label|label,0[0-9,]*)(?=\s|$)")
"""A header that numbers its columns, as tables are written which have no names, before or after the labels' name."""
LABELLED = re.compile(rf'[^,"]*,\s*{WRITTEN}\s*(?:,|$)'.encode())
"""How a line begins whose second field is a number, as all do after a label: it names no columns."""
MOST_COLUMNS = 1 << 17
"""Columns beyond which the fields of a line are not looked at."""
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def decode(body: bytes, takes: Takes, *, label_first: bool = False, charset: str = charsets.UTF_8) -> Records:
    """Read one record from each line; a first line without any number is a header.

    label_first: the first column holds labels, unless a header says another.
    charset:     encoding of texts.
    """
    first, width = 0 if label_first else None, takes.width
    if width is not None and not takes.texts:  # a text may have many lines
        vectors.check_count(body.count(b"\n"), width, len(body))
    fast = _fast(body, width, first) if width is not None else None
    if fast is not None:
        return finite(fast[0], (), fast[1])
    if width is None or (takes.texts and text_table.looks_like_texts(body, label_first=label_first)):
        return text_table.decode(body, label_first=label_first, charset=charset)
    found = lines.split(body)
    place, header = first, _header(found[0], width)
    if header:
        place, found = _place(header, width, first), found[1:]
    if not found:
        raise UserError("a header without records: send one record per line")
    objects.check_count(len(found), Takes(width))
    return objects.records([_record(n, line, width, place) for n, line in enumerate(found)], Takes(width))


def encode(predictions: Predictions) -> bytes:
    """Write `label,class,probability,…` for each row; a row that was refused is `,error: why,` with as many columns.

    Where the request has a place for labels, `given_label,error_posterior,suggested_label,in_sample` follow, empty where there is nothing to say.
    """
    names = [_field(name) for name in predictions.classes]
    numbers = ",".join(["%.9g"] * len(names))
    likeliest = predictions.probabilities.argmax(axis=1).tolist()
    rows = predictions.probabilities.tolist()
    written = [f"{label},{names[label]},{numbers % tuple(row)}" for label, row in zip(likeliest, rows, strict=True)]
    for row, why in predictions.refused.items():
        written[row] = f",{_field('error: ' + why)}" + "," * len(names)
    if predictions.audits is not None:
        written = [f"{line},{_audited(predictions.audits.get(row))}" for row, line in enumerate(written)]
    return ("\n".join(written) + "\n").encode()


def _fast(body: bytes, width: int, place: int | None) -> Parsed | None:
    """Read the lines as one JSON list of lists: plain CSV of numbers is that but for the brackets. Blank lines are left to the slow path.

    place: the column of labels, None where there is none.
    """
    text = body.removeprefix(lines.BYTE_ORDER_MARK).rstrip().lstrip(b" \t\n")
    if text[:1] not in STARTS or (text.startswith(b"0,") and NUMBERED.match(text)):
        first, _, rest = text.partition(b"\n")
        header = _header(first, width)
        if header:
            place, text = _place(header, width, place), rest
        elif place is None:
            return None
    if not text or b"[" in text or b"]" in text:
        return None
    if place is None:
        return vectors.parse(_bracketed(text), width)
    apart = _apart(text, width, place)
    parsed = vectors.parse(_bracketed(apart[0]), width) if apart else None
    return (parsed[0], apart[1]) if apart and parsed else None


def _bracketed(text: bytes) -> bytes:
    return b"[[" + text.replace(b"\n", b"],[") + b"]]"


def _apart(text: bytes, width: int, place: int) -> tuple[bytes, Mapping[int, str]] | None:
    """Take the label off each line, where it is the first or the last field, and no field is quoted."""
    if b"\r" in text:  # looking is much quicker than replacing nothing
        text = text.replace(b"\r\n", b"\n")
    if place not in (0, width) or b'"' in text or b"\r" in text:
        return None
    first, every = place == 0, text.split(b"\n")
    split = [line.partition(b",")[::2] if first else line.rpartition(b",")[::-2] for line in every]
    try:
        given = labels.by_row([label.decode() for label, _ in split])
    except UnicodeDecodeError:
        return None
    return b"\n".join(numbers for _, numbers in split), given


def _record(n: int, line: bytes, width: int, place: int | None) -> Any:
    """Give the numbers of a line as a list, with the label of its column where there is one, or what is wrong with it."""
    if (columns := line.count(b",") + 1) > MOST_COLUMNS:
        return Problem(n, f" has {columns:,} columns, expected {width if place is None else width + 1}")
    fields = _fields(line)
    if fields is None:
        return Problem(n, " is not CSV in UTF-8")
    if place is not None and len(fields) != width + 1:
        return Problem(n, f" has {len(fields)} columns, expected {width + 1}: a label and {width} numbers")
    label = None if place is None else fields.pop(place)
    values = [_number(field) for field in fields]
    if None in values:
        column = values.index(None)
        seen = "a text" if fields[column].strip() else "empty"
        return Problem(n, f", column {column} is {seen}, expected a number")
    return values if place is None else {vectors.FEATURES: values, labels.LABEL: label}


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


def _header(line: bytes, width: int) -> list[str]:
    """Give the names of a header, none where the line is none: no name is a number, unless all but `label` number the columns."""
    line = line.strip(b" \t")
    if (line[:1] in STARTS or LABELLED.match(line)) and not NUMBERED.match(line):
        return []
    if line.count(b",") >= MOST_COLUMNS:
        return []
    names = [field.strip() for field in _fields(line) or ()]
    if all(_number(name) is None and name for name in names):
        return names
    numbered = [name for name in names if name != labels.LABEL] == [str(column) for column in range(width)]
    return names if numbered and len(names) == width + 1 else []


def _place(header: list[str], width: int, otherwise: int | None) -> int | None:
    """Give the column of labels: the only one named `label`, where there is one column more than numbers."""
    named = len(header) == width + 1 and header.count(labels.LABEL) == 1
    return header.index(labels.LABEL) if named else otherwise


def _audited(audit: LabelAudit | None) -> str:
    """Write what is said of a label as the end of a line."""
    if audit is None:
        return ",,,"
    posterior = "" if audit.posterior is None else f"{audit.posterior:.9g}"
    in_sample = "" if audit.in_sample is None else str(audit.in_sample).lower()
    return f"{_field(audit.given)},{posterior},{_field(audit.suggested)},{in_sample}"


@lru_cache(maxsize=1024)
def _field(text: str) -> str:
    """Quote a text where CSV needs it; a line break would make two records of one."""
    text = " ".join(text.splitlines())
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"') else text
