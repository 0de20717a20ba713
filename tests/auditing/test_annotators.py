"""Promises of the judgement of several annotators."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from relabel.auditing import annotators
from relabel.auditing.annotations import gathered
from relabel.errors import AlgorithmError, UserError

ACCURACY = np.array([0.92, 0.85, 0.8, 0.65])


def crowd(classes=3, rows=3000, share=1.0, accuracy=ACCURACY, seed=0):
    """Rows of known truth, labels (N, M) of annotators of known accuracy who labelled a share of them, and a fair model."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    right = rng.random((rows, len(accuracy))) < accuracy
    other = (truth[:, None] + rng.integers(1, classes, right.shape)) % classes
    labels = np.where(rng.random(right.shape) < share, np.where(right, truth[:, None], other), -1)
    probability = rng.dirichlet(np.ones(classes), rows) + 1.2 * np.eye(classes)[truth]
    return truth, labels, probability / probability.sum(axis=1, keepdims=True)


@functools.cache
def judged_crowd(classes, share, model):
    """The truth, the labels, and what is made of them."""
    truth, labels, probability = crowd(classes, share=share)
    return truth, labels, annotators.judge(labels, classes, probability if model else None)


CASES = [(classes, share, model) for classes in (2, 3) for share in (1.0, 0.7) for model in (False, True)]


@pytest.mark.parametrize(("classes", "share", "model"), CASES)
def test_the_better_annotator_has_the_higher_quality(classes, share, model) -> None:
    """In the order of their true accuracy, and the accuracy read from their agreement is within 4 points of it."""
    known = judged_crowd(classes, share, model)[2].annotators
    assert (np.diff(known.quality) < 0).all()
    assert np.abs(known.accuracy - ACCURACY).max() < 0.04
    assert (known.low <= known.agreement).all()
    assert (known.agreement <= known.high).all()


@pytest.mark.parametrize(("classes", "model"), [(2, False), (2, True), (3, False), (3, True)])
def test_the_consensus_is_right_more_often_than_any_annotator(classes, model) -> None:
    """Also than the best of them, where all labelled all."""
    truth, labels, judged = judged_crowd(classes, 1.0, model)
    assert (judged.consensus == truth).mean() > (labels == truth[:, None]).mean(axis=0).max()


