"""A model folder as MLflow keeps models: with a signature, an example, and what it needs to be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import relabel
from relabel.model import artifact, predictor
from relabel.model.artifact import Artifact
from relabel.tracking import pyfunc

FOLDER = "model"
"""Name of the model among a run's artifacts."""


def write(folder: Path, output: Path) -> None:
    """Put the model in `folder` into a new folder `output`, which `mlflow.pyfunc.load_model` loads; no pickle is in it."""
    import mlflow.pyfunc  # noqa: PLC0415  # a second

    loaded = artifact.load(folder)
    width = predictor.load(loaded.model).inputs if loaded.input == "embedding" else 0
    mlflow.pyfunc.save_model(
        path=str(output),
        loader_module=pyfunc.__name__,
        data_path=str(folder),
        signature=signature(loaded, width),
        input_example=example(width),
        pip_requirements=requirements(loaded),
        metadata={"relabel": relabel.__version__, "model": loaded.short_hash, "kind": loaded.model.kind},
    )


def requirements(loaded: Artifact) -> list[str]:
    """List what relabel needs to load the model. Not relabel itself: whoever fetched a package by its name might get somebody else's."""
    needed = ["click", "numpy", "pandas", "pydantic", "safetensors", "snowballstemmer", "threadpoolctl", "xxhash"]
    of_encoder = loaded.text is not None and loaded.text.kind != "words"
    if of_encoder or loaded.model.kind in ("lstm", "pooled", "convolutional"):
        needed.append("torch")
    if of_encoder:
        needed += ["tokenizers", "transformers"]
    return needed


def signature(loaded: Artifact, width: int) -> Any:
    """Say what the model takes and gives: `width` numbers by their order, or, where it is 0, a text."""
    from mlflow.models import ModelSignature  # noqa: PLC0415  # see above
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415

    given: list[Any] = [ColSpec("double")] * width or [ColSpec("string", "text")]
    answered: list[Any] = [ColSpec("float", f"{pyfunc.PROBABILITY}{name}") for name in loaded.classes]
    return ModelSignature(Schema(given), Schema([ColSpec("string", pyfunc.LABEL), *answered]))


def example(width: int) -> Any:
    """Make an input that nobody's data is in."""
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame([[0.0] * width]) if width else pd.DataFrame({"text": ["a text"]})
