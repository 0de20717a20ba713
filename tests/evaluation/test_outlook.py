"""Promises of the answer to "more labels or cleaner labels?"."""

import dataclasses

import numpy as np
import pytest

from relabel.evaluation import outlook
from relabel.evaluation.comparison import Interval
from relabel.evaluation.outlook import Copy, Held, Outlook, Step

SIZES = np.array([300.0, 600.0, 1200.0, 2400.0])
NOISE = np.array([[0.8, 0.2], [0.2, 0.8]])
ROWS = 3000


def gain(low: float, value: float, high: float) -> Interval:
    """Points of accuracy."""
    return Interval(low / 100, value / 100, high / 100)


def judged(checked, ahead, *, double, as_many=(0.1, 0.2, 0.3), equivalent=(500, 800, 1200)) -> Outlook:
    """Put an outlook together from its figures, in points."""
    more = (Step(300, gain(0.1, 0.2, 0.3)), Step(3000, gain(*double)))
    found = Outlook(
        rows=3000,
        doubtful=400,
        curve=(),
        plain=(),
        more=more,
        as_many=gain(*as_many),
        dropped=None,
        relabelled=None,
        checked=None if checked is None else gain(*checked),
        ahead=None if checked is None else gain(*ahead),
        equivalent=None if checked is None else Interval(*map(float, equivalent)),
    )
    answer, sentence = outlook.said(found)
    return dataclasses.replace(found, answer=answer, sentence=sentence)


def test_cleaner_labels_are_said_to_be_worth_so_many_further_ones() -> None:
    """Checking that surely gains more than as many further labels: with its gain, interval and equivalent."""
    found = judged((0.2, 0.8, 1.3), (0.1, 0.6, 1.1), double=(0.5, 1.0, 1.5), equivalent=(530, 2123, 9000))
    assert found.answer == "cleaner"
    assert found.sentence == (
        "Cleaner labels: checking the 400 most doubtful labels is worth +0.8 points (0.2 to 1.3), as much as 2,100 further labels "
        "(530 to 9,000); as many further labels are worth +0.2 points (0.1 to 0.3)."
    )


@pytest.mark.parametrize(
    ("equivalent", "words"),
    [
        ((530, 2123, np.inf), "as much as 2,100 further labels (530 to more than 57,000)"),
        ((530, np.inf, np.inf), "more than any number of further labels up to 57,000"),
    ],
)
def test_an_equivalent_that_no_curve_tells_is_not_made_up(equivalent, words) -> None:
    """Beyond twenty times the rows the sentence has a bound and no number."""
    found = judged((0.2, 0.8, 1.3), (0.1, 0.6, 1.1), double=(0.5, 1.0, 1.5), equivalent=equivalent)
    assert words in found.sentence


def test_more_labels_where_cleaning_shows_no_gain_and_they_do() -> None:
    """The smallest number of further labels that surely gains more than checking can is named."""
    found = judged((-0.5, 0.1, 0.6), (-0.8, -0.1, 0.5), double=(0.9, 1.5, 2.0))
    assert found.answer == "more"
    assert (
        "(-0.5 to 0.6), which may be none; 3,000 further labels (100% more) are worth +1.5 points (0.9 to 2.0)"
        in found.sentence
    )


def test_more_labels_where_as_many_gain_more() -> None:
    """Checking gains, and as many further labels surely gain more."""
    found = judged((0.1, 0.3, 0.5), (-1.5, -1.0, -0.5), double=(2, 3, 4), as_many=(1.0, 1.3, 1.6))
    assert found.answer == "more"
    assert found.sentence.startswith(
        "More labels: checking the 400 most doubtful labels is worth +0.3 points (0.1 to 0.5)"
    )


