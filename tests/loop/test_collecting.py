"""Promises of collecting traffic."""

from typing import NamedTuple

import numpy as np
import pytest

from relabel.errors import UserError
from relabel.loop import collecting, rows


class Traffic(NamedTuple):
    """Captured rows."""

    ids: np.ndarray
    vectors: np.ndarray | None
    texts: np.ndarray | None


def strings(*values: str) -> np.ndarray:
    """Make a column."""
    return np.array(values, np.object_)


NOTHING = rows.made(strings(), None, None)


def test_each_row_comes_once_and_every_other_is_counted() -> None:
    """Rows that are labelled, collected before, or there twice are passed over, by equal texts or equal embeddings."""
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    labelled = rows.made(strings("l"), strings("old"), np.array([[90.0, 91.0]], np.float32))
    before = rows.made(strings("b"), strings("seen"), vectors[1:2])
    traffic = Traffic(strings(*"012345"), vectors, strings("old", "any", "new", "new", "", ""))
    traffic.vectors[5] = traffic.vectors[4]
    found, skipped = collecting.collected(traffic, {}, labelled, [before])
    assert found.id.tolist() == ["2", "4"]
    assert skipped == {collecting.LABELLED: 1, collecting.COLLECTED: 1, collecting.REPEATED: 2}


def test_texts_for_people_are_found_by_the_name_of_row_or_request() -> None:
    """A text that came itself stays."""
    traffic = Traffic(strings("a/0", "b/0", "b/1", "c/0"), np.eye(4, dtype=np.float32), strings("", "", "", "own"))
    texts = {"a": "of the request", "b/1": "of the row", "c": "another"}
    found, _ = collecting.collected(traffic, texts, NOTHING, [])
    assert found.texts.tolist() == ["of the request", "", "of the row", "own"]


def test_rows_come_back_from_the_disk_as_they_were(tmp_path) -> None:
    """Texts with commas, quotes and line ends, and every bit of the embeddings."""
    made = rows.made(strings("1", ""), strings('a "b",\n c', ""), np.random.default_rng(0).random((2, 3), np.float32))
    assert [path.name for path in rows.write(tmp_path / "x.csv", made, {"label": ["0", "1"]})] == ["x.csv", "x.npy"]
    back = rows.read(tmp_path / "x.csv")
    assert [*zip(back.hash, back.id, back.texts, strict=True)] == [*zip(made.hash, made.id, made.texts, strict=True)]
    assert np.array_equal(back.vectors, made.vectors)


def test_texts_stay_texts_where_the_model_makes_vectors_of_them() -> None:
    """Traffic of an encoder comes with vectors, labelled rows without: the new rows have texts alone, and those that came as vectors are counted."""
    labelled = rows.made(strings("l"), strings("old"), None)
    traffic = Traffic(strings(*"0123"), np.eye(4, dtype=np.float32), strings("old", "new", "", "other"))
    found, skipped = collecting.collected(traffic, {}, labelled, [])
    assert found.vectors is None
    assert found.hash.tolist() == rows.made(strings("1", "3"), strings("new", "other"), None).hash.tolist()
    assert skipped == {collecting.LABELLED: 1, collecting.WORDLESS: 1}


def test_texts_without_embeddings_beside_labelled_ones_are_refused() -> None:
    """With what to do."""
    labelled = rows.made(strings("l"), strings("old"), np.eye(1, dtype=np.float32))
    with pytest.raises(UserError, match="texts alone"):
        collecting.collected(Traffic(strings("0"), None, strings("new")), {}, labelled, [])


def test_a_name_that_several_rows_have_is_no_name() -> None:
    """Clients choose names, and data in which one comes twice is refused by the job."""
    labelled = rows.made(strings("a/0"), strings("old"), None)
    before = rows.made(strings("b/0"), strings("seen"), None)
    traffic = Traffic(strings("a/0", "b/0", "c/0", "c/0"), None, strings("1", "2", "3", "4"))
    found, _ = collecting.collected(traffic, {}, labelled, [before])
    assert found.id.tolist() == ["", "", "c/0", ""]
