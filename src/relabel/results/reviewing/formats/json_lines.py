"""One JSON object a line: people, or a tool of their own, fill in `answer` and `reviewer`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from relabel.results.reviewing.entries import FIELDS, Entry, Reading


def write(records: Sequence[dict[str, Any]], _classes: Sequence[str]) -> bytes:
    """Write a line for each question."""
    ordered = ({name: record[name] for name in FIELDS} for record in records)
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in ordered).encode()


def answered(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
    """Write a line for each answer."""
    return write(records, classes)


def companions(_classes: Sequence[str]) -> dict[str, bytes]:
    """Need nothing beside the file."""
    return {}


def read(data: bytes, _attribute: str = "") -> Reading:
    """Read answers; a line without `answer`, or with null or "", is not answered yet."""
    found = Reading()
    for record, where, said in objects(data, found):
        answer, row = said.get("answer"), said.get("row")
        if not isinstance(answer, str | int | None) or isinstance(answer, bool):
            found.torn[record] = (where, "an `answer` that is no string")
            continue
        given = "" if answer is None else str(answer).strip()
        found.entries.append(
            Entry(
                record=record,
                where=where,
                choices=(given,) if given else (),
                reviewer=string(said.get("reviewer")),
                time=string(said.get("time")),
                **place(said),
                row=row if isinstance(row, int) and not isinstance(row, bool) else None,
            )
        )
    return found


def cut(data: bytes, records: Collection[int]) -> bytes:
    """Give these lines as they stood."""
    lines = [line for _, line in _lines(data)]
    return b"".join(line.rstrip(b"\r\n") + b"\n" for record, line in enumerate(lines) if record in records)


def objects(data: bytes, found: Reading) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Give (record, where, object) of each line that holds one; the others are noted as torn."""
    for record, (number, line) in enumerate(_lines(data)):
        where = f"line {number}"
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if isinstance(said, dict):
            yield record, where, said
        else:
            found.torn[record] = (where, "no JSON object")


def place(said: dict[str, Any]) -> dict[str, Any]:
    """Say which question an object is about, in the fields of Entry."""
    text = said.get("text")
    return {
        "row_hash": string(said.get("row_hash")),
        "file": string(said.get("file")),
        "text": text if isinstance(text, str) else None,
        "why": string(said.get("why")),
    }


def string(value: Any) -> str:
    """Give a value as a plain string; none of a list, an object or nothing."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _lines(data: bytes) -> list[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers, from 1; a line ends at a newline alone."""
    return [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
