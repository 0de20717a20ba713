"""A small model to serve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from relabel.model import artifact
from relabel.model.artifact import Artifact, Model
from relabel.serving import served
from relabel.serving.served import Served

WIDTH, CLASSES = 4, ("negative", "neutral", "positive")


@pytest.fixture
def model_folder(tmp_path) -> Path:
    """A folder with a complete artifact: linear, width 4, three classes; a large value in column c speaks for class c."""
    weight = np.zeros((WIDTH, 3), np.float32)
    weight[:3] = np.eye(3) * 5
    tensors = {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": weight,
        "bias.0": np.zeros(3, np.float32),
    }
    sizes = {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 3}
    artifact.save(tmp_path / "model", Artifact(Model("dense", sizes, tensors), CLASSES, "given"))
    return tmp_path / "model"


@pytest.fixture
def loaded(model_folder) -> Served:
    """The same, loaded."""
    return served.load(model_folder)
