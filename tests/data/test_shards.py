"""Promises of sharded channels: what the job knows of its rows depends on their files, not on how many hosts there are or which has which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relabel.data import parcels, reading
from relabel.data.digest import digest
from relabel.data.examples import Examples
from relabel.data.identity import row_hashes
from relabel.data.room import Room
from relabel.data.shards import Shards
from relabel.errors import UserError
from relabel.settings import TrainSettings

Dealt = Callable[[str, int], Sequence[int]]
"""(channel/file, its number) -> the hosts that get it."""

D = 6
SIZES = {"train/a": 60, "train/b": 5, "train/c": 31, "train/d": 44, "test/t": 30}


def tables() -> dict[str, pa.Table]:
    """Files with embeddings, texts, ids and a column to look at; some rows are in two files, and one file has one class alone."""
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(sum(SIZES.values()), D)).astype(np.float32)
    whole[100:104] = whole[:4]
    made, start = {}, 0
    for name, rows in SIZES.items():
        x = whole[start : start + rows]
        label = ["neg"] * rows if name == "train/b" else ["pos" if value > 0 else "neg" for value in x[:, 0]]
        made[name] = pa.table(
            {
                "embedding": list(x),
                "label": label,
                "text": [f"{name} {n % (rows - 3)} è" for n in range(rows)],
                "id": [f"{name}-{n}" for n in range(rows)],
                "shop": [f"shop {n % 3}" for n in range(rows)],
            }
        )
        start += rows
    return made


def laid_out(root: Path, size: int, dealt: Dealt, files: Mapping[str, pa.Table]) -> list[dict[str, Path]]:
    """Write each file into the folders of the hosts that get it; give each host's channels. A host without a file of one has no folder."""
    channels = []
    for rank in range(size):
        for number, (name, table) in enumerate(sorted(files.items())):
            if rank in dealt(name, number):
                path = root / str(rank) / f"{name}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(table, path)
        channels.append({name: root / str(rank) / name for name in ("test", "train")})
    return channels


def read(channels: Mapping[str, Path], company: Any, *, memory: int = 1 << 30) -> Examples:
    """Read as a job with two sharded channels does."""
    told = TrainSettings(metadata_columns="shop", id_column="id", dev_share=0.2)
    return reading.read(channels, told, Room(memory), Shards(frozenset({"train", "test"}), company))


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    """Let 50 bytes of texts go at a time."""
    monkeypatch.setattr(parcels, "PIECE", 50)


def facts(examples: Examples) -> list[Any]:
    """All that is known of the rows."""
    hashes = row_hashes(examples.features, examples.texts, len(examples), known=examples.hashes)
    arrays = [
        getattr(examples, name) for name in ("labels", "split", "group", "left_out", "file", "row", "ids", "keys")
    ]
    return [
        *(array.tolist() for array in arrays),
        examples.texts[:],
        examples.metadata["shop"].tolist(),
        [examples.classes, examples.files, sorted(examples.notes)],
        [*hashes],
        digest(examples),
        examples.features.take(np.arange(len(examples))).tolist(),
    ]


def one_each(_name: str, number: int) -> Sequence[int]:
    """Deal the files out over three hosts."""
    return [number % 3]


@pytest.mark.parametrize(
    ("size", "dealt"),
    [
        (2, lambda _name, number: [number % 2]),
        (3, one_each),
        (4, lambda _name, number: [0 if number < 4 else 2]),
        (2, lambda name, number: [0, 1] if name.startswith("test") else [number % 2]),
    ],
    ids=["two", "three", "two of four have none", "test is replicated"],
)
@pytest.mark.parametrize("memory", [1 << 30, 0], ids=["memory", "disk"])
@pytest.mark.usefixtures("small_pieces")
def test_every_host_knows_what_one_host_would_know(hosts, tmp_path, size, dealt, memory) -> None:
    """Labels, splits, duplicates, ids, texts, hashes, digest and, asked for together, vectors: equal on every host to those of one that has all."""
    [alone] = laid_out(tmp_path / "one", 1, lambda _name, _number: [0], tables())
    channels = laid_out(tmp_path / "several", size, dealt, tables())
    told = TrainSettings(metadata_columns="shop", id_column="id", dev_share=0.2)
    expected = facts(reading.read(alone, told))

    def work(company: Any) -> tuple[list[Any], int]:
        examples = read(channels[company.rank], company, memory=memory)
        return facts(examples), examples.features.local.shape[0]

    found = hosts(size, work)
    for known, _ in found:
        assert known == expected
    assert sum(rows for _, rows in found) == sum(SIZES.values()), "each vector is held once"


