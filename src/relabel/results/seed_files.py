"""The four files of the seed project, under their names and with their keys, so that what reads them goes on working.

pre-results.json      {"loss", "acc"} on the test rows, trained on the labels as given
final-results.json    the same after the treatment, on the SAME labels; what the seed would have said stands beside it
prob.csv              text, label, out-of-fold probability, for every row
pre-annotations.json  Label Studio tasks for the flagged rows, with the suggested label
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from relabel import files
from relabel.results import columns, label_issues
from relabel.results.findings import Findings

PRE_RESULTS = "pre-results.json"
FINAL_RESULTS = "final-results.json"
PROBABILITIES = "prob.csv"
PRE_ANNOTATIONS = "pre-annotations.json"
SENTIMENT = {"0": "Negative", "1": "Positive"}
"""Names that the seed's annotation project gives its two classes."""

OPTIMISTIC = (
    "accuracy on test labels that the audit itself changed, as the seed project reports it: optimistic, because the model under test "
    "decided which labels to change; compare `acc` instead"
)


def write(folder: Path, findings: Findings) -> None:
    """Write the four files."""
    served = findings.served
    files.write_json(folder / PRE_RESULTS, {"loss": served.before.log_loss, "acc": served.before.accuracy})
    final = {
        "loss": served.test.log_loss,
        "acc": served.test.accuracy,
        "seed_protocol": {
            "loss": findings.relabelled_test.log_loss,
            "acc": findings.relabelled_test.accuracy,
            "note": OPTIMISTIC,
        },
    }
    files.write_json(folder / FINAL_RESULTS, final)
    _write_probabilities(folder / PROBABILITIES, findings)
    _write_tasks(folder / PRE_ANNOTATIONS, findings)


def _write_probabilities(path: Path, findings: Findings) -> None:
    """Write `prob`, the probability of the second class, for two classes; `prob_<class>` for each of more."""
    parts = columns.parts(len(findings.examples))
    columns.write_csv(path, (_probabilities(findings, part) for part in parts))


def _probabilities(findings: Findings, part: slice) -> dict[str, pa.Array]:
    names, probability = findings.examples.classes, findings.audit.probability[part]
    if len(names) == 2:  # noqa: PLR2004  # the seed's own case
        scores = {"prob": columns.rounded(probability[:, 1])}
    else:
        scores = {f"prob_{name}": columns.rounded(probability[:, c]) for c, name in enumerate(names)}
    labels = columns.classes(findings, findings.examples.labels[part])
    return {**columns.text(findings, part), findings.settings.label_column: labels, **scores}


def _write_tasks(path: Path, findings: Findings) -> None:
    """Write an array of JSON, a task at a time."""
    tasks = (json.dumps(_task(findings, int(n)), ensure_ascii=False) for n in label_issues.rows(findings))
    with files.replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write("[")
        for number, task in enumerate(tasks):
            file.write(f", {task}" if number else task)
        file.write("]\n")


def _task(findings: Findings, n: int) -> dict[str, Any]:
    examples = findings.examples
    name = examples.classes[findings.audit.suggested[n]]
    choice = SENTIMENT[name] if examples.classes == tuple(SENTIMENT) else name
    result = {
        "value": {"choices": [choice]},
        "id": f"data-{n}",
        "from_name": "sentiment",
        "to_name": "text",
        "type": "choices",
    }
    text = "" if examples.texts is None else examples.texts[n]
    return {
        "data": {"text": text},
        "predictions": [{"result": [result], "score": round(float(findings.audit.posterior[n]), 6)}],
    }
