"""Promises of the part about slices: what it compares them with, what it says first, and what older results lack."""

from __future__ import annotations

import json
import re

from relabel.report import page, results
from relabel.report.sections import slices


def changed(folder, **more) -> results.Results:
    """Put figures into population.json, or take those that are None out of it, and read the folder."""
    path = folder / "population.json"
    figures = {**json.loads(path.read_text(encoding="utf-8")), **more}
    kept = {name: value for name, value in figures.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return results.read(folder)


def shown(found) -> str:
    """Give what a reader of the part reads."""
    source = page.html(found, {"slices": []}, (slices.SECTION,))
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<script.*?</script>|<[^>]+>", "", source, flags=re.DOTALL))


def test_slices_are_compared_with_the_rows_that_they_are_of(made) -> None:
    """The overall figures are those of population.json, not of the cross-validation, which is about other rows."""
    found = changed(made(), overall={"rows": 101, "loss": 0.4321, "accuracy": 0.7654})
    assert "Overall 76.5% of 101 labelled rows are right" in shown(found)
    (drawing,) = slices.drawings(found)
    assert "it is 0.432 overall" in drawing.says


def test_what_the_loss_goes_with_is_said_first(made) -> None:
    """The surest five, with the others behind them; names of columns are no markup."""
    said = [f"<b>{n}</b> column: the loss grows with it, rank correlation +0.20 (+0.15 to +0.25)" for n in range(7)]
    found = changed(made(), trends=[{"measure": f"metadata.{n}", "sentence": one} for n, one in enumerate(said)])
    source = page.html(found, {"slices": []}, (slices.SECTION,))
    assert "<b>0" not in source
    places = [source.index(f"&lt;b&gt;{n}&lt;/b&gt; column") for n in range(7)]
    assert places == sorted(places)
    assert places[4] < source.index("2 more that the loss surely goes with") < places[5]
    assert places[-1] < source.index("The worst slices")


def test_measures_that_say_the_same_do_not_hide_another(made) -> None:
    """Of lengths the surest is said, so that the words that the model does not know have their place."""
    measures = ("words", "characters", "difficult_words", "smog", "lix", "flesch_kincaid", "unknown_share", "polarity")
    found = changed(made(), trends=[{"measure": name, "sentence": f"about {name}"} for name in measures])
    about = slices.context(found)
    assert about["trends"] == [f"about {name}" for name in ("words", "smog", "unknown_share", "polarity")]
    assert sorted(about["trends"] + about["others"]) == sorted(f"about {name}" for name in measures)


def test_a_cluster_has_one_name_in_the_whole_report(made) -> None:
    """Its words, or the number that the part about clusters gives it."""
    figures = {"measure": "cluster", "title": "Cluster", "rows": 40, "accuracy": 0.5, "interval": [0.4, 0.6]}
    worst = [
        {**figures, "name": "3", "words": ["oil", "cream"], "expected_wrong_labels": 0.1},
        {**figures, "name": "4", "words": [], "expected_wrong_labels": 0.1},
    ]
    assert [one["name"] for one in slices.context(changed(made(), worst=worst))["worst"]] == ["oil, cream", "cluster 5"]


def test_a_column_without_slices_is_named(made) -> None:
    """With the reason, so that nobody looks for its figure."""
    found = changed(made(), skipped=[{"measure": "metadata.who", "title": "who", "why": "no value stands in 30 rows"}])
    assert "No slices of who: no value stands in 30 rows." in shown(found)


def test_results_that_lack_the_overall_figures_are_shown_without_comparison(made) -> None:
    """Of an older job: slices and worst are there, no line is drawn and nothing is called surely worse."""
    found = changed(made(), overall=None, skipped=None, trends=None)
    (drawing,) = slices.drawings(found)
    assert "overall" not in drawing.says
    assert "The worst slices" in shown(found)
    assert "dashed" not in shown(found)
    assert "Overall" not in shown(found)
    assert page.write(found.folder).is_file()
