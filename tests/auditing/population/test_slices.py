"""Promises of slices: what the loss goes with is found, and what it does not is not."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from relabel.auditing.population import bins, columns, judged, slices, trends
from relabel.text import measures

ROWS = 3000
NO_CLUSTER = np.full(ROWS, -1, np.int16)


def test_a_measure_that_causes_loss_is_the_worst_slice_and_a_trend(make) -> None:
    """With the words that are unknown, not with the length, which goes with nothing."""
    rng = np.random.default_rng(1)
    measured = {
        "words": rng.integers(1, 40, ROWS).astype(np.float32),
        "unknown_share": rng.random(ROWS, np.float32),
    }
    examples, opinion = make(right=rng.random(ROWS) > 0.05 + 0.4 * (measured["unknown_share"] > 0.8))
    judgement = judged.judge(examples, opinion)
    sliced = slices.sliced(examples, judgement, measured, NO_CLUSTER, ())
    found, worst = sliced.slices, sliced.worst
    assert (worst[0].measure, len(worst)) == ("unknown_share", 1)
    assert worst[0].interval[0] < worst[0].accuracy < worst[0].interval[1] < judgement.right.mean()
    (trend,) = trends.find(examples, judgement, measured)
    assert trend.measure == "unknown_share"
    assert 0.05 < trend.interval[0] < trend.correlation < trend.interval[1]
    assert "the loss grows with it" in trend.sentence
    loss = {each.measure: [one.loss for one in each.bins] for each in found}
    assert loss["unknown_share"][-1] > 2 * loss["unknown_share"][0]
    assert max(loss["words"]) < 1.5 * min(loss["words"])


def test_neutral_texts_are_a_trend_although_both_ends_are_easy(make) -> None:
    """Of polarity it is the distance from neutral that counts."""
    rng = np.random.default_rng(2)
    polarity = rng.uniform(-1, 1, ROWS).astype(np.float32)
    examples, opinion = make(right=rng.random(ROWS) > 0.4 * (np.abs(polarity) < 0.3))
    (trend,) = trends.find(examples, judged.judge(examples, opinion), {"polarity": polarity})
    assert trend.correlation < -0.1
    assert trend.sentence.startswith("Distance of the polarity from neutral: the loss falls with it")


def test_an_annotator_who_errs_is_found(make) -> None:
    """By a column of the data; one of numbers is cut into ranges, one of names into names."""
    rng = np.random.default_rng(3)
    who = rng.choice(["ann", "bob", "cy", ""], ROWS).astype(object)
    age = rng.integers(20, 60, ROWS).astype(str).astype(object)
    examples, opinion = make(right=rng.random(ROWS) > 0.05 + 0.3 * (who == "bob"), metadata={"who": who, "age": age})
    sliced = slices.sliced(examples, judged.judge(examples, opinion), {}, NO_CLUSTER, ())
    found, worst = sliced.slices, sliced.worst
    assert (worst[0].measure, worst[0].title, worst[0].name) == ("metadata.who", "who", "bob")
    by = {each.measure: each for each in found}
    assert {one.name for one in by["metadata.who"].bins} == {"ann", "bob", "cy", bins.EMPTY}
    assert by["metadata.who"].kind == "category"
    assert (by["metadata.age"].kind, len(by["metadata.age"].bins)) == ("number", 5)


def test_a_weak_class_split_and_cluster_are_among_the_worst(make) -> None:
    """A cluster has its words."""
    rng = np.random.default_rng(4)
    examples, _ = make()
    cluster = rng.integers(0, 4, ROWS).astype(np.int16)
    about = [slices.Cluster(n, [f"word{n}"], 0, None, None, None, 0, {}) for n in range(4)]
    for bad, measure, name in (
        (examples.labels == 1, "class", "yes"),
        (examples.split == 2, "split", "test"),
        (cluster == 3, "cluster", "3"),
    ):
        same, opinion = make(right=rng.random(ROWS) > 0.05 + 0.25 * bad)
        worst = slices.sliced(same, judged.judge(same, opinion), {}, cluster, about).worst
        assert (worst[0].measure, worst[0].name) == (measure, name)
        assert worst[0].words == (["word3"] if measure == "cluster" else [])


@pytest.mark.parametrize("written", ["annotator {:02d}", "{}"], ids=["names", "numbers"])
def test_one_annotator_of_forty_who_errs_is_found(make, written) -> None:
    """Every value that stands in many rows is looked at, though a figure shows few, and though ids look like quantities."""
    rng = np.random.default_rng(0)
    who = rng.integers(1, 41, 2 * ROWS)
    right = rng.random(who.size) > np.where(who == 17, 0.45, 0.05)
    metadata = {"who": np.array([written.format(n) for n in who], object)}
    examples, opinion = make(rows=who.size, right=right, metadata=metadata)
    found = slices.sliced(examples, judged.judge(examples, opinion), {}, np.full(who.size, -1, np.int16), ())
    assert [(one.name, one.rows) for one in found.worst] == [(written.format(17), (who == 17).sum())]
    assert len(found.slices[0].bins) <= columns.COMMONEST


def test_a_weak_class_of_very_many_is_found(make) -> None:
    """Classes of few rows are not looked at, so that they do not make the intervals of others wide."""
    labels = np.concatenate([np.zeros(300, int), np.ones(300, int), np.arange(ROWS - 600)])
    classes = tuple(f"class {n}" for n in range(ROWS))
    examples, opinion = make(labels=labels % 2)
    right = np.random.default_rng(0).random(ROWS) > np.where(labels == 1, 0.3, 0.05)
    judgement = judged.Judged(np.arange(ROWS), np.ones(ROWS), right, opinion.wrong)
    many = dataclasses.replace(examples, labels=labels, classes=classes)
    found = slices.sliced(many, judgement, {}, NO_CLUSTER, ())
    assert [(one.measure, one.name) for one in found.worst] == [("class", "class 1")]


def test_a_column_that_tells_nothing_is_named_with_the_reason(make) -> None:
    """So that nobody looks for its figure."""
    names = {
        "own": [f"u{n}" for n in range(ROWS)],
        "same": ["x"] * ROWS,
        "empty": ["NA"] * ROWS,
        "who": ["a", "b"] * (ROWS // 2),
    }
    examples, opinion = make(metadata={name: np.array(values, object) for name, values in names.items()})
    found = slices.sliced(examples, judged.judge(examples, opinion), {}, NO_CLUSTER, ())
    assert [one.title for one in found.slices] == ["who"]
    assert {one.title: one.why for one in found.skipped} == {
        "own": "no value stands in 30 rows",
        "same": "all rows have the same value",
        "empty": "no row has a value",
    }


def test_losses_that_are_chance_are_hardly_ever_surely_above_the_mean(make) -> None:
    """Intervals of bins hold for all of them together, for losses as skewed as they are."""
    surely = 0
    examples, _ = make()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        loss = rng.gamma(0.3, 1.0, ROWS)
        judgement = judged.Judged(np.arange(ROWS), loss, loss < 0.7, np.zeros(ROWS))
        measured = {name: rng.random(ROWS, np.float32) for name in measures.TITLES}
        found = slices.sliced(examples, judgement, measured, NO_CLUSTER, ())
        surely += any(one.loss_interval[0] > loss.mean() for each in found.slices for one in each.bins)
    assert len(measures.TITLES) * bins.PARTS == sum(len(each.bins) for each in found.slices)
    assert surely <= 1


def test_the_overall_figures_are_those_of_the_rows_that_slices_are_of(make) -> None:
    """The parts of a measure, weighed by their rows, give them back; copies of a row count once."""
    rng = np.random.default_rng(5)
    group = np.concatenate([np.zeros(900, int), np.arange(1, ROWS - 899)])
    who = np.where(np.arange(ROWS) < 1500, "a", "b").astype(object)
    examples, opinion = make(right=rng.random(ROWS) > 0.3, group=group, metadata={"who": who})
    judgement = judged.judge(examples, opinion)
    overall = judged.overall(judgement)
    (who_bins,) = (each.bins for each in slices.sliced(examples, judgement, {}, NO_CLUSTER, ()).slices)
    rows = [one.rows for one in who_bins]
    assert overall.rows == sum(rows) == ROWS - 899
    assert overall.loss == pytest.approx(np.average([one.loss for one in who_bins], weights=rows))
    assert overall.accuracy == pytest.approx(np.average([one.accuracy for one in who_bins], weights=rows))


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_where_errors_are_chance(make, seed) -> None:
    """Intervals hold for all looks together."""
    rng = np.random.default_rng(seed)
    measured = {name: rng.random(ROWS, np.float32) for name in ("words", "polarity", "smog", "lix")}
    examples, opinion = make(seed=seed, metadata={"who": rng.choice(list("abcdef"), ROWS).astype(object)})
    judgement = judged.judge(examples, opinion)
    assert slices.sliced(examples, judgement, measured, NO_CLUSTER, ()).worst == ()
    assert trends.find(examples, judgement, measured) == ()


def test_duplicates_and_rows_without_a_label_do_not_count(make) -> None:
    """Each group of equal rows counts once, as the row that is not left out."""
    left_out = np.zeros(ROWS, bool)
    left_out[0] = True
    labels = np.random.default_rng(0).integers(0, 2, ROWS)
    labels[10:20] = -1
    group = np.arange(ROWS)
    group[0] = 1
    examples, opinion = make(labels=labels, left_out=left_out, group=group)
    rows = judged.judge(examples, opinion).rows
    assert rows.size == ROWS - 1 - 10
    assert 0 not in rows
    assert 1 in rows


numbers = arrays.arrays(
    np.float32, st.integers(0, 300), elements=st.sampled_from([0, 0, 0, 1, 2, 2.5, 7, -3, 1e6, np.nan])
)


@given(numbers)
def test_parts_of_numbers_hold_every_number_once(values) -> None:
    """Parts rise, do not overlap, are not small, and say their ends."""
    parts = bins.of_numbers(values)
    if not parts:
        return
    together = np.stack([part.chosen for part in parts])
    assert (together.sum(axis=0) == np.isfinite(values)).all()
    assert together.sum(axis=1).min() >= bins.FEWEST
    assert 2 <= len(parts) <= bins.PARTS
    for part in parts:
        assert part.low == values[part.chosen].min() <= part.high == values[part.chosen].max()
    assert all(first.high < second.low for first, second in pairwise(parts))


def test_a_number_that_most_rows_have_is_a_part_of_its_own() -> None:
    """Texts without unknown words are not thrown together with others; where nearly all have it there are no parts."""
    parts = bins.of_numbers(np.concatenate([np.zeros(600), np.linspace(0.01, 1, 400)]))
    assert (parts[0].name, parts[0].chosen.sum()) == ("0", 600)
    assert len(parts) == 3
    for other in (-7, 7):
        assert bins.of_numbers(np.array([0] * 59 + [other])) == []