@pytest.mark.parametrize(
    ("checked", "ahead", "double"),
    [((0.1, 0.5, 0.9), (-0.3, 0.2, 0.7), (0.3, 1.0, 1.5)), ((-0.5, 0.1, 0.6), (-0.8, -0.1, 0.5), (0.1, 0.4, 0.8))],
)
def test_what_cannot_be_told_is_said_not_to_be(checked, ahead, double) -> None:
    """Where intervals overlap, or neither surely gains, the answer is that nobody can tell, with both figures."""
    found = judged(checked, ahead, double=double)
    assert found.answer == "cannot tell"
    assert found.sentence.startswith("Cannot tell: checking the 400")
    assert "further labels (100% more)" in found.sentence


def test_without_a_doubtful_label_there_is_nothing_to_clean() -> None:
    """Then more labels are all that is left."""
    found = judged(None, None, double=(0.5, 1.0, 1.5))
    assert found.answer == "more"
    assert found.sentence.startswith("More labels: no label is doubtful; 300 further labels")


def probabilities(rng: np.random.Generator, truth: np.ndarray, accuracy: float, seeds: int = 4) -> np.ndarray:
    """Probabilities (S, n, 2) that name the true class of so many rows; which ones, chance tells alike for all accuracies."""
    right = rng.random((seeds, truth.size)) < accuracy
    return np.where((np.where(right, truth, 1 - truth)[..., None] == np.arange(2)), 0.9, 0.1)


def held(accuracies: list[float], *, checked: float | None, wrong: bool = True) -> tuple[Held, np.ndarray]:
    """Rows whose labels are noisy, models of known accuracy on the true ones, and a copy."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, ROWS)
    labels = np.where(rng.random(ROWS) < (0.2 if wrong else 0), 1 - truth, truth)

    def models(accuracy: float) -> np.ndarray:
        return probabilities(np.random.default_rng(1), truth, accuracy)

    last = accuracies[-1]
    return Held(
        labels=labels,
        sizes=SIZES,
        shares=np.stack([models(accuracy) for accuracy in accuracies]),
        noise=NOISE if wrong else np.eye(2),
        doubtful=0 if checked is None else 300,
        dropped=None if checked is None else models(last),
        relabelled=None if checked is None else models(last),
        copy=None if checked is None else Copy(truth, models(last), models(last + checked)),
    ), np.arange(ROWS)


def test_accuracy_is_that_on_right_labels() -> None:
    """A model that is right on 80% of the true labels scores less on noisy ones, and its figure on right ones is near 80%."""
    found = outlook.weigh(*held([0.6, 0.7, 0.75, 0.8], checked=0.05), seed=0, resamples=200)
    right, plain = found.curve[-1].accuracy, found.plain[-1].accuracy
    assert right.low < 0.8 < right.high
    assert plain.value == pytest.approx(0.8 * 0.8 + 0.2 * 0.2, abs=0.02)


def test_a_gain_of_checking_beside_a_flat_curve_means_cleaner() -> None:
    """Five points from checking, nothing from more."""
    found = outlook.weigh(*held([0.8, 0.8, 0.8, 0.8], checked=0.05), seed=0, resamples=200)
    assert found.answer == "cleaner"
    assert found.checked is not None
    assert found.checked.low < 0.05 < found.checked.high
    assert "up to 57,000" in found.sentence
    assert found.as_dict()["equivalent"]["value"] is None


def test_a_steep_curve_beside_clean_labels_means_more() -> None:
    """Checking gains nothing while every doubling gains."""
    found = outlook.weigh(*held([0.6, 0.68, 0.74, 0.785], checked=0.0, wrong=False), seed=0, resamples=200)
    assert found.answer == "more"
    gains = [step.accuracy.value for step in found.more]
    assert gains == sorted(gains)
    assert gains[-1] == pytest.approx(0.035, abs=0.015)


def test_figures_are_plain_values() -> None:
    """JSON takes them, with and without doubtful labels."""
    found = outlook.weigh(*held([0.6, 0.7, 0.75, 0.8], checked=None), seed=0, resamples=50)
    assert found.answer == "more"
    assert found.as_dict()["checked"] is None
    assert found.as_dict()["curve"][0].keys() == {"rows", "accuracy"}
