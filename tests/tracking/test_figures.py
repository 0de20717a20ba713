"""Promises of what becomes of a job's results."""

from __future__ import annotations

import pytest

from relabel.tracking import figures

RESULTS = {
    "comparison": {
        **{side: dict.fromkeys(figures.SCORES, 0.5) for side in ("before", "after")},
        "gain": {"accuracy": {"value": 0.1, "low": 0.05, "high": 0.15}},
        "mcnemar": {"p": 0.01},
    },
    "audit": {"kind_of_noise": {"kind": "none", "wrong": None, "low": 0.0, "high": 0.02, "sentence": "no sign"}},
    "treatment": {"verdict": "Nothing was changed."},
    "baselines": {},
}
CHAMPION = {
    "champion": "0" * 12,
    "challenger": "1" * 12,
    "scores": {"champion": {"accuracy": 0.8}, "challenger": {"accuracy": 0.9}},
    "gain": {"accuracy": [0.1, 0.05, 0.15]},
    "gain_of_right_labels": None,
    "decision": "promote",
    "reason": "The challenger is right more often.",
}


def test_a_champion_s_figures_go_with_the_others() -> None:
    """Scores of both, the gain with its interval, the decision as a figure and in words."""
    found = figures.metrics(RESULTS, CHAMPION)
    assert found["champion/champion_accuracy"] == 0.8
    assert (found["champion/accuracy_gain"], found["champion/accuracy_gain_high"]) == (0.1, 0.15)
    assert found["champion/promote"] == 1
    assert "champion/right_labels_gain" not in found
    assert figures.tags(RESULTS, CHAMPION)["relabel.champion.decision"] == "promote"
    assert CHAMPION["reason"] in figures.summary(RESULTS, CHAMPION)


def test_without_a_champion_nothing_is_said_of_one() -> None:
    """And what has no figure is left out."""
    found = figures.metrics(RESULTS, {})
    assert not [name for name in found if "champion" in name]
    assert "noise/wrong_share" not in found
    assert "champion" not in figures.summary(RESULTS, {}).lower()
    assert not [name for name in figures.tags(RESULTS, {}) if "champion" in name]


@pytest.mark.parametrize("texts", [True, False])
def test_files_with_texts_stay_where_that_is_asked(tmp_path, texts) -> None:
    """Figures and figures' files go in either case, each to its place; files of other names never."""
    (tmp_path / "figures").mkdir()
    for name in (
        "metrics.json",
        "report.html",
        "label_issues.csv",
        "cleaned.csv",
        "figures/gain.png",
        "figures/gain.svg",
    ):
        (tmp_path / name).write_text("")
    found = {f"{place}/{path.name}" for path, place in figures.files(tmp_path, texts=texts)}
    assert found == {"/metrics.json", "figures/gain.png"} | ({"/report.html", "/label_issues.csv"} if texts else set())
