"""Promises of reading embeddings that have no room in memory: the same data, wherever they lie."""

import errno
import json
import os
from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from relabel.data import embeddings, identity, keys, reading
from relabel.data.digest import digest
from relabel.data.examples import Dense, Examples
from relabel.data.room import Room
from relabel.errors import UserError, explained
from relabel.settings import TrainSettings

ROWS, WIDTH = 60, 6
VECTORS = np.random.default_rng(0).standard_normal((ROWS, WIDTH)).astype(np.float16)
VECTORS[1] = VECTORS[0]
VECTORS[5, :2] = 0, -0.0


def as_npy(path: Path, vectors: np.ndarray, order: str = "C") -> None:
    """Write an array."""
    np.save(path.with_suffix(".npy"), np.asarray(vectors, order=order))


def as_tensor(path: Path, vectors: np.ndarray) -> None:
    """Write a tensor."""
    torch.save(torch.from_numpy(vectors), path.with_suffix(".pt"))


WRITERS = {
    "float16": as_npy,
    "float32": lambda path, vectors: as_npy(path, vectors.astype(np.float32)),
    "float64": lambda path, vectors: as_npy(path, vectors.astype(np.float64)),
    "by columns": lambda path, vectors: as_npy(path, vectors, "F"),
    "tensor": as_tensor,
    "half of a table": lambda path, vectors: write_table(path, pa.array([*vectors], pa.list_(pa.float16()))),
    "columns of lists": lambda path, vectors: write_table(path, pa.array(vectors.astype(np.float32).tolist())),
    "lines": lambda path, vectors: write_lines(path, vectors),  # noqa: PLW0108  # defined below
}


def write_table(path: Path, lists: pa.Array) -> None:
    """Write Parquet, with labels and texts."""
    labels, texts = columns(len(lists))
    pq.write_table(pa.table({"label": labels, "review": texts, "embedding": lists}), path.with_suffix(".parquet"))


def write_lines(path: Path, vectors: np.ndarray) -> None:
    """Write JSON Lines, with labels and texts."""
    rows = zip(*columns(len(vectors)), vectors.astype(float).tolist(), strict=True)
    lines = (json.dumps({"label": label, "review": text, "embedding": vector}) for label, text, vector in rows)
    path.with_suffix(".jsonl").write_text("\n".join(lines))


def columns(rows: int) -> tuple[list[str], list[str]]:
    """Give labels and texts; some texts are equal, some empty."""
    return [str(row % 2) for row in range(rows)], [f"text {row // 2}" if row % 5 else "" for row in range(rows)]


