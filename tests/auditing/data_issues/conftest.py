"""Made data without issues, in which tests plant them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from relabel.auditing.data_issues.survey import Opinion
from relabel.data.examples import Dense, Examples
from relabel.data.texts import Texts


@dataclass
class Made:
    """Rows of a few groups in the space, and what a model that is right on 95% of them says; arrays may be changed before use.

    x: (N, D), labels, split, group: (N,), right: (N,) whether the model is right, texts: (N,).
    """

    x: np.ndarray
    labels: np.ndarray
    split: np.ndarray
    group: np.ndarray
    right: np.ndarray
    texts: np.ndarray

    def examples(self) -> Examples:
        """Give the rows as the gate does, less the rules for duplicates."""
        n = self.labels.size
        return Examples(
            features=Dense(self.x.astype(np.float32)),
            labels=self.labels,
            split=self.split,
            group=self.group,
            left_out=np.zeros(n, bool),
            trusted=np.zeros(n, bool),
            ids=np.full(n, "", object),
            texts=Texts.of(self.texts),
            classes=tuple("abcdef"[: int(self.labels.max()) + 1]),
            files=("train/train.csv",),
            file=np.zeros(n, np.int32),
            row=np.arange(n),
        )

    def opinion(self) -> Opinion:
        """Give 0.9 to the label where the model is right, else to the next class."""
        classes = int(self.labels.max()) + 1
        said = np.where(self.right, self.labels, (self.labels + 1) % classes)
        probability = np.full((said.size, classes), 0.1 / (classes - 1))
        probability[np.arange(said.size), said] = 0.9
        return Opinion(probability, np.zeros(said.size))

    def less_texts(self) -> Made:
        """Forget the texts."""
        return replace(self, texts=np.full(self.labels.size, "", object))


@pytest.fixture(scope="session")
def make() -> Callable[..., Made]:
    """Make rows from a seed."""

    def made(seed=0, rows=2000, width=32, classes=2) -> Made:
        rng = np.random.default_rng(seed)
        place = rng.integers(0, 12, rows)
        texts = [f"topic{t} thing{a} number{n}" for n, (t, a) in enumerate(zip(place, rng.integers(0, 50, rows)))]  # noqa: B905
        return Made(
            x=(1.5 * rng.standard_normal((12, width)))[place] + rng.standard_normal((rows, width)),
            labels=place % classes,
            split=np.repeat([0, 1, 2], [rows - 2 * (rows // 5), rows // 5, rows // 5]).astype(np.uint8)[
                rng.permutation(rows)
            ],
            group=np.arange(rows),
            right=rng.random(rows) < 0.95,
            texts=np.array(texts, object),
        )

    return made
