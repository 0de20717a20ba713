r"""`text/csv` of texts: a header with a column `text` or `review`, else `sentence` or `content`, or one column without a header.

A quoted field may hold commas and line breaks, so that a record may have several lines; one line of the answer comes back for each record. Of a
header `label` is a column too, all others are passed over; without one, `text/csv; label_size=1` says that the first of two columns is a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from relabel.codecs import charsets, labels, objects, texts
from relabel.codecs.codec import Problem, Records, Takes
from relabel.errors import UserError

FIELD = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^",\n][^,\n]*+)?)(,|\r?\n|\r?\Z)')
"""A quoted or a plain field, and what ends it. Not the csv module of Python, which takes no field of more than 131,072 characters."""

MOST_COLUMNS = 10_000

NAMED = " or ".join(f"`{name}`" for name in texts.NAMES)

Row = list[str]


def decode(body: bytes, *, label_first: bool = False, charset: str = charsets.UTF_8) -> Records:
    """Read one text from each record.

    label_first: of two columns without a header the first holds labels.

    Raises UserError where quotes do not match, no record is there, a header names two columns of texts, or records or columns are too many.
    """
    rows = [*islice(_rows(charsets.decoded(body, charset)), texts.MOST + 2)]  # one more than may be, and a header
    if not rows:
        raise UserError("an empty body: send one text per line")
    columns = _columns(rows[0])
    if columns is None:
        width, place, label = (2, 1, 0) if label_first else (1, 0, None)
    else:
        (place, label), width = columns, len(rows[0])
        rows = rows[1:]
    if not rows:
        raise UserError("a header without records: send one text per line")
    advice = "quote a text that has commas" + (f", or name its column in a header, {NAMED}" if columns is None else "")
    values = [
        _value(row, place, label)
        if len(row) == width
        else Problem(n, f" has {len(row)} columns, expected {width}: {advice}")
        for n, row in enumerate(rows)
    ]
    return objects.records(values, Takes(None, texts=True))


def looks_like_texts(body: bytes, *, label_first: bool) -> bool:
    """Tell texts from vectors by the first record: a header that names texts, or nothing but a text."""
    try:
        first = next(_rows(charsets.decoded(body)), [])
    except UserError:
        return True  # no number is quoted
    return _columns(first) is not None or len(first) == 1 + label_first


def _rows(text: str) -> Iterator[Row]:
    """Give the fields of each record; blank lines are none."""
    row: Row = []
    at = 0
    while at < len(text):
        found = FIELD.match(text, at)
        if found is None:
            raise UserError(
                "a quoted field that does not end, or goes on behind its end: quote a text that has quotes, and double these"
            )
        quoted, plain, end = found.groups()
        if len(row) == MOST_COLUMNS:
            raise UserError(
                f"a record of more than {MOST_COLUMNS:,} columns: send texts, with quotes around those with commas"
            )
        row.append(quoted.replace('""', '"') if quoted is not None else _plain(plain, end))
        at = found.end()
        if end != ",":
            if quoted is not None or len(row) > 1 or row[0].strip():
                yield row
            row = []
    if row:
        yield [*row, ""]  # the body ends with a comma


def _plain(field: str | None, end: str) -> str:
    """Give a plain field without the carriage return of its line's end."""
    return (field or "").removesuffix("\r") if end != "," else field or ""


def _columns(header: Row) -> tuple[int, int | None] | None:
    """Give the columns of the text and of the label that a header names, None where the row is no header."""
    names = [name.strip() for name in header]
    places = [place for place, name in enumerate(names) if name in texts.NAMES]
    places = places or [names.index(name) for name in texts.ALSO if name in names][:1]
    if not places:
        return None
    if len(places) > 1:
        raise UserError(f"a header with more than one column of texts: name one {NAMED}")
    return places[0], names.index(labels.LABEL) if names.count(labels.LABEL) == 1 else None


def _value(row: Row, place: int, label: int | None) -> Any:
    """Give the text of a record, with its label where there is one."""
    return row[place] if label is None else {texts.NAMES[0]: row[place], labels.LABEL: row[label]}
