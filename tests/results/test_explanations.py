"""Promises of the file of explanations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from relabel.data.examples import Examples
from relabel.data.texts import Texts
from relabel.model.explanation import Explanation
from relabel.results import explanations
from relabel.results.findings import Explained, Findings


@pytest.fixture
def findings() -> Findings:
    """Four rows of which two are explained; what the file does not tell of is left empty."""
    nothing = dict.fromkeys(field.name for field in dataclasses.fields(Findings))
    examples = Examples(
        features=None,
        labels=np.array([0, 1, 1, 0]),
        split=np.array([0, 0, 1, 2], np.uint8),
        group=np.arange(4),
        left_out=np.zeros(4, bool),
        trusted=np.zeros(4, bool),
        ids=np.array(["a", "b", "c", "d"], object),
        texts=Texts.of(["good \u2028 one", "x", "schlecht 💥", "y"]),
        classes=("neg", "pos"),
        files=("train/one.csv", "dev/two.csv"),
        file=np.array([0, 0, 1, 1], np.int32),
        row=np.array([0, 1, 0, 1]),
    )
    reasons = (
        Explanation(0, 0.75, (("schlecht\u2028", 1.5),), "exact"),
        Explanation(1, 0.5, (), "exact"),
    )
    explained = Explained(np.array([2, 0]), 2, reasons, None)
    return Findings(**{**nothing, "examples": examples, "explained": explained})


def test_each_row_has_a_line_that_says_where_it_came_from_and_why(findings, tmp_path) -> None:
    """Lines are JSON, the worst row first, whatever characters the words have."""
    explanations.write(tmp_path, findings)
    first, second = explanations.read(tmp_path)
    assert first == {
        "file": "dev/two.csv",
        "row": 0,
        "id": "c",
        "split": "dev",
        "given_label": "pos",
        "model": "own",
        "label": "neg",
        "probability": 0.75,
        "method": "exact",
        "words": [["schlecht\u2028", 1.5]],
    }
    assert (second["id"], second["label"], second["words"]) == ("a", "pos", [])


def test_nothing_is_left_of_an_earlier_job(findings, tmp_path) -> None:
    """Where there is nothing to explain there is no file."""
    explanations.write(tmp_path, findings)
    explanations.write(tmp_path, dataclasses.replace(findings, explained=None))
    assert not [*tmp_path.iterdir()]


def test_figures_say_how_many_were_explained(findings) -> None:
    """Rows, of how many, how, and that nothing could be measured."""
    assert explanations.as_dict(findings.explained) == {
        "rows": 2,
        "doubtful_rows_with_text": 2,
        "method": "exact",
        "model": "own",
        "faithfulness": None,
        "fidelity": None,
    }
