"""Promises of the part on other issues: an alarm only where something is to be done, and its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relabel.report import page, results
from relabel.report.sections import issues


def section(folder, found: dict[str, Any]) -> str:
    """Give the section of a page on a folder with these issues."""
    (folder / "data_issues.json").write_text(json.dumps(found))
    read = results.read(folder)
    drawn = {"issues": [page.rendered(one) for one in issues.drawings(read)]}
    return page.html(read, drawn, (issues.SECTION,))


def near(across: int, differing: int) -> dict[str, Any]:
    """Make the figures of near duplicates."""
    one = {"count": 5, "unit": "set", "rows": 12, "sentence": "5 sets of near duplicates"}
    return {"near_duplicates": {**one, "sets_across_splits": across, "sets_with_different_labels": differing}}


@pytest.mark.parametrize(
    ("across", "differing", "mark"), [(0, 0, "No alarm"), (1, 0, "Look here"), (0, 1, "Look here")]
)
def test_near_duplicates_alarm_where_they_do_harm(made, across, differing, mark) -> None:
    """In one split and with one label they are told, and no more."""
    said = section(made(), near(across, differing))
    assert said.count("Look here") + said.count("No alarm") == 1
    assert mark in said
    assert "5 sets of near duplicates" in said


@pytest.mark.parametrize(
    ("inputs", "classes", "by"),
    [
        (True, False, "(drifted: rows)"),
        (False, True, "(drifted: shares of the classes)"),
        (True, True, "(drifted: rows and shares of the classes)"),
    ],
)
def test_a_split_that_drifted_has_its_reason_beside_it(made, inputs, classes, by) -> None:
    """The table of the rows' likeness alone would not tell why a split whose classes differ is marked."""
    split = {
        "split": "dev",
        "drifted": True,
        "inputs_drifted": inputs,
        "auc": 0.503,
        "auc_interval": [0.48, 0.52],
        "labels": [{"class": "no", "drifted": classes}],
        "rows_equal_to_train": 0,
    }
    drift = {"count": 1, "unit": "split", "rows": 0, "sentence": "splits that are not alike", "splits": [split]}
    assert by in section(made(), {"drift": drift})
