"""Promises of the guarded use of cleanlab."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues

from relabel.auditing import confident
from relabel.errors import AlgorithmError, UserError


def ten_of_200() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """200 labels of which ten are flipped, and probabilities that know better."""
    rng = np.random.default_rng(0)
    truth = np.arange(200) % 2
    flipped = np.zeros(200, bool)
    flipped[rng.choice(200, 10, replace=False)] = True
    right = rng.uniform(0.8, 0.99, 200)
    probability = np.where(np.arange(2) == truth[:, None], right[:, None], 1 - right[:, None])
    return np.where(flipped, 1 - truth, truth), probability, flipped


def test_the_boolean_mask_of_flags_is_never_used_as_indices() -> None:
    """Ten flips among 200 rows are at most ten flags and most of them, on the right rows: not rows 0 and 1, nor all 200."""
    labels, probability, flipped = ten_of_200()
    flags = confident.flags(labels, probability)
    assert flags.dtype == np.bool_
    assert flags.shape == (200,)
    assert 5 <= flags.sum() <= 10
    assert flipped[flags].all()
    assert flags[:2].tolist() == flipped[:2].tolist()


def test_an_answer_in_indices_is_refused(monkeypatch) -> None:
    """Should cleanlab ever answer with indices, it is an error and not a result."""
    labels, probability, _ = ten_of_200()

    def indices(*args, **options) -> np.ndarray:
        return find_label_issues(*args, **options, return_indices_ranked_by="self_confidence")

    monkeypatch.setattr(confident, "find_label_issues", indices)
    with pytest.raises(AlgorithmError, match="expected one bool for each of 200 rows"):
        confident.flags(labels, probability)


def test_one_bad_row_is_an_error_and_not_zero_issues() -> None:
    """NaN in one row, which cleanlab takes for a data set without issues, is refused with its row."""
    labels, probability, _ = ten_of_200()
    probability[7, 0] = np.nan
    with pytest.raises(UserError, match=r"counted from 0: 7\) hold NaN"):
        confident.flags(labels, probability)


def test_rows_that_sum_to_a_half_are_refused() -> None:
    """What cleanlab lets pass does not pass here."""
    labels, probability, _ = ten_of_200()
    with pytest.raises(UserError, match=r"200 of 200 rows .* do not sum to 1"):
        confident.flags(labels, probability / 2)


def test_single_precision_and_values_just_above_one_are_fine() -> None:
    """Probabilities as networks give them change no flag."""
    labels, probability, _ = ten_of_200()
    rough = probability.astype(np.float32) * np.float32(1.00001)
    rough[0] = [1.00001, 0.0] if labels[0] == 0 else [0.0, 1.00001]
    assert (confident.flags(labels, rough)[1:] == confident.flags(labels, probability)[1:]).all()


def test_classes_that_no_label_names_are_fine() -> None:
    """A third column that nobody chose neither fails nor warns, nor moves the flags."""
    labels, probability, flipped = ten_of_200()
    wider = np.column_stack([probability * 0.98, np.full(200, 0.02)])
    flags = confident.flags(labels, wider)
    assert 5 <= flags.sum() <= 10
    assert flipped[flags].all()


@pytest.mark.parametrize("labels", [np.zeros(200, np.int64), np.full(200, -1)], ids=["one class", "unlabelled"])
def test_nothing_is_flagged_where_nothing_can_be_confused(labels) -> None:
    """With one class, or without any label, there are no flags."""
    _, probability, _ = ten_of_200()
    assert not confident.flags(labels, probability).any()


def test_unlabelled_rows_are_left_out() -> None:
    """The label -1 is never flagged, has no confidence, and leaves the other rows as they would be without it."""
    labels, probability, _ = ten_of_200()
    some = np.where(np.arange(200) < 20, -1, labels)
    flags, confidence = confident.flags(some, probability), confident.self_confidence(some, probability)
    assert not flags[:20].any()
    assert np.isnan(confidence[:20]).all()
    assert (flags[20:] == confident.flags(labels[20:], probability[20:])).all()
    np.testing.assert_allclose(confidence[20:], probability[np.arange(20, 200), labels[20:]])


@pytest.mark.parametrize(
    "labels", [np.zeros(200, bool), np.zeros(200), np.full(200, 2), np.full(200, -2)], ids=["bool", "float", "2", "-2"]
)
def test_labels_that_are_no_classes_are_refused(labels) -> None:
    """Labels are whole numbers from -1 to C-1, of which cleanlab's own errors say little."""
    _, probability, _ = ten_of_200()
    with pytest.raises(AlgorithmError, match="not all whole numbers from -1 to 1"):
        confident.flags(labels, probability)
