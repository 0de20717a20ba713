"""A model folder as MLflow loads it: `mlflow.pyfunc.load_model` finds this module by its name, and the model in the folder beside it.

Nothing is unpickled: the folder is the one that an endpoint serves, arrays and JSON, and the same predictor reads it. It takes what the
endpoint takes: rows of numbers, or texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relabel.errors import UserError
from relabel.model import artifact, predictor
from relabel.text import reader

LABEL, PROBABILITY = "label", "probability_"
"""Columns of the answer: the likeliest class, and the probability of each class behind its name."""

BLOCK = 1024
"""Texts that are read at a time."""


class Classifier:
    """Predicts a table of rows.

    >>> mlflow.pyfunc.load_model("runs:/0123/model").predict(pandas.DataFrame(vectors))
    """

    def __init__(self, folder: Path) -> None:
        self._artifact = artifact.load(folder)
        self._predictor = predictor.load(self._artifact.model)
        self._read = None if self._artifact.text is None else reader.load(self._artifact.text)

    def predict(self, model_input: Any, params: Any = None) -> Any:
        """Give a DataFrame of labels and probabilities of a DataFrame: D columns of numbers, or one column of texts.

        Raises UserError where the input is neither, or not what the model takes.
        """
        del params  # it has none
        import pandas as pd  # noqa: PLC0415  # what loads this has it; a training image need not

        given = pd.DataFrame(model_input)
        probability = self._probability(given)
        names = np.array(self._artifact.classes, dtype=object)
        columns = {LABEL: names[probability.argmax(axis=1)]}
        columns |= {f"{PROBABILITY}{name}": probability[:, n] for n, name in enumerate(names)}
        return pd.DataFrame(columns, index=given.index)

    def _probability(self, given: Any) -> NDArray[np.float32]:
        first = given.iloc[:, 0].tolist() if given.shape[1] else []
        if given.shape[1] == 1 and all(isinstance(each, str) for each in first) and self._read is not None:
            return self._of_texts(first)
        width = self._predictor.inputs
        if not width or given.shape[1] != width:
            takes = f"{width} columns of numbers" if width else "one column of texts"
            raise UserError(f"the input has {given.shape[1]} columns: give {takes}, without missing values")
        try:
            vectors = given.to_numpy(np.float32)
        except (TypeError, ValueError):
            raise UserError(f"the input is not all numbers: give {width} columns of them") from None
        if not np.isfinite(vectors).all():
            raise UserError("the input holds missing or infinite numbers: take those rows out")
        return self._predictor(vectors)

    def _of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self._read is not None  # noqa: S101  # the one caller has looked
        blocks = [self._predictor(self._read(texts[n : n + BLOCK])) for n in range(0, len(texts), BLOCK)]
        return np.concatenate([np.empty((0, self._predictor.classes), np.float32), *blocks])


def _load_pyfunc(path: str) -> Classifier:
    """Load what `data_path` was: MLflow calls this by its name."""
    return Classifier(Path(path))