@pytest.mark.parametrize(("classes", "share", "model"), CASES)
def test_the_next_rows_are_the_most_doubtful(classes, share, model) -> None:
    """The first tenth of them holds at least twice its part of the consensus' errors."""
    truth, _, judged = judged_crowd(classes, share, model)
    labelled = judged.count > 0
    wrong = (judged.consensus != truth) & labelled
    first = judged.order[: len(judged.order) // 10]
    assert wrong[first].mean() > 2 * wrong[labelled].mean()
    assert (np.diff(judged.score[judged.order]) >= 0).all()


def test_without_a_model_quality_is_a_probability() -> None:
    """Its mean is the consensus' accuracy, within two points."""
    truth, labels, _ = crowd(share=0.8)
    judged = annotators.judge(labels, 3)
    known = judged.count > 0
    assert abs(judged.quality[known].mean() - (judged.consensus == truth)[known].mean()) < 0.02


def test_a_row_with_one_label_is_as_sure_as_its_annotator() -> None:
    """Agreement with oneself is no evidence: such rows come before those on which two agree."""
    _, labels, _ = crowd(classes=2, share=0.5)
    judged = annotators.judge(labels, 2)
    alone = judged.count == 1
    assert (judged.agreement[alone] == 1).all()
    m = labels[alone].argmax(axis=1)
    assert np.abs(judged.quality[alone] - judged.annotators.accuracy[m]).max() < 0.02
    agreed = (judged.count > 1) & (judged.agreement == 1)
    assert judged.quality[agreed].mean() > judged.quality[alone].mean()


@pytest.mark.parametrize("model", [False, True])
def test_a_tie_goes_to_the_better_annotator(model) -> None:
    """Where the model, if any, cannot tell; and it is said that the row was tied."""
    _, labels, probability = crowd(classes=2, rows=1000)
    labels[:100] = [0, -1, -1, 1]
    labels[100:200] = [1, -1, -1, 0]
    probability[:200] = 0.5
    judged = annotators.judge(labels, 2, probability if model else None)
    assert judged.tied[:200].all()
    assert (judged.consensus[:100] == 0).all()
    assert (judged.consensus[100:200] == 1).all()


def test_the_model_breaks_a_tie_of_equals() -> None:
    """Two equally good annotators who disagree: the class that the model holds for likelier."""
    _, labels, probability = crowd(classes=2, rows=1000, accuracy=[0.85, 0.85])
    judged = annotators.judge(labels, 2, probability)
    tied = judged.tied
    assert tied.sum() > 100
    assert (judged.consensus[tied] == probability[tied].argmax(axis=1)).mean() > 0.95


@pytest.mark.parametrize("model", [False, True])
def test_an_annotator_with_few_labels_is_drawn_to_the_others(model) -> None:
    """Two labels that nobody shares, or two that others contradict, condemn nobody; how many there are is said."""
    _, labels, probability = crowd(classes=2, rows=1000)
    few = np.full((len(labels), 2), -1)
    few[:2, 0] = 1 - labels[:2, 0]
    labels[5:7] = -1
    few[5:7, 1] = 1
    known = annotators.judge(np.hstack([labels, few]), 2, probability if model else None).annotators
    assert known.labels[4:].tolist() == [2, 2]
    assert known.shared[4:].tolist() == [2, 0]
    assert np.isfinite(known.quality).all()
    assert 0.6 < known.accuracy[4] < known.accuracy[5]
    assert known.accuracy[5] == pytest.approx(known.accuracy[:4].mean(), abs=0.06)
    assert np.isnan(known.agreement[5])
    assert (known.low[5], known.high[5]) == (0, 1)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("model", [False, True])
def test_one_annotator_or_none_in_common_is_no_failure(shared, model) -> None:
    """The consensus is the label that is given; with a model, its probability is the quality."""
    _, labels, probability = crowd(classes=2, rows=400)
    if not shared:
        labels[np.arange(4) != np.arange(400)[:, None] % 4] = -1
    labels = labels[:, :1] if shared else labels
    judged = annotators.judge(labels, 2, probability if model else None)
    assert (judged.consensus == labels.max(axis=1)).all()
    assert np.isfinite(judged.annotators.quality).all()
    if model:
        assert judged.quality == pytest.approx(probability[np.arange(400), judged.consensus], abs=1e-6)


def test_rows_that_nobody_labelled_wait_for_a_label_where_a_model_knows_them() -> None:
    """They have no consensus, a score with a model, and no place in the queue without."""
    _, labels, probability = crowd(classes=2, rows=500)
    labels[:50] = -1
    probability[:50] = 0.5
    judged = annotators.judge(labels, 2, probability)
    assert (judged.consensus[:50] == -1).all()
    assert np.isnan(judged.quality[:50]).all()
    assert {*range(50)} <= {*judged.order[:100].tolist()}
    assert not {*range(50)} & {*annotators.judge(labels, 2).order.tolist()}


@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.integers(-1, 2)), st.booleans())
def test_any_table_is_judged_without_chance(labels, model) -> None:
    """However few labels and whoever disagrees: figures in range, each consensus one of the row's most given or the model's, twice the same."""
    labels[0, :] = labels[0, :].clip(min=0)
    probability = np.full((len(labels), 3), 1 / 3) if model else None
    np.random.seed(0)  # noqa: NPY002  # cleanlab would draw from this
    one = annotators.judge(labels, 3, probability)
    np.random.seed(1)  # noqa: NPY002
    other = annotators.judge(labels, 3, probability)
    known = one.count > 0
    assert (one.consensus == other.consensus).all()
    assert (one.consensus[known] >= 0).all()
    assert ((one.quality[known] >= 0) & (one.quality[known] <= 1 + 1e-9)).all()
    assert ((one.annotators.quality >= 0) & (one.annotators.quality <= 1 + 1e-9)).all()


def test_labels_that_are_no_table_are_refused() -> None:
    """An unknown class, an annotator without labels, one axis."""
    for labels in (np.array([[3, 0]]), np.array([[0, -1]]), np.array([0, 1])):
        with pytest.raises(AlgorithmError):
            annotators.judge(labels, 2)


def test_a_table_becomes_a_matrix() -> None:
    """Rows in the order of their first line, annotators by name, a repeated label once."""
    found = gathered(["b", "a", "b", "b"], ["eve", "ann", "ann", "ann"], np.array(["1", "0", "1.0", "1"], dtype=object))
    assert found.rows == ("b", "a")
    assert found.annotators == ("ann", "eve")
    assert found.classes == ("0", "1")
    assert found.labels.tolist() == [[1, 1], [0, -1]]


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([("0", "ann", "1"), ("0", "ann", "0")], "two labels by one annotator"),
        ([("0", "", "1"), ("1", "ann", " ")], "2 problems"),
        ([("0", "ann", "maybe"), ("1", "ann", "0")], "`maybe` is none of the classes"),
        ([("7", "ann", "1"), ("1", "ann", "0")], "no row `7`"),
        ([], "no labels"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(lines, word) -> None:
    """Contradictions, empty cells, unknown rows and labels."""
    rows, people, given = zip(*lines, strict=True) if lines else ((), (), ())
    with pytest.raises(UserError, match=word):
        gathered(rows, people, np.array(given, dtype=object), every=["0", "1", "2"], classes=["0", "1"])
