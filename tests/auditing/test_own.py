"""Promises of the audit of a person's own labels."""

import numpy as np
import pandas as pd
import pytest

from relabel.auditing.own import audit
from relabel.errors import UserError


def test_names_come_back_as_names(make) -> None:
    """Class names in, class names out, the flips among the first rows, in plain values."""
    data = make(rows=1000, distance=4)
    names = np.array(["negative", "positive"])
    found = audit(names[data.labels].tolist(), data.probability)
    first = found.table(limit=20)
    assert len(first) == 20
    assert [row["posterior"] for row in first] == sorted((row["posterior"] for row in first), reverse=True)
    assert np.mean([data.wrong[row["row"]] for row in first]) > 0.9
    assert all(row["given"] != row["suggested"] for row in first)
    assert {type(row["given"]) for row in first} == {type(row["suggested"]) for row in first} == {str}
    assert found.classes == ("negative", "positive")
    assert found.expected == pytest.approx(data.wrong.sum(), rel=0.2)
    assert found.cleanlab_flagged.sum() > 0
    assert found.notes == ()


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_lists_arrays_and_series_are_alike(make, kind) -> None:
    """The result does not depend on the container of the labels."""
    data = make(rows=500)
    found = audit(kind(data.labels.tolist()), data.probability.tolist())
    np.testing.assert_array_equal(found.posterior, audit(data.labels, data.probability).posterior)
    assert type(found.table(limit=1)[0]["given"]) is int


def test_classes_may_be_in_any_order(make) -> None:
    """With the order of the columns given, names mean the columns they stand for."""
    data = make(rows=1000)
    plain = audit(data.labels, data.probability)
    named = np.array(["b", "a"])[data.labels]
    found = audit(named, data.probability, classes=["b", "a"])
    np.testing.assert_array_equal(found.posterior, plain.posterior)
    assert found.noise.given_true[0, 1] == plain.noise.given_true[0, 1]
    assert (found.suggested[found.flagged] != named[found.flagged]).all()


def test_numbers_name_columns_even_where_one_is_unused(make) -> None:
    """Labels 0 to C-1 are columns; other numbers are classes in their order."""
    data = make(rows=500)
    wider = np.column_stack([data.probability * 0.99, np.full(500, 0.01)])
    assert audit(data.labels, wider).classes == (0, 1, 2)
    assert audit(data.labels + 1, data.probability).classes == (1, 2)


def test_a_model_that_knows_the_labels_is_noted(make) -> None:
    """Probabilities that repeat the labels are said to look as if they were not out of fold."""
    data = make(rows=500)
    sure = np.where(np.arange(2) == data.labels[:, None], 0.999, 0.001)
    (note,) = audit(data.labels, sure).notes
    assert "out of fold" in note


@pytest.mark.parametrize(
    ("labels", "probabilities", "classes", "message"),
    [
        pytest.param([0, 1], [[0.5, 0.5]] * 3, None, "2 labels but 3 rows of probabilities", id="lengths"),
        pytest.param([], [], None, r"labels have the shape \(0,\)", id="empty"),
        pytest.param([0, 1], [0.5, 0.5], None, r"probabilities have the shape \(2,\)", id="one column"),
        pytest.param(["a", None, "b"], [[0.5, 0.5]] * 3, None, r"1 of 3 rows .*: 1\) have no label", id="none"),
        pytest.param([0, 1, np.nan], [[0.5, 0.5]] * 3, None, r"1 of 3 rows .*: 2\) have no label", id="nan"),
        pytest.param(["a", "b", "c"], [[0.5, 0.5]] * 3, None, "3 distinct values, but probabilities have 2", id="more"),
        pytest.param(["a", "a", "a"], [[0.5, 0.5]] * 3, None, "1 distinct values, but probabilities have 2", id="one"),
        pytest.param(["a", "b", "x"], [[0.5, 0.5]] * 3, ["a", "b"], r": 2\) have a label that is none", id="outside"),
        pytest.param(["a", "b"], [[0.5, 0.5]] * 2, ["a", "a"], "a class is named twice", id="twice"),
        pytest.param(["a", "b"], [[0.5, 0.5]] * 2, ["a"], "1 classes are given, but", id="too few"),
        pytest.param([0, 1], [[0.5, 0.5], [np.nan, 0.5]], None, r": 1\) hold NaN", id="nan row"),
    ],
)
def test_mistakes_are_named(labels, probabilities, classes, message) -> None:
    """Each mistake has a message that says which rows or counts, and what to do."""
    with pytest.raises(UserError, match=message):
        audit(labels, probabilities, classes=classes)


def test_mistakes_of_labels_and_probabilities_are_told_together() -> None:
    """One run shows all there is to mend."""
    with pytest.raises(UserError) as error:
        audit(["a", "x"], [[0.5, 0.5], [0.5, np.nan]], classes=["a", "b"])
    assert len(error.value.problems) == 2
    assert "x" not in str(error.value).split()
