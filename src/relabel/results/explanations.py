"""explanations.jsonl: the words that speak for the suggested label of the doubtful rows, the most likely error first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from relabel import files
from relabel.results import columns
from relabel.results.findings import Explained, Findings

NAME = "explanations.jsonl"


def write(folder: Path, findings: Findings) -> None:
    """Write a line for each row; where there is nothing to explain, take away what an earlier job left.

    A line has file, row, id, split, given_label; model (`own`, or `side` where a model of words stands in); label (the suggested one, which
    is explained) and its probability by that model; method; words, with what each brings to the log odds of the label.
    """
    if findings.explained is None:
        (folder / NAME).unlink(missing_ok=True)
        return
    lines = [json.dumps(line, ensure_ascii=False) for line in _lines(findings, findings.explained)]
    files.write_bytes(folder / NAME, ("\n".join(lines) + "\n").encode(errors="replace"))


def read(folder: Path) -> list[dict[str, Any]]:
    """Read them back."""
    with (folder / NAME).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def as_dict(explained: Explained) -> dict[str, Any]:
    """Put the figures into a dictionary of JSON values."""
    return {
        "rows": int(explained.rows.size),
        "doubtful_rows_with_text": explained.of,
        "method": explained.reasons[0].method,
        "model": _model(explained),
        "faithfulness": explained.faithfulness.as_dict() if explained.faithfulness else None,
        "fidelity": explained.fidelity.as_dict() if explained.fidelity else None,
    }


def sentences(explained: Explained) -> list[str]:
    """Say in words what was explained, and how far it is to be believed."""
    whose = "a model of words that stands in for the model" if explained.side else "the models of the folds"
    said = f"The words behind the doubt are given for {explained.rows.size} of {explained.of} doubtful rows with a text, by {whose}."
    figures = (explained.fidelity, explained.faithfulness)
    return [said, *(figure.sentence() for figure in figures if figure is not None)]


def _model(explained: Explained) -> str:
    return "side" if explained.side else "own"


def _lines(findings: Findings, explained: Explained) -> list[dict[str, Any]]:
    examples, rows = findings.examples, explained.rows
    place = {name: column.to_pylist() for name, column in columns.place(findings, rows).items()}
    return [
        {
            **{name: values[n] for name, values in place.items()},
            "split": columns.SPLITS[examples.split[row]],
            "given_label": examples.classes[examples.labels[row]],
            "model": _model(explained),
            **reason.as_dict(examples.classes),
        }
        for n, (row, reason) in enumerate(zip(rows, explained.reasons, strict=True))
    ]
