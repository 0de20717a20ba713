"""Promises of each kind of issue: what is planted is found, and said."""

import numpy as np

from relabel.auditing.data_issues.survey import survey


def found(made, name):
    """The issue of that name."""
    return next(issue for issue in survey(made.examples(), made.opinion()) if issue.name == name)


def copies(made, first, *others, seed=0) -> None:
    """Make rows nearly equal to the first."""
    noise = np.random.default_rng(seed).standard_normal((len(others), made.x.shape[1]))
    made.x[list(others)] = made.x[first] + 0.05 * noise


def test_near_duplicates_are_found_in_sets(make) -> None:
    """Three planted sets, of two to fifteen rows, and nothing else."""
    made = make(rows=5000, width=100)
    planted = [(0, 1), (10, 11, 12), tuple(range(20, 35))]
    for one in planted:
        copies(made, *one)
    issue = found(made, "near_duplicates")
    sets = {frozenset(issue.rows[issue.part == n].tolist()) for n in range(issue.count)}
    assert sets == {frozenset(one) for one in planted}


def test_near_duplicates_across_splits_and_with_other_labels_are_counted(make) -> None:
    """A set in train and test leaks, a set with two labels has a wrong one."""
    made = make(width=100)
    for first in (0, 10, 20):
        copies(made, first, first + 1)
        made.split[[first, first + 1]] = 0
        made.labels[[first, first + 1]] = 0
    made.split[1], made.labels[11] = 2, 1
    figures = found(made, "near_duplicates").figures
    assert (figures["sets_across_splits"], figures["sets_with_different_labels"]) == (1, 1)


def test_equal_rows_come_along_with_a_near_one(make) -> None:
    """Equal rows alone are no near duplicates; all of a group belong to the set of any."""
    made = make(width=100)
    made.x[1] = made.x[2] = made.x[0]
    made.x[6] = made.x[5]
    made.group[[1, 2]], made.group[6] = 0, 5
    copies(made, 0, 3)
    issue = found(made, "near_duplicates")
    assert issue.count == 1
    assert sorted(issue.rows.tolist()) == [0, 1, 2, 3]


def test_outliers_are_found_worst_first(make) -> None:
    """Rows without the structure of the others, and rows that are far too long; equal ones together."""
    made = make(rows=3000, width=100)
    rng = np.random.default_rng(1)
    mixing = rng.standard_normal((8, 100))
    made.x = rng.standard_normal((3000, 8)) @ mixing + 0.1 * rng.standard_normal((3000, 100))
    made.x[:5] = made.x.std() * rng.standard_normal((5, 100))
    made.x[5:10] *= 30
    made.x[10], made.group[10] = made.x[5], 5
    issue = found(made, "outliers")
    assert {*range(11)} <= {*issue.rows.tolist()}
    assert issue.count <= 12
    assert (np.diff(issue.score) <= 0).all()


def test_a_rare_class_is_named(make) -> None:
    """With its rows and their share."""
    made = make(classes=3)
    made.labels[made.labels == 2] = 0
    made.labels[np.flatnonzero(made.split == 0)[:20]] = 2
    issue = found(made, "imbalance")
    assert issue.figures["rare"] == ["c"]
    assert "`c` has 20 of 1,200 rows (1.7%)" in issue.sentence
    assert issue.rows.size == 20


def test_a_weak_cluster_is_found_with_its_words(make) -> None:
    """Where the model guesses on one topic, a slice of mostly that topic is listed, its interval below the overall accuracy."""
    made = make(rows=4000)
    topic = np.array([text.startswith("topic3 ") for text in made.texts])
    made.right[topic] = np.random.default_rng(0).random(topic.sum()) < 0.5
    issue = found(made, "weak_slices")
    assert issue.count >= 1
    first = issue.figures["slices"][0]
    assert first["words"][0] == "topic3"
    assert first["interval"][0] < first["accuracy"] < first["interval"][1] < issue.figures["accuracy"]
    assert topic[issue.rows[issue.part == 0]].mean() > 0.9


def test_a_weak_class_and_weak_lengths_are_found(make) -> None:
    """Slices need no cluster: one class of three, and short texts."""
    made = make(rows=4000, classes=3)
    made.right[made.labels == 1] &= np.random.default_rng(0).random((made.labels == 1).sum()) < 0.7
    made.texts[:600] = "short"
    made.right[:600] &= np.random.default_rng(1).random(600) < 0.6
    names = {one["name"] for one in found(made, "weak_slices").figures["slices"]}
    assert "class `b`" in names
    assert any(name.startswith("texts of 5 to ") for name in names)


def test_texts_are_not_needed(make) -> None:
    """Then slices have no words."""
    made = make(rows=4000).less_texts()
    made.right[made.x[:, 0] > 2] = False
    issue = found(made, "weak_slices")
    assert issue.count
    assert all(one["words"] == [] for one in issue.figures["slices"])


def test_the_pair_of_classes_that_overlaps_is_named(make) -> None:
    """And not its neighbours; rows whose label is likely wrong do not count."""
    made = make(classes=4)
    mixed = np.flatnonzero(made.labels == 1)[:150]
    made.right[mixed] = False
    issue = found(made, "class_overlap")
    assert issue.count == 1
    assert issue.figures["pairs"][0]["classes"] == ["b", "c"]
    assert {*mixed.tolist()} <= {*issue.rows.tolist()}
    examples, opinion = made.examples(), made.opinion()
    opinion.wrong[mixed] = 0.9
    assert survey(examples, opinion)[-1].count == 0


def test_drift_of_inputs_is_found_in_the_split_that_drifted(make) -> None:
    """Test rows moved a little, dev rows not; the rows listed are of test, those least like train first."""
    made = make(rows=4000)
    moved = made.split == 2
    made.x[moved, :3] += 1.0
    issue = found(made, "drift")
    dev, test = issue.figures["splits"]
    assert (dev["drifted"], test["drifted"]) == (False, True)
    assert test["auc_interval"][0] < test["auc"] < test["auc_interval"][1]
    assert moved[issue.rows].all()
    assert "test is told" in issue.sentence.replace("a row of test", "test")


def test_drift_of_spread_is_found(make) -> None:
    """A split with the same mean and another spread is not alike."""
    made = make(rows=4000)
    moved = made.split == 1
    made.x[moved] += np.random.default_rng(0).standard_normal((moved.sum(), made.x.shape[1]))
    assert [one["drifted"] for one in found(made, "drift").figures["splits"]] == [True, False]


def test_drift_of_labels_is_found(make) -> None:
    """Where a class' share differs."""
    made = make(rows=4000)
    test = np.flatnonzero(made.split == 2)
    made.labels[test[:300]] = 0
    issue = found(made, "drift")
    assert issue.count == 1
    assert not issue.figures["splits"][1]["inputs_drifted"]
    assert "of test are `a`" in issue.sentence
