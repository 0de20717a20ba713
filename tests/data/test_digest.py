"""Promises of the name that data has."""

from dataclasses import replace

import numpy as np
import pytest

from relabel.data import keys
from relabel.data.digest import digest
from relabel.data.examples import Dense, Examples
from relabel.data.texts import Texts


@pytest.fixture
def examples() -> Examples:
    """Six made rows."""
    n = 6
    return Examples(
        features=Dense(np.random.default_rng(0).standard_normal((n, 3)).astype(np.float16).astype(np.float32)),
        labels=np.array([0, 1, 0, 1, 0, 1]),
        split=np.array([0, 0, 0, 1, 1, 2], np.uint8),
        group=np.arange(n),
        left_out=np.zeros(n, bool),
        trusted=np.zeros(n, bool),
        ids=np.full(n, "", object),
        texts=Texts.of(f"t{row}" for row in range(n)),
        classes=("bad", "good"),
        files=("train/a.csv",),
        file=np.zeros(n, np.int32),
        row=np.arange(n),
    )


def changed(array: np.ndarray) -> np.ndarray:
    """Change one entry."""
    other = array.copy()
    other[2] = 1 - other[2]
    return other


def test_it_is_the_name_of_the_same_data(examples) -> None:
    """32 hexadecimal digits, the same for equal data, however it is stored and in what blocks it is read."""
    name = digest(examples)
    assert len(name) == 32
    assert int(name, 16) >= 0
    stored = replace(examples, features=Dense(examples.features.array.astype(np.float16)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "BLOCK_BYTES", 24)
        assert digest(stored) == name


def test_everything_that_decides_a_fit_changes_it(examples) -> None:
    """One value of the features, a label, a split, a group, a row left out, a class: each gives another name."""
    others = [replace(examples, features=Dense(changed(examples.features.array)))]
    others += [
        replace(examples, **{name: changed(getattr(examples, name))})
        for name in ("labels", "split", "group", "left_out")
    ]
    others += [replace(examples, classes=("good", "bad")), replace(examples, classes=("ba", "dgood"))]
    others += [replace(examples, features=Dense(examples.features.array.reshape(9, 2)))]
    assert len({digest(other) for other in [examples, *others]}) == len(others) + 1


def test_where_rows_came_from_does_not_change_it(examples) -> None:
    """Ids, files, notes, and texts beside features do not decide a fit."""
    moved = replace(examples, ids=np.full(6, "x", object), files=("b",), row=examples.row + 1, notes=("n",), texts=None)
    assert digest(moved) == digest(examples)


def test_texts_count_where_there_are_no_features(examples) -> None:
    """Without embeddings the texts are what is learned from."""
    bare = replace(examples, features=None)
    other = replace(bare, texts=Texts.of(["t0t", "1", "t2", "t3", "t4", "t5"]))
    assert len({digest(examples), digest(bare), digest(other)}) == 3
