"""Promises of labels and classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from relabel.data.labels import UNLABELLED, empty, encode, known


def strings(*values: str) -> np.ndarray:
    """Values as a reader gives them."""
    return np.array(values, dtype=object)


def test_whole_numbers_are_ordered_as_numbers() -> None:
    """10 comes after 9, and minus before plus."""
    encoded = encode(strings("10", "9", "-1", "9"))
    assert encoded.classes == ("-1", "9", "10")
    assert encoded.codes.tolist() == [2, 1, 0, 1]


def test_a_number_has_one_class_however_it_is_spelled() -> None:
    """`1`, `1.0`, `01`, `+1` and ` 1 ` are one class."""
    assert encode(strings("1", "1.0", "01", "+1", " 1 ", "0.")).codes.tolist() == [1, 1, 1, 1, 1, 0]


def test_names_are_sorted() -> None:
    """Names, also those that look nearly like numbers, are classes in sorted order."""
    assert encode(strings("positive", "negative", " positive")).classes == ("negative", "positive")
    assert encode(strings("1_1", "1_2")).classes == ("1_1", "1_2")
    assert encode(strings("NA", "nan", "EU")).classes == ("EU", "NA", "nan")
    assert encode(strings("True", "False")).classes == ("False", "True")


def test_numbers_among_names_are_names() -> None:
    """One name makes all labels names, as they are spelled."""
    encoded = encode(strings("1", "1.5", "many"))
    assert encoded.classes == ("1", "1.5", "many")
    assert not encoded.refused.any()


def test_numbers_that_are_not_whole_are_refused() -> None:
    """Where all are numbers, fractions and NaN are no labels."""
    encoded = encode(strings("1", "0.5", "NaN", "0", "1e2"))
    assert encoded.refused.tolist() == [False, True, True, False, True]
    assert encoded.codes.tolist() == [1, -1, -1, 0, -1]


def test_empty_cells_have_no_class() -> None:
    """Nothing, or spaces alone, is -1 and is found."""
    values = strings("", "1", "  ", "0")
    assert encode(values).codes.tolist() == [-1, 1, -1, 0]
    assert empty(values).tolist() == [True, False, True, False]


@given(st.lists(st.text(max_size=4)))
def test_a_code_leads_back_to_its_label(values) -> None:
    """The class of each code is the label again, for any names."""
    encoded = encode(strings("name", *values))
    assert [encoded.classes[c] if c >= 0 else "" for c in encoded.codes[1:]] == [value.strip() for value in values]


@given(st.lists(st.integers(-(10**20), 10**20), min_size=1))
def test_whole_numbers_of_any_size_are_classes(values) -> None:
    """Class names are the numbers, in their order."""
    encoded = encode(strings(*map(str, values)))
    assert encoded.classes == tuple(map(str, sorted(set(values))))
    assert [int(encoded.classes[c]) for c in encoded.codes] == values


@given(
    st.lists(
        st.text(max_size=3) | st.sampled_from(["1", "1.0", " 01", "+1", "0", "-1", "no", "nan", "9" * 5000]), min_size=1
    )
)
def test_labels_of_known_classes_are_spelled_as_those_of_a_job(values) -> None:
    """Whatever labels a job has read, each finds its class again, and what was no label for the job is none of them."""
    encoded = encode(strings(*values))
    assert known(values, encoded.classes) == encoded.codes.tolist()


def test_a_label_of_no_class_has_no_place() -> None:
    """Names must be as they are; only where all classes are whole numbers a number may be spelled otherwise."""
    assert known(["yes", "Yes", "1", "", "1e0"], ["no", "yes"]) == [1, *[UNLABELLED] * 4]
    assert known(["1", "1.0"], ["1", "yes"]) == [0, UNLABELLED]
    assert known(["7", "1e0", "7" * 5000], ["0", "7"]) == [1, UNLABELLED, UNLABELLED]
