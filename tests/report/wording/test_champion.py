"""Promises of what is said of the model that serves now."""

import json

from relabel.report import page
from relabel.report.wording import champion

FOUND = {
    "champion": "aaaaaaaaaaaa",
    "challenger": "bbbbbbbbbbbb",
    "rows": 1580,
    "left_out": {"champion trained on them": 20},
    "scores": {"champion": {"accuracy": 0.8}, "challenger": {"accuracy": 0.83}},
    "gain": {"accuracy": [0.03, 0.01, 0.05]},
    "decision": "promote",
    "reason": "the challenger is better",
    "notes": ["the champion does not know"],
}


def test_the_decision_comes_first_then_its_figures(made) -> None:
    """The report says what to do, by how much, on how many rows, and what a person should know beside."""
    said = champion.sentences(FOUND)
    assert said[0].endswith("is to take the place of the one that serves now: the challenger is better.")
    assert "1,580 test rows" in said[1]
    assert "80.0%" in said[1]
    assert "+3.0 points (+1.0 to +5.0)" in said[1]
    assert said[2].startswith("20 test rows were left out")
    assert said[3] == "The champion does not know."
    folder = made()
    plain = page.write(folder).read_text(encoding="utf-8")
    (folder / "champion.json").write_text(json.dumps(FOUND), encoding="utf-8")
    shown = page.write(folder).read_text(encoding="utf-8")
    assert "Against the model that serves now" in shown
    assert "Against the model that serves now" not in plain


def test_without_rows_only_the_reason_is_said() -> None:
    """There are no figures then."""
    nothing = {**FOUND, "rows": 0, "scores": {}, "gain": {}, "left_out": {}, "notes": [], "decision": "keep"}
    assert champion.sentences(nothing) == ["The model that serves now is to stay: the challenger is better."]
