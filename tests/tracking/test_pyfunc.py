"""Promises of a model folder as MLflow calls it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from relabel.errors import UserError
from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import served
from relabel.tracking import pyfunc


@pytest.fixture
def of_vectors(tmp_path):
    """A model of vectors of width 3 and classes with names."""
    tensors = {
        "mean": np.zeros(3, np.float32),
        "scale": np.ones(3, np.float32),
        "weight.0": np.array([[1, -1], [0, 0], [0, 0]], np.float32),
        "bias.0": np.zeros(2, np.float32),
    }
    sizes = {"inputs": 3, "width": 4, "depth": 0, "classes": 2}
    artifact.save(tmp_path / "model", Artifact(Model("dense", sizes, tensors), ("bad", "good"), "given"))
    return tmp_path / "model"


def test_texts_are_answered_as_the_endpoint_answers_them(text_model) -> None:
    """From a table with one column, in order, its index kept."""
    texts = ["a good film", "dull", "", "bad bad good"]
    answered = pyfunc._load_pyfunc(str(text_model)).predict(pd.DataFrame({"text": texts}, index=[7, 3, 5, 1]))
    assert np.array_equal(answered.iloc[:, 1:].to_numpy(), served.load(text_model)(texts))
    assert answered["label"].tolist()[:2] == ["positive", "negative"]
    assert answered.index.tolist() == [7, 3, 5, 1]


def test_vectors_of_any_number_are_answered(of_vectors) -> None:
    """Columns are taken by their order, whatever their names."""
    model = pyfunc._load_pyfunc(str(of_vectors))
    x = np.array([[2, 0, 0], [-2, 0, 0]])
    for given in (pd.DataFrame(x), pd.DataFrame(x.astype(np.float64), columns=list("zyx")), x.tolist()):
        answered = model.predict(given)
        assert answered["label"].tolist() == ["bad", "good"]
        assert list(answered) == ["label", "probability_bad", "probability_good"]
    assert model.predict(pd.DataFrame(np.empty((0, 3)))).empty


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.ones((1, 2)), "2 columns: give 3"),
        ([["secret", 1, 2]], "not all numbers"),
        ([[None, 1.0, 2.0]], "missing"),
        ([["secret"]], "1 columns: give 3"),
    ],
)
def test_what_the_model_does_not_take_is_refused(of_vectors, given, said) -> None:
    """With what it takes, and nothing of what was given."""
    with pytest.raises(UserError, match=said) as refused:
        pyfunc._load_pyfunc(str(of_vectors)).predict(pd.DataFrame(given))
    assert "secret" not in str(refused.value)


def test_a_model_of_texts_refuses_numbers(text_model) -> None:
    """It names the one column that it takes."""
    with pytest.raises(UserError, match="one column of texts"):
        pyfunc._load_pyfunc(str(text_model)).predict(pd.DataFrame([[1.0, 2.0]]))
