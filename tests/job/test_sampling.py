"""Which rows go with a model as its reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from relabel.data.examples import Dense, Examples, Split
from relabel.job import sampling
from relabel.model import predictor
from relabel.model.artifact import Model
from relabel.model.reference import packed
from relabel.settings import TrainSettings

ROWS, WIDTH = 300, 6
MODEL = Model(
    "dense",
    {"inputs": WIDTH, "width": 1, "depth": 0, "classes": 2},
    {
        "mean": np.zeros(WIDTH, np.float32),
        "scale": np.ones(WIDTH, np.float32),
        "weight.0": np.eye(WIDTH, 2, dtype=np.float32),
        "bias.0": np.zeros(2, np.float32),
    },
)


def examples(test_rows=100) -> Examples:
    """Rows of which half are train; of test every two are duplicates, and some rows are left out."""
    split = np.repeat([Split.TRAIN, Split.DEV, Split.TEST], [150, 150 - test_rows, test_rows]).astype(np.uint8)
    group = np.arange(ROWS)
    group[-test_rows:] = ROWS + np.arange(test_rows) // 2
    vectors = np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype(np.float32)
    vectors[-test_rows:] = np.repeat(vectors[-test_rows::2], 2, axis=0)
    empty = np.full(ROWS, "", object)
    left_out = np.zeros(ROWS, bool)
    left_out[150:155] = True
    return Examples(
        Dense(vectors),
        np.zeros(ROWS, np.int64),
        split,
        group,
        left_out,
        left_out & False,
        empty,
        None,
        ("a", "b"),
        ("f",),
        np.zeros(ROWS, np.int32),
        np.arange(ROWS),
    )


def made(found, settings):
    """Make the reference."""
    return sampling.reference_of(found, found.features, MODEL, settings)


def test_it_is_of_dev_and_test_each_duplicate_once():
    """No training row and no row that was left out is in it, equal rows stand there once, and the model predicts all of them."""
    found = examples()
    held = made(found, TrainSettings())
    rows = np.concatenate([np.arange(155, 200), np.arange(200, 300, 2)])
    seen = held.view(found.features.take(rows))
    assert sorted(map(tuple, held.seen.tolist())) == sorted(map(tuple, seen.tolist()))
    whole = predictor.load(MODEL)(found.features.take(rows))
    np.testing.assert_array_equal(np.sort(held.probability[:, 0]), np.sort(whole[:, 0]))


def test_it_is_as_large_as_asked_and_always_the_same():
    """No more rows than asked are drawn, by the seed alone; with 0, and of too few rows, there is none."""
    found = examples()
    assert sampling.FEWEST <= len(made(found, TrainSettings(reference_rows=50))) <= 50
    assert packed(made(found, TrainSettings(reference_rows=50))) == packed(
        made(found, TrainSettings(reference_rows=50))
    )
    assert packed(made(found, TrainSettings(reference_rows=50))) != packed(
        made(found, TrainSettings(reference_rows=50, seed=1))
    )
    assert made(found, TrainSettings(reference_rows=0)) is None
    assert made(found, TrainSettings(reference_rows=sampling.FEWEST - 1)) is None


def test_what_everybody_sends_is_in_it_as_in_a_window_of_traffic():
    """Twelve texts that are half of the test rows are in a draw of 60 nearly all, not one in seventeen of them."""
    found = examples(150)
    popular = np.arange(ROWS - 150, ROWS) % 2 == 0
    group, vectors = np.arange(ROWS), found.features.array.copy()
    common = np.flatnonzero(popular) + ROWS - 150
    group[common] = ROWS + common % 12
    vectors[common] = 9 + (common % 12)[:, None]
    found = replace(found, features=Dense(vectors), group=group, left_out=np.zeros(ROWS, bool))
    held = made(found, TrainSettings(reference_rows=60))
    assert (held.probability == 0.5).all(axis=1).sum() >= 5
