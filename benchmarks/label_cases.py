"""Cases with known wrong labels: rows drawn anew from a pool with clean labels, and noise of a known kind planted in them.

Letters: N rows, D width, C classes, n training rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from relabel.data import reading
from relabel.data.dealing import deal
from relabel.data.duplicates import renumbered
from relabel.data.examples import Dense, Examples, Features, Split
from relabel.settings import TrainSettings

DEV_SHARE = 0.1  # of the rows that noise is planted in
MOST_DRAWN = 0.8  # of a pool; the others, at least, are test rows
MADE_ROWS, MADE_WIDTH, LATENT, TOPICS, APART, BLUR = 14_000, 256, 32, 6, 2.6, 0.3
MOST_AMBIGUOUS = 0.5  # the chance of a wrong label is at most that of a coin


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Rows with clean labels to draw from.

    examples:  of all splits together.
    predicted: (N, C) P(true | x), which tells the ambiguous rows: known for made rows, else out of fold from a linear model
               fitted on the clean labels.
    """

    name: str
    examples: Examples
    predicted: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One draw: train and dev labels carry the noise, test labels are clean.

    examples:   rows in the order train, dev, test; none is left out, for duplicates share a split.
    truth:      (N,) int64, the clean labels.
    given_true: (C, C) P(given j | true i) where the noise is class-conditional, else None.
    """

    examples: Examples
    truth: NDArray[np.int64]
    given_true: NDArray[np.float64] | None
    seed: int

    @property
    def train(self) -> NDArray[np.intp]:
        """The training rows (n,), which are the first."""
        return self.examples.rows(Split.TRAIN)

    @property
    def given(self) -> NDArray[np.int64]:
        """The labels (n,) of the training rows as given."""
        return self.examples.labels[self.train]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which training rows (n,) carry a planted error."""
        wrong: NDArray[np.bool_] = self.given != self.truth[self.train]
        return wrong

    @property
    def features(self) -> Features:
        """The embeddings (N, D)."""
        assert self.examples.features is not None
        return self.examples.features

    def inputs(self, split: Split) -> NDArray[np.float32]:
        """Give the embeddings (rows, D) of a split."""
        return self.features.take(self.examples.rows(split))


Matrix = Callable[[int], NDArray[np.float64]]


def asymmetric(most: float, least: float, classes: int) -> NDArray[np.float64]:
    """Errors towards the next class, from `least` for the first class to `most` for the last: (C, C)."""
    rate = np.linspace(least, most, classes)
    matrix: NDArray[np.float64] = np.diag(1 - rate) + np.roll(np.diag(rate), 1, axis=1)
    return matrix


def uniform(rate: float, classes: int) -> NDArray[np.float64]:
    """Errors towards all other classes alike: (C, C)."""
    matrix: NDArray[np.float64] = np.full((classes, classes), rate / (classes - 1))
    np.fill_diagonal(matrix, 1 - rate)
    return matrix


CONDITIONAL: Mapping[str, Matrix] = {
    "asymmetric 20/5": partial(asymmetric, 0.2, 0.05),
    "asymmetric 30/10": partial(asymmetric, 0.3, 0.1),
    "uniform 10": partial(uniform, 0.1),
    "uniform 30": partial(uniform, 0.3),
    "none": partial(uniform, 0.0),
}
"""Cells whose noise depends on the true class alone."""

AMBIGUOUS = {"ambiguous 10": 0.1}
"""Cells whose noise sits on ambiguous rows -> the share of wrong labels."""

CELLS = (*CONDITIONAL, *AMBIGUOUS)


def draw(pool: Pool, cell: str, *, rows: int, seed: int) -> Case:
    """Draw `rows` rows for train and dev, and the others of the pool for test; plant the cell's noise in the first two."""
    source, split = _drawn(pool.examples, rows, np.random.default_rng((seed, 0)))
    drawn = _taken(pool.examples, source, split)
    rng = np.random.default_rng((seed, 1))
    classes = len(drawn.classes)
    if cell in CONDITIONAL:
        matrix = CONDITIONAL[cell](classes)
        noisy = _by_class(drawn.labels, matrix, rng)
    else:
        matrix = None
        noisy = _by_ambiguity(drawn.labels, pool.predicted[source], AMBIGUOUS[cell], rng)
    given = np.where(split == Split.TEST, drawn.labels, noisy)
    return Case(dataclasses.replace(drawn, labels=given), drawn.labels, matrix, seed)


