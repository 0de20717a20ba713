"""File formats of questions and answers by name. A new one is a module with the functions of `entries.Format` and a line here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from relabel.results.reviewing.entries import Format
from relabel.results.reviewing.formats import ground_truth, json_lines, label_studio, sheet

FORMATS: Mapping[str, Format] = {
    "csv": sheet,
    "jsonl": json_lines,
    "labelstudio": label_studio,
    "groundtruth": ground_truth,
}
BY_SUFFIX = {".csv": "csv", ".tsv": "csv", ".json": "labelstudio", ".manifest": "groundtruth"}
SUFFIX = {"csv": ".csv", "jsonl": ".jsonl", "labelstudio": ".json", "groundtruth": ".manifest"}


def recognised(path: PurePath, data: bytes) -> str:
    """Name the format of a file of answers, by its name or else by its first line."""
    if (suffix := path.suffix.lower()) in BY_SUFFIX:
        return BY_SUFFIX[suffix]
    try:
        first = json.loads(data.lstrip().partition(b"\n")[0])
    except ValueError:
        first = None
    return "groundtruth" if isinstance(first, dict) and _of_a_labelling_job(first) else "jsonl"


def _of_a_labelling_job(said: dict[str, Any]) -> bool:
    """Tell a line of a manifest from one of ours, which has `answer`, and often a `source` as well: the format it came in."""
    labelled = any(key.endswith(ground_truth.METADATA) for key in said)
    return labelled or (not {"source", "source-ref"}.isdisjoint(said) and "answer" not in said)