def refused(hosts: Any, channels: Sequence[Mapping[str, Path]]) -> list[tuple[str, ...]]:
    """Read what cannot be read: the problems that each host gives."""

    def work(company: Any) -> tuple[str, ...]:
        with pytest.raises(UserError) as caught:
            read(channels[company.rank], company)
        return caught.value.problems

    return hosts(len(channels), work)


def test_bad_rows_of_one_host_are_named_on_all(hosts, tmp_path) -> None:
    """Every host says which host's file has which bad row, and a broken file of another host beside it."""
    files = tables()
    bad = np.array(files["train/b"]["embedding"].to_pylist(), np.float32)
    bad[3, 1] = np.nan
    files["train/b"] = files["train/b"].set_column(0, "embedding", [list(bad)])
    channels = laid_out(tmp_path, 3, one_each, files)
    said = refused(hosts, channels)
    assert said[0] == said[1] == said[2]
    [problem] = said[0]
    assert problem.startswith("algo-3: train/b.parquet")
    assert "row 3" in problem
    (channels[0]["train"] / "c.parquet").write_bytes(b"torn")
    assert {problem.split(": ")[0] for problem in refused(hosts, channels)[1]} >= {"algo-1", "algo-3"}


def test_widths_and_ids_are_held_against_those_of_other_hosts(hosts, tmp_path) -> None:
    """What contradicts a file that lies on another host is said as on one host."""
    files = tables()
    files["train/d"] = files["train/d"].set_column(0, "embedding", [[[1.0, 2.0]] * 44])
    files["train/c"] = files["train/c"].set_column(3, "id", [["train/a-7", *(f"c{n}" for n in range(30))]])
    wrong = refused(hosts, laid_out(tmp_path, 3, one_each, files))[2]
    assert any("train/d.parquet: 2 wide" in problem for problem in wrong)
    assert any("train/c.parquet: 1 id given before" in problem for problem in wrong)


def test_labels_and_embeddings_in_two_files_are_refused(hosts, tmp_path) -> None:
    """They may come to different hosts: every host names them and the way out, though one has neither."""
    files = laid_out(tmp_path, 2, lambda _name, _number: [0], tables())
    np.save(files[0]["train"] / "a.npy", np.zeros((60, D), np.float32))
    for [problem] in refused(hosts, files):
        assert "train/a.npy" in problem
        assert "FullyReplicated" in problem


def test_a_folder_for_each_class_is_refused(hosts, tmp_path) -> None:
    """A class may come to a host that has no other."""
    channels = [{"train": tmp_path / str(rank) / "train"} for rank in range(2)]
    for channel, name in zip(channels, ("pos", "neg"), strict=True):
        (channel["train"] / name).mkdir(parents=True)
        (channel["train"] / name / "1.txt").write_text("a text")
    for [problem] in refused(hosts, channels):
        assert "`train/neg`, `train/pos`" in problem


def test_hosts_without_any_training_row_say_so(hosts, tmp_path) -> None:
    """A job without a file of train ends on all hosts with one sentence."""
    channels = laid_out(tmp_path, 2, lambda _name, _number: [1], {"test/t": tables()["test/t"]})
    assert (
        refused(hosts, channels)
        == [("train: no host has a file of training rows: give the training data as channel `train`",)] * 2
    )


def test_two_files_of_one_name_are_refused(hosts, tmp_path) -> None:
    """A file that several hosts have must be the same on all of them."""
    channels = laid_out(tmp_path, 2, lambda _name, _number: [0, 1], tables())
    pq.write_table(tables()["train/b"], channels[1]["train"] / "a.parquet")
    for problems in refused(hosts, channels):
        assert "train/a.parquet: algo-1 and algo-2 have different files of this name: rename one of them" in problems


@pytest.mark.parametrize("size", [1, 2, 3])
def test_channels_that_are_not_sharded_are_read_by_every_host(hosts, tmp_path, size) -> None:
    """Each has all rows with their vectors, and asks the others for none."""
    channels = laid_out(tmp_path, size, lambda _name, _number: range(size), tables())

    def alone(company: Any) -> Examples:
        return reading.read(channels[company.rank], TrainSettings(), Room(1 << 30), Shards(frozenset(), company))

    for examples in hosts(size, alone):
        assert examples.features is not None
        assert examples.features.take(np.arange(len(examples))).shape == (len(examples), D)
