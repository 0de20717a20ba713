"""Promises of the search for issues of data as a whole."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from relabel.auditing import neighbours
from relabel.auditing.data_issues.survey import distinct, survey
from relabel.auditing.neighbours import THOROUGH

KINDS = ["near_duplicates", "outliers", "drift", "weak_slices", "imbalance", "class_overlap"]


@pytest.mark.parametrize(("width", "classes"), [(32, 3), (100, 2)])
def test_clean_data_raise_no_alarm(make, width, classes) -> None:
    """In 20 draws each kind of issue is found at most twice; by chance 1 in 20 or fewer."""
    alarms = Counter()
    for seed in range(20):
        made = make(seed, rows=1500, width=width, classes=classes)
        alarms.update(issue.name for issue in survey(made.examples(), made.opinion(), seed=seed) if issue.count)
    assert max(alarms.values(), default=0) <= 2


def test_every_kind_is_looked_for_and_says_a_sentence(make) -> None:
    """Six kinds, each with rows, scores and parts of one length, and one line for people."""
    made = make()
    found = survey(made.examples(), made.opinion())
    assert [issue.name for issue in found] == KINDS
    for issue in found:
        assert issue.rows.shape == issue.score.shape == issue.part.shape
        assert issue.sentence
        assert "\n" not in issue.sentence


def test_the_same_data_give_the_same_bytes(make) -> None:
    """Also where many rows are searched through an inverted file."""
    made = make(rows=9000)
    one, other = (survey(made.examples(), made.opinion(), seed=3) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert first.rows.tobytes() == second.rows.tobytes()
        assert first.score.tobytes() == second.score.tobytes()
        assert repr(first.figures) == repr(second.figures)


def test_without_a_model_what_needs_none_is_found(make) -> None:
    """Weak slices and overlap are left out."""
    assert [issue.name for issue in survey(make().examples())] == [
        k for k in KINDS if k not in ("weak_slices", "class_overlap")
    ]


def test_a_thorough_search_finds_the_same_planted_rows(make) -> None:
    """In the whole width."""
    made = make(width=100)
    made.x[7] = made.x[3] + 0.05 * np.random.default_rng(0).standard_normal(100)
    for search in ({}, {"search": THOROUGH}):
        near = survey(made.examples(), **search)[0]
        assert {*near.rows.tolist()} == {3, 7}


@pytest.mark.parametrize("rows", [2, 5, 31, 60])
def test_few_rows_are_no_failure(make, rows) -> None:
    """Nor one column, columns that never vary, or rows that are all equal."""
    made = make(rows=max(rows, 12))
    some = dataclasses.replace(made, **{f.name: getattr(made, f.name)[:rows] for f in dataclasses.fields(made)})
    some.labels[:2] = 0, 1
    for x in (some.x, some.x[:, :1], np.ones_like(some.x)):
        for issue in survey(dataclasses.replace(some, x=x).examples(), some.opinion()):
            assert np.isfinite(issue.score).all()


def test_one_row_stands_for_equal_ones(make) -> None:
    """The first that is not left out."""
    made = make(rows=50)
    made.group[[4, 9, 20]] = 4
    examples = made.examples()
    examples.left_out[4] = True
    rows = distinct(examples).tolist()
    assert len(rows) == 48
    assert 9 in rows


def test_rows_that_are_all_equal_are_no_failure(make) -> None:
    """One group of equal rows in every split."""
    made = make(rows=500)
    made.group[:] = 0
    made.x[:] = made.x[0]
    assert [issue.name for issue in survey(made.examples())] == ["drift", "imbalance"]


def test_of_very_many_rows_a_draw_is_searched_and_the_issues_say_so(make, monkeypatch) -> None:
    """Rows are those of the whole data, and what needs no search is of all of them."""
    monkeypatch.setattr(neighbours, "MOST", 900)
    made = make(rows=1500)
    examples = made.examples()
    seen = neighbours.looked_at(examples.features.shape, neighbours.QUICK, seed=0)
    one, other = seen[100], seen[101]
    made.x[other] = made.x[one] + 0.01
    found = {issue.name: issue for issue in survey(made.examples(), made.opinion())}
    assert [*found] == KINDS
    assert {*found["near_duplicates"].rows.tolist()} == {one, other}
    for name in KINDS[:4]:
        assert found[name].sentence.endswith("looked for in a uniform draw of 900 of 1,500 rows")
        assert found[name].figures["looked_at"] == 900
    assert "looked_at" not in found["imbalance"].figures
    assert sum(one["rows"] for one in found["imbalance"].figures["classes"]) == (examples.split == 0).sum()
