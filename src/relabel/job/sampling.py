"""The rows that go with a model as its reference: see `model.reference`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from relabel.data.examples import Examples, Inputs, Split
from relabel.model import predictor, reference
from relabel.model.artifact import Model
from relabel.model.reference import Reference
from relabel.settings import TrainSettings
from relabel.training.out_of_fold import predict

FEWEST = 30
"""With fewer rows nothing could ever be told."""

STREAM = 9
"""Keeps this draw apart from all others of the seed."""


def reference_of(examples: Examples, inputs: Inputs, model: Model, settings: TrainSettings) -> Reference | None:
    """Sample rows of dev and test, one of each group of duplicates, and let the model predict them; None where there are too few.

    They are drawn before duplicates are left out, as a window of traffic is: of all rows without duplicates a draw would hold hardly any of the
    few texts that everybody sends, of which each window has nearly all.
    The model learned from none of them, so that to it they are what traffic of the same kind will be: no probability is surer than it should be.
    """
    rng = np.random.default_rng((settings.seed, STREAM))
    untouched = np.concatenate([examples.rows(Split.DEV), examples.rows(Split.TEST)])
    rows = _distinct(_drawn(untouched, settings.reference_rows, rng), examples.group)
    if rows.size < FEWEST:
        return None
    learned = _drawn(examples.rows(Split.TRAIN), reference.LEARNED_ON, rng)
    probability = predict(predictor.load(model), inputs, rows)
    return reference.made(inputs.take(learned), inputs.take(rows), probability)


def _distinct(rows: NDArray[np.intp], group: NDArray[np.int64]) -> NDArray[np.intp]:
    return rows[np.sort(np.unique(group[rows], return_index=True)[1])]


def _drawn(rows: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return np.sort(rng.permutation(rows)[:most])
