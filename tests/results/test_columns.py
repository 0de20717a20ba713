"""Promises of tables that are written a part at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from relabel.results import columns

NAMES = ["one", "a, b", 'c "d"']


def table(rows: slice) -> dict[str, pa.Array]:
    """Make some rows of a table of numbers, names and texts."""
    number = np.arange(rows.start, rows.stop)
    return {
        "number": pa.array(number / 8),
        "name, or none": columns.named(number % 4 - 1, NAMES),
        "text": pa.array([f"text {n}\nwith a line end" for n in number.tolist()], pa.string()),
    }


def parts(total: int, size: int) -> list[dict[str, pa.Array]]:
    """Cut the table into parts."""
    return [table(slice(start, min(start + size, total))) for start in range(0, total, size)]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_csv_is_the_same_whatever_its_parts(tmp_path: Path, size: int) -> None:
    """One header, then the rows, byte for byte."""
    columns.write_csv(tmp_path / "whole.csv", [table(slice(0, 7))])
    columns.write_csv(tmp_path / "parts.csv", parts(7, size))
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_parquet_file_in_parts_holds_the_same_rows(tmp_path: Path) -> None:
    """Names stay names, also where the parts hold others, and a null stays one."""
    columns.write_parquet(tmp_path / "parts.parquet", parts(7, 2))
    found = pa.parquet.read_table(tmp_path / "parts.parquet")
    assert found.to_pylist() == pa.table(table(slice(0, 7))).to_pylist()


def test_a_table_without_rows_has_its_header(tmp_path: Path) -> None:
    """It is one part without rows."""
    (part,) = columns.parts(0)
    columns.write_csv(tmp_path / "empty.csv", [table(part)])
    assert (tmp_path / "empty.csv").read_text() == '"number","name, or none","text"\n'


def test_a_fault_in_a_later_part_leaves_no_file(tmp_path: Path) -> None:
    """Neither the file nor a beginning of it."""

    def torn():
        yield table(slice(0, 2))
        raise OSError(28, "no space")

    for write, name in ((columns.write_csv, "a.csv"), (columns.write_parquet, "a.parquet")):
        with pytest.raises(OSError, match="no space"):
            write(tmp_path / name, torn())
    assert not [*tmp_path.iterdir()]
