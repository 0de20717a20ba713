"""Promises of loading a model to serve."""

import dataclasses

import numpy as np
import pytest

from relabel.errors import UserError
from relabel.model import artifact
from relabel.serving import served


def test_a_model_folder_is_loaded_with_its_predictor(model_folder) -> None:
    """The artifact and what it predicts with are one thing."""
    loaded = served.load(model_folder)
    assert loaded.predictor.classes == len(loaded.artifact.classes) == 3


def test_class_names_that_do_not_fit_the_model_are_refused(model_folder) -> None:
    """A name would be missing just when it is needed."""
    artifact.save(model_folder, dataclasses.replace(artifact.load(model_folder), classes=("a", "b")))
    with pytest.raises(UserError, match="2 class names for a model of 3 classes"):
        served.load(model_folder)


def test_noise_that_does_not_fit_the_model_is_refused(model_folder) -> None:
    """It would be met at the first request with a label."""
    artifact.save(model_folder, dataclasses.replace(artifact.load(model_folder), noise=np.eye(2)))
    with pytest.raises(UserError, match=r"noise of the shape \(2, 2\) for a model of 3 classes"):
        served.load(model_folder)