def made(folder: Path, kind: str) -> dict[str, Path]:
    """Write a channel of two files."""
    train = folder / "train"
    train.mkdir()
    for name, part in (("a", VECTORS[: ROWS // 3]), ("b", VECTORS[ROWS // 3 :])):
        WRITERS[kind](train / name, part)
        if not [*train.glob(f"{name}.parquet"), *train.glob(f"{name}.jsonl")]:
            labels, texts = columns(len(part))
            lines = (f"{label},{text}\n" for label, text in zip(labels, texts, strict=True))
            (train / f"{name}.csv").write_text("label,review\n" + "".join(lines))
    return {"train": train}


def held(examples: Examples) -> dict[str, object]:
    """Give all that is known of the rows, as it can be compared."""
    found = {field.name: getattr(examples, field.name) for field in fields(examples)}
    found["features"] = examples.features.take(np.arange(len(examples)))
    found["texts"] = examples.texts and examples.texts[:]
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in found.items()}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("block", [24, 1 << 22])
def test_data_are_the_same_in_memory_and_on_disk(tmp_path, monkeypatch, kind, block) -> None:
    """Every format, splits drawn: equal to the bit, with equal groups, hashes and name."""
    monkeypatch.setattr(embeddings, "BLOCK_BYTES", block)
    channels, settings = made(tmp_path, kind), TrainSettings()
    inside = reading.read(channels, settings)
    outside = reading.read(channels, settings, Room(0, tmp_path))
    assert isinstance(inside.features, Dense)
    assert not isinstance(outside.features, Dense)
    assert held(inside) == held(outside)
    assert digest(inside) == digest(outside)


@pytest.mark.parametrize("kind", ["float16", "float32", "tensor"])
def test_what_lies_on_the_network_is_read_once(tmp_path, kind) -> None:
    """Mounts such as those of FastFile are copied as they are read, and can be gone then."""
    channels, settings = made(tmp_path, kind), TrainSettings()
    inside = reading.read(channels, settings)
    outside = reading.read(channels, settings, Room(0, tmp_path, {tmp_path / "train": "fuse"}))
    for path in channels["train"].iterdir():
        path.write_bytes(b"")
    assert held(inside) == held(outside)


def test_little_data_lie_in_memory(tmp_path) -> None:
    """Up to the room that there is, as float32, to the byte."""
    channels, settings = made(tmp_path, "float16"), TrainSettings()
    enough = 4 * ROWS * WIDTH
    assert isinstance(reading.read(channels, settings, Room(enough, tmp_path)).features, Dense)
    assert not isinstance(reading.read(channels, settings, Room(enough - 1, tmp_path)).features, Dense)


def test_what_was_made_while_reading_is_what_a_pass_would_make(tmp_path) -> None:
    """Keys and row hashes, with texts and with a negative zero."""
    examples = reading.read(made(tmp_path, "float32"), TrainSettings())
    assert np.array_equal(examples.keys, keys.of_features(examples.features))
    anew = [*identity.row_hashes(examples.features, examples.texts, ROWS)]
    assert [*identity.row_hashes(None, None, ROWS, known=examples.hashes)] == anew
    assert len({*anew}) > len({*map(bytes, examples.keys)})


def test_rows_without_texts_have_one_key(tmp_path) -> None:
    """It is their hash too, and takes no memory of its own."""
    channels = made(tmp_path, "float32")
    for path in channels["train"].glob("*.csv"):
        path.write_text("".join(line.split(",")[0] + "\n" for line in path.read_text().splitlines()))
    vectors = np.load(channels["train"] / "a.npy")
    np.save(channels["train"] / "a.npy", vectors + np.float32(0))
    examples = reading.read(channels, TrainSettings())
    assert examples.hashes is examples.keys
    assert [*identity.row_hashes(None, None, ROWS, known=examples.hashes)] == [
        *identity.row_hashes(examples.features, None, ROWS)
    ]


def test_bad_rows_are_named_wherever_they_lie(tmp_path) -> None:
    """A value that is no number is found in the one pass there is."""
    channels = made(tmp_path, "float16")
    vectors = np.load(channels["train"] / "b.npy")
    vectors[3, 2] = np.nan
    np.save(channels["train"] / "b.npy", vectors)
    with pytest.raises(UserError) as caught:
        reading.read(channels, TrainSettings(), Room(0, tmp_path))
    assert caught.value.problems[0].startswith("train/b.npy: NaN, infinity")
    assert "row 3" in caught.value.problems[0]


def test_lists_of_other_widths_are_refused_without_room_too(tmp_path) -> None:
    """What could be copied until then is forgotten."""
    train = tmp_path / "train"
    train.mkdir()
    write_table(train / "a", pa.array([[0.5, 1.5], [2.5]] * (ROWS // 2)))
    with pytest.raises(UserError, match="no list of 2 numbers, as row 0 has, in 30 rows"):
        reading.read({"train": train}, TrainSettings(), Room(0, tmp_path))


def test_a_disk_without_room_is_named(tmp_path, monkeypatch) -> None:
    """What has no room in memory needs a place on a disk: where that is full, the failure says which."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    channels = made(tmp_path, "by columns")
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        reading.read(channels, TrainSettings(), Room(0, tmp_path))
    assert str(tmp_path) in str(explained(caught.value))
