"""Made rows in a few groups, in which tests plant what is to be found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from relabel.auditing.data_issues.survey import Opinion
from relabel.data.examples import Dense, Examples
from relabel.data.texts import Texts


@pytest.fixture(scope="session")
def make() -> Callable[..., tuple[Examples, Opinion]]:
    """Make rows of 6 topics; a model is right on `right` (N,) of them, and 95% by chance where nothing is said."""

    def made(rows=3000, right=None, seed=0, **more) -> tuple[Examples, Opinion]:
        rng = np.random.default_rng(seed)
        topic = rng.integers(0, 6, rows)
        labels = rng.integers(0, 2, rows)
        x = 3 * rng.standard_normal((6, 16))[topic] + rng.standard_normal((rows, 16))
        right = rng.random(rows) < 0.95 if right is None else right
        probability = np.full((rows, 2), 0.1)
        probability[np.arange(rows), np.where(right, labels, 1 - labels)] = 0.9
        texts = [f"topic{t} thing{n}" for t, n in zip(topic.tolist(), rng.integers(0, 99, rows).tolist(), strict=True)]
        given = {
            "features": Dense(x.astype(np.float32)),
            "labels": labels,
            "split": np.repeat([0, 1, 2], [rows - 2 * (rows // 5), rows // 5, rows // 5]).astype(np.uint8),
            "group": np.arange(rows),
            "left_out": np.zeros(rows, bool),
            "trusted": np.zeros(rows, bool),
            "ids": np.full(rows, "", object),
            "texts": Texts.of(texts),
            "classes": ("no", "yes"),
            "files": ("train/train.csv",),
            "file": np.zeros(rows, np.int32),
            "row": np.arange(rows),
        }
        return Examples(**{**given, **more}), Opinion(probability, np.where(right, 0.0, 0.5))

    return made