def read(folder: Path) -> Pool:
    """Read a folder in the layout of the channel train; its labels are taken for clean."""
    examples = reading.read({"train": folder}, TrainSettings())
    assert examples.features is not None
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=1000))
    everything = examples.features.take(np.arange(len(examples)))
    predicted = cross_val_predict(model, everything, examples.labels, cv=5, method="predict_proba")
    return Pool(folder.resolve().name, examples, predicted)


def three_classes(seed: int = 0) -> Pool:
    """Make overlapping Gaussians in few dimensions, several per class, turned into all columns with noise on each."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=MADE_ROWS)
    centres = rng.normal(size=(TOPICS, LATENT)) + APART * rng.normal(size=(3, 1, LATENT)) / np.sqrt(LATENT)
    centres += 0.5 * APART * rng.normal(size=(3, TOPICS, LATENT)) / np.sqrt(LATENT)
    latent = centres[labels, rng.integers(TOPICS, size=MADE_ROWS)] + rng.normal(size=(MADE_ROWS, LATENT))
    features = latent @ rng.normal(size=(LATENT, MADE_WIDTH)) / np.sqrt(LATENT)
    features += BLUR * rng.normal(size=features.shape)
    none = np.zeros(MADE_ROWS, dtype=np.bool_)
    examples = Examples(
        features=Dense(features.astype(np.float32)),
        labels=labels,
        split=np.zeros(MADE_ROWS, dtype=np.uint8),
        group=np.arange(MADE_ROWS),
        left_out=none,
        trusted=none,
        ids=np.full(MADE_ROWS, "", dtype=np.object_),
        texts=None,
        classes=("first", "second", "third"),
        files=("made",),
        file=np.zeros(MADE_ROWS, dtype=np.int32),
        row=np.arange(MADE_ROWS),
    )
    likely = np.stack(
        [np.exp(-(cdist(latent, own, "sqeuclidean") - LATENT) / 2).sum(axis=1) for own in centres], axis=1
    )
    return Pool("three classes", examples, likely / likely.sum(axis=1, keepdims=True))


def _drawn(examples: Examples, rows: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.uint8]]:
    """Give row numbers (N,) of the pool and their splits, stratified by label, duplicates together, in the order of splits."""
    known = min(rows / len(examples), MOST_DRAWN)
    share = np.array([known * (1 - DEV_SHARE), known * DEV_SHARE, 1 - known])  # train, dev, test, as in Split
    split = deal(examples.labels, examples.group, share, rng).astype(np.uint8)
    order = rng.permutation(split.size)
    source = order[np.argsort(split[order], kind="stable")]
    return source, split[source]


def _taken(examples: Examples, source: NDArray[np.intp], split: NDArray[np.uint8]) -> Examples:
    """Give the rows `source` (N,) of the pool as the examples of a job."""
    assert examples.features is not None
    return dataclasses.replace(
        examples,
        features=Dense(examples.features.take(source)),
        labels=examples.labels[source],
        split=split,
        group=renumbered(examples.group[source]),
        left_out=np.zeros(source.size, dtype=np.bool_),
        trusted=np.zeros(source.size, dtype=np.bool_),
        ids=examples.ids[source],
        texts=None if examples.texts is None else examples.texts.among(source),
        file=examples.file[source],
        row=examples.row[source],
        notes=(),
    )


def _by_class(truth: NDArray[np.int64], given_true: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw each label (N,) from the row of its true class."""
    upper = given_true.cumsum(axis=1)[truth]
    given: NDArray[np.int64] = (rng.random(truth.size)[:, None] >= upper[:, :-1]).sum(axis=1)
    return given


def _by_ambiguity(
    truth: NDArray[np.int64], predicted: NDArray[np.float64], share: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Give a share of the rows (N,) their likeliest other label: the less sure the clean model (N, C) is, the sooner.

    The chance is in proportion to the square of what the two likeliest classes lack to 1 in difference.
    """
    top = np.sort(predicted, axis=1)
    chance = (1 - (top[:, -1] - top[:, -2])) ** 2
    for _ in range(20):  # clipping takes away, so that once is not enough
        chance = (chance * share / chance.mean()).clip(max=MOST_AMBIGUOUS)
    others = predicted.copy()
    np.put_along_axis(others, truth[:, None], -1.0, axis=1)
    return np.where(rng.random(truth.size) < chance, others.argmax(axis=1), truth)
