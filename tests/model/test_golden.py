"""Promises to models that were written long ago.

`python tests/model/test_golden.py` writes the folder of a new schema, once.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from relabel import files
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact, Model

GOLDEN = Path(__file__).parent / "golden"
NEWEST = GOLDEN / f"schema-{artifact.SCHEMA}"
SIZES = {"inputs": 5, "width": 4, "depth": 2, "classes": 3}


def write(folder: Path) -> None:
    """Write an artifact of random weights that uses every field, and what it says of a few vectors."""
    rng = np.random.default_rng(0)
    shapes = {
        "weight.0": (5, 4),
        "bias.0": (4,),
        "weight.1": (4, 4),
        "bias.1": (4,),
        "weight.2": (4, 3),
        "bias.2": (3,),
    }
    tensors = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    tensors |= {"mean": rng.normal(size=5).astype(np.float32), "scale": rng.uniform(1, 2, 5).astype(np.float32)}
    noise = np.array([[0.9, 0.1, 0.0], [0.05, 0.9, 0.05], [0.0, 0.2, 0.8]])
    model = Model("dense", SIZES, tensors)
    classes = ("negative", "neutral", "größer")
    artifact.save(folder, Artifact(model, classes, "treated", noise=noise, provenance={"seed": 3}))
    inputs = rng.normal(size=(8, 5)).astype(np.float32)
    expected = {"inputs": inputs.tolist(), "probabilities": predictor.load(model)(inputs).tolist()}
    files.write_json(folder / "expected.json", expected)


@pytest.mark.parametrize("folder", sorted(GOLDEN.iterdir()), ids=lambda folder: folder.name)
def test_a_model_of_any_schema_says_what_it_said_when_it_was_written(folder) -> None:
    """Every artifact that a release has written loads, and gives its probabilities to 1e-6."""
    loaded = artifact.load(folder)
    expected = json.loads((folder / "expected.json").read_text())
    found = predictor.load(loaded.model)(np.array(expected["inputs"], np.float32))
    np.testing.assert_allclose(found, expected["probabilities"], rtol=0, atol=1e-6)
    assert len(loaded.classes) == found.shape[1]


def test_the_first_schema_keeps_its_fields() -> None:
    """Class names, noise, labels and provenance come back, beyond ASCII too."""
    loaded = artifact.load(GOLDEN / "schema-1")
    assert (loaded.classes[2], loaded.fitted_on, loaded.input) == ("größer", "treated", "embedding")
    assert loaded.provenance == {"seed": 3}
    assert loaded.noise[2].tolist() == [0.0, 0.2, 0.8]
    assert (loaded.temperature, loaded.training_rows) == (1.0, None), "what was not known then"


def test_the_newest_schema_has_a_golden_artifact() -> None:
    """Whoever raises the schema writes an artifact of it and keeps those that are there."""
    assert json.loads((NEWEST / artifact.DESCRIPTION).read_text())["schema"] == artifact.SCHEMA


if __name__ == "__main__":
    if NEWEST.exists():
        raise SystemExit(f"{NEWEST} is written already, and stays as it is")
    write(NEWEST)
