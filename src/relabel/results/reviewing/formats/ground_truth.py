"""SageMaker Ground Truth, text classification with a single label: an input manifest out, an output manifest in.

A line of an output manifest is the line of the input manifest with two more keys: the label attribute, whose name the labelling
job chose, and `<name>-metadata`. A line that was not labelled yet has neither; one that failed has the metadata alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from relabel.data import phrases
from relabel.errors import UserError
from relabel.results.reviewing import wording
from relabel.results.reviewing.entries import Entry, Reading
from relabel.results.reviewing.formats import json_lines
from relabel.results.reviewing.formats.json_lines import place, string

METADATA = "-metadata"
KIND = "groundtruth/text-classification"
ATTRIBUTE = "relabel"
"""Label attribute of the answers that we write ourselves."""

THEIRS = ("text", "answer", "reviewer", "time")
"""Fields that the manifest names otherwise, or the job fills in."""


def write(records: Sequence[dict[str, Any]], _classes: Sequence[str]) -> bytes:
    """Write the input manifest; keys beside `source` come back as they are."""
    lines = ({"source": record["text"], **{k: v for k, v in record.items() if k not in THEIRS}} for record in records)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def answered(records: Sequence[dict[str, Any]], classes: Sequence[str]) -> bytes:
    """Write an output manifest with a line for each answer: the person stands where the labelling job does."""
    choices = wording.choices(classes)
    lines = []
    for record, line in zip(records, write(records, classes).decode().split("\n"), strict=False):
        choice = wording.choice(record["answer"], classes)
        about = {
            "class-name": choice,
            "type": KIND,
            "human-annotated": "yes",
            "creation-date": record["time"],
            "job-name": record["reviewer"],
        }
        lines.append({**json.loads(line), ATTRIBUTE: choices.index(choice), ATTRIBUTE + METADATA: about})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def companions(classes: Sequence[str]) -> dict[str, bytes]:
    """Give the label category configuration that a labelling job asks for."""
    labels = [{"label": choice} for choice in wording.choices(classes)]
    category = {"document-version": "2018-11-28", "labels": labels}
    return {".labels.json": (json.dumps(category, ensure_ascii=False, indent=2) + "\n").encode()}


def read(data: bytes, attribute: str = "") -> Reading:
    """Read an output manifest; what a machine labelled is nobody's decision.

    attribute: the label attribute's name; found by itself where the file has one alone.

    Raises UserError where the file has several.
    """
    found = Reading()
    lines = [*json_lines.objects(data, found)]
    named = sorted({key.removesuffix(METADATA) for _, _, said in lines for key in said if key.endswith(METADATA)})
    if not attribute and len(named) > 1:
        raise UserError(f"label attributes of {len(named)} jobs, {phrases.names(named)}: say which with --attribute")
    if attribute and lines and attribute not in named:
        raise UserError(f"no label attribute `{attribute}`, only {phrases.names(named) or 'none'}: name one of these")
    name = attribute or (named[0] if named else "")
    for record, where, said in lines:
        _read_line(record, where, said, name, found)
    return found


def cut(data: bytes, records: Collection[int]) -> bytes:
    """Give these lines as they stood."""
    return json_lines.cut(data, records)


def _read_line(record: int, where: str, said: dict[str, Any], name: str, found: Reading) -> None:
    row, source = said.get("row"), said.get("source")
    about = {
        **place(said),
        "row": row if isinstance(row, int) else None,
        "text": source if isinstance(source, str) else None,
    }
    metadata = said.get(name + METADATA)
    entry = Entry(record=record, where=where, **about)
    if not isinstance(metadata, dict):
        found.entries.append(entry)
    elif "failure-reason" in metadata:
        found.passed["failed in the labelling job"] += 1
        found.entries.append(entry)
    elif string(metadata.get("human-annotated")).lower() == "no":
        found.passed["labelled by a machine"] += 1
        found.entries.append(entry)
    elif metadata.get("type", KIND) != KIND:
        found.torn[record] = (where, f"a label of another type than {KIND}")
    elif not isinstance(metadata.get("class-name"), str):
        found.torn[record] = (where, "a label without `class-name` in its metadata")
    else:
        job = string(metadata.get("job-name")) or name
        time = string(metadata.get("creation-date"))
        choice = (metadata["class-name"],)
        found.entries.append(Entry(record=record, where=where, choices=choice, reviewer=job, time=time, **about))
