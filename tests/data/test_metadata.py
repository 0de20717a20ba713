"""Promises of columns that errors are looked at by."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from relabel.data import metadata
from relabel.data.digest import digest
from relabel.settings import TrainSettings

ROWS = 40
COLUMNS = {
    "review": [f"text {row}" for row in range(ROWS)],
    "label": [str(row % 2) for row in range(ROWS)],
    "source": [f"shop {row % 3}" for row in range(ROWS)],
    "e0": [str(row) for row in range(ROWS)],
}


def write(channels, suffix: str) -> None:
    """Write the channel train in a format."""
    if suffix == ".csv":
        channels.table("train/train", COLUMNS)
    elif suffix == ".parquet":
        pq.write_table(pa.table(COLUMNS), channels.path("train/train.parquet"))
    else:
        lines = [json.dumps(dict(zip(COLUMNS, values, strict=True))) for values in zip(*COLUMNS.values(), strict=True)]
        channels.path("train/train.jsonl").write_text("\n".join(lines))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_columns_come_with_their_rows_whatever_the_format(channels, suffix) -> None:
    """Also where splits are drawn, which moves rows; and the data has the same name with them and without."""
    write(channels, suffix)
    examples = channels.read(metadata_columns="source, e0", dev_share=0.3)
    assert [*examples.metadata] == ["source", "e0"]
    assert examples.metadata["source"].tolist() == [f"shop {row % 3}" for row in examples.row]
    assert examples.metadata["e0"].tolist() == [str(row) for row in examples.row]
    assert (np.diff(examples.row) < 0).any(), "rows were moved"
    without = channels.read(dev_share=0.3)
    assert without.metadata == {}
    assert digest(examples) == digest(without)


def test_a_file_without_the_column_has_empty_values(channels) -> None:
    """As long as another file has it."""
    channels.table("train/train", COLUMNS)
    channels.table("test/test", {"review": ["x", "y"], "label": ["0", "1"]})
    examples = channels.read(metadata_columns="source")
    assert examples.metadata["source"][examples.split == 2].tolist() == ["", ""]


def test_a_column_that_is_nowhere_is_named_with_those_there_are(channels) -> None:
    """All of them at once."""
    channels.table("train/train", COLUMNS)
    (problem,) = channels.problems(metadata_columns="annotator,source,place")
    assert problem.startswith("metadata_columns: no file has `annotator`, `place`, the columns there are `review`")


def test_named_columns_are_no_embeddings(channels) -> None:
    """Numbers that were asked for as metadata are not learned from."""
    table = {**{name: COLUMNS[name] for name in ("review", "label")}}
    table |= {f"v{n}": [str(n + row / 10) for row in range(ROWS)] for n in range(4)}
    channels.table("train/train", table)
    assert channels.read().features.shape == (ROWS, 4)
    examples = channels.read(metadata_columns="v3")
    assert examples.features.shape == (ROWS, 3)
    assert examples.metadata["v3"][0] == table["v3"][examples.row[0]]


@pytest.mark.parametrize(("said", "names"), [("", ()), (" a ,b,,a", ("a", "b")), ("two words", ("two words",))])
def test_names_stand_with_commas_between(said, names) -> None:
    """Spaces around them do not count, nor does saying one twice."""
    assert metadata.names(TrainSettings(metadata_columns=said)) == names
