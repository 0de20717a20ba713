"""Promises of rows that stand for all."""

from __future__ import annotations

import dataclasses
import errno
import os

import numpy as np
import pytest

from relabel.data import drawn
from relabel.data.examples import Dense, Examples, Reviews
from relabel.data.formats import npy
from relabel.data.ordered import Ordered
from relabel.data.stored import Stored
from relabel.data.texts import Texts

ROWS = np.array([1, 2, 5])


def examples() -> Examples:
    """Make six rows whose columns tell their number."""
    number = np.arange(6)
    name = np.array([f"row {n}" for n in number], np.object_)
    return Examples(
        features=Dense(np.repeat(number[:, None], 2, axis=1).astype(np.float32)),
        labels=number % 2,
        split=(number % 3).astype(np.uint8),
        group=number,
        left_out=number == 5,
        trusted=number == 2,
        ids=name,
        texts=Texts.of(name),
        classes=("a", "b"),
        files=("train/a.csv",),
        file=np.zeros(6, np.int32),
        row=number,
        reviews=Reviews(name, number == 2, number < 0, name, name, number.astype(np.float64)),
        metadata={"source": name},
    )


def test_each_column_holds_the_drawn_rows_alone() -> None:
    """Features, texts, answers of people and other columns are those of the drawn rows, in their order; classes stay."""
    some = drawn.part_of(examples(), ROWS)
    assert len(some) == 3
    assert np.array_equal(some.row, ROWS)
    assert np.array_equal(some.group, ROWS)
    assert some.features is not None
    assert some.features.shape == (3, 2)
    assert np.array_equal(some.features.take(np.array([2, 0]))[:, 0], [5, 1])
    assert some.texts is not None
    named = ["row 1", "row 2", "row 5"]
    assert some.texts[:] == some.ids.tolist() == some.metadata["source"].tolist() == named
    assert some.reviews is not None
    assert some.reviews.decided.tolist() == [False, True, False]
    assert some.classes == ("a", "b")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_drawn_rows_of_a_disk_lie_together(tmp_path, monkeypatch, dtype) -> None:
    """With the same values, of rows in any order; the file that they came from is not looked at again."""
    monkeypatch.setattr(drawn, "SLAB", 40)
    rows, order = np.arange(1, 50, 3), np.random.default_rng(1).permutation(50)
    values = np.random.default_rng(0).standard_normal((50, 3)).astype(dtype)
    for moved in (False, True):
        path = tmp_path / f"{moved}.npy"
        np.save(path, values)
        features = Stored([npy.read(path).lies])
        together = drawn.together(Ordered(features, order) if moved else features, rows)
        os.truncate(path, 0)
        expected = (values[order] if moved else values)[rows].astype(np.float32)
        assert together.shape == (rows.size, 3)
        assert np.array_equal(together.take(np.array([7, 0, 2])), expected[[7, 0, 2]])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_drawn_rows_of_a_disk_stay_where_they_lie_without_room(tmp_path, monkeypatch, caplog, number) -> None:
    """It is said; a job that has trained for hours does not end for want of a copy."""

    def refused(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    np.save(tmp_path / "all.npy", np.arange(20, dtype=np.float32).reshape(10, 2))
    features = Stored([npy.read(tmp_path / "all.npy").lies])
    monkeypatch.setattr("relabel.data.room.tempfile.TemporaryFile", refused)
    assert drawn.together(features, np.array([1, 5])).take(np.array([1])).tolist() == [[10, 11]]
    assert os.strerror(number) in caplog.text


def test_rows_without_vectors_or_texts_have_none_when_drawn() -> None:
    """What the data does not have, a draw of it does not have."""
    bare = dataclasses.replace(examples(), features=None, texts=None, reviews=None, metadata={})
    some = drawn.part_of(bare, ROWS)
    assert (some.features, some.texts, some.reviews) == (None, None, None)


def test_values_of_drawn_rows_stand_where_these_stand() -> None:
    """All other rows have what is missing, in the type of the values; values of all rows stay as they are."""
    spread = drawn.spread(np.array([3, 4, 5], np.int16), ROWS, 6, -1)
    assert spread.tolist() == [-1, 3, 4, -1, -1, 5]
    assert spread.dtype == np.int16
    whole = np.arange(6)
    assert drawn.spread(whole, np.arange(6), 6, -1) is whole
