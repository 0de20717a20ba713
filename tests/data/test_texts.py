"""The promises of texts that lie in memory or in a file: `data.texts`."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relabel.data import parts, texts
from relabel.data.formats import csv
from relabel.data.formats.table import TableFormat
from relabel.data.room import Room
from relabel.data.texts import Arena, Texts

WORDS = st.text(max_size=12) | st.just("half \ud800 of a pair")


@given(st.lists(st.lists(WORDS, max_size=9), max_size=5), st.sampled_from([None, 0, 40, 10_000]), st.randoms())
def test_what_is_put_in_comes_out_wherever_it_lies(lists, memory, random) -> None:
    """Whatever the characters, one by one, some of them, in any order, while others are still added."""
    arena = Arena(None if memory is None else Room(memory))
    made = [arena.put(each) for each in lists]
    assert [[*each] for each in made] == lists
    whole = texts.joined([*made, None], [*map(len, lists), 2]) if made else Texts.of([])
    expected = [text for each in lists for text in each] + [""] * 2 * bool(made)
    assert whole is not None
    order = np.array(random.sample(range(len(expected)), len(expected)), np.intp)
    assert whole[order] == [*whole.among(order)] == [expected[row] for row in order]
    assert whole[1:3] == expected[1:3]
    assert whole.blank.tolist() == [not text for text in expected]
    assert whole[~whole.blank] == [text for text in expected if text]


@given(st.lists(WORDS, max_size=20), st.integers(1, 40))
def test_pieces_make_the_same_texts_again(told, size) -> None:
    """Texts that lie in any order, taken some bytes at a time, for which a text is never cut."""
    whole = Texts.of(told).among(np.arange(len(told))[::-1])
    arena = Arena()
    pieces = [arena.take(lengths, data) for lengths, data in whole.pieces(size)]
    assert [text for piece in pieces for text in piece] == told[::-1]


def test_beyond_its_share_of_the_memory_it_lies_in_a_file_without_a_name(tmp_path) -> None:
    """What was in memory before goes there too."""
    arena = Arena(Room(4000, tmp_path))
    few = arena.put(["a" * 900])
    assert not arena_file(tmp_path)
    more = arena.put(["b" * 200, "é"])
    assert arena_file(tmp_path)
    assert ([*few], [*more]) == (["a" * 900], ["b" * 200, "é"])
    assert not [*tmp_path.iterdir()]


def arena_file(folder: Path) -> list[str]:
    """List the open files of this process that are in a folder."""
    found = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed by now
            found += [str(to) for to in (number.readlink(),) if to.is_relative_to(folder)]
    return found


def test_a_full_disk_is_named_by_the_folder(tmp_path, monkeypatch) -> None:
    """The file has no name that anybody could look for."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left") as error:
        Arena(Room(0, tmp_path)).put(["text"])
    assert error.value.filename == str(tmp_path)


def test_a_file_that_grows_between_the_columns_is_refused(channels, monkeypatch) -> None:
    """Texts are read by themselves: they must be those of the labels."""
    channels.table("train/all", {"label": ["a", "b"] * 20, "review": ["x", "y"] * 20})

    def grows(path, wanted):
        table = csv.read(path, wanted)
        with path.open("a") as file:
            file.write("a,z\n")
        return table

    monkeypatch.setattr(
        parts.formats, "table", lambda _path: TableFormat(csv.header, grows, csv.chunks, csv.embeddings)
    )
    assert channels.problems() == ("train/all.csv: 40 rows at first, then 41: do not change the data of a running job",)


def test_a_text_column_given_twice_is_refused(channels) -> None:
    """It is not guessed which of the two is meant."""
    channels.path("train/all.csv").write_text("label,review,review\n" + "a,x,y\nb,z,w\n" * 20)
    assert channels.problems() == ("train/all.csv: column `review` is there more than once: keep one",)
