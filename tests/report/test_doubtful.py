"""The order of the doubtful rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from relabel.report import doubtful
from relabel.report.results import Results


@pytest.fixture
def found(tmp_path) -> Results:
    """Five rows of two files, four of them flagged."""
    audit = pa.table(
        {
            "file": pa.array(["a.csv", "a.csv", "b.csv", "b.csv", "b.csv"]).dictionary_encode(),
            "row": pa.array([0, 1, 0, 1, 2]),
            "flagged": pa.array([True, True, True, False, True]),
            "posterior": pa.array([0.5, 0.9, 0.9, 1.0, 0.7]),
        }
    )
    return Results(folder=tmp_path, metrics={}, audit=audit)


def listed(found: Results, *places: tuple[str, int]) -> None:
    """Write label_issues.csv."""
    lines = ["file,row,id,review", *(f'"{file}",{row},"","a text\nof ""two"" lines, and 中"' for file, row in places)]
    (found.folder / "label_issues.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_rows_stand_as_the_file_for_people_has_them(found) -> None:
    """The order is that of label_issues.csv, which may know more than the posterior."""
    listed(found, ("b.csv", 2), ("a.csv", 0), ("b.csv", 0), ("a.csv", 1))
    assert doubtful.worst_first(found).tolist() == [4, 0, 2, 1]


def test_without_the_file_the_posterior_decides(found) -> None:
    """Rows stand by posterior, then as in the data."""
    assert doubtful.worst_first(found).tolist() == [1, 2, 4, 0]


@pytest.mark.parametrize("places", [[("a.csv", 0)], [("a.csv", 0)] * 4, [("other.csv", 9)]])
def test_a_file_of_other_rows_is_passed_over(found, places) -> None:
    """A file that does not list all flagged rows, once each, says nothing about their order."""
    listed(found, *places)
    assert doubtful.worst_first(found).tolist() == [1, 2, 4, 0]


@pytest.mark.parametrize("content", [b"", b'file,row\n"torn', b"row\n1\n", b"file,row\na.csv,x\n"])
def test_a_torn_file_is_passed_over(found, content) -> None:
    """What cannot be read is as if it were not there."""
    (found.folder / "label_issues.csv").write_bytes(content)
    assert doubtful.worst_first(found).tolist() == [1, 2, 4, 0]


def test_nothing_flagged_gives_nothing(found) -> None:
    """Without flagged rows the order is empty."""
    audit = found.audit.set_column(2, "flagged", pa.array(np.zeros(5, bool)))
    assert doubtful.worst_first(Results(folder=found.folder, metrics={}, audit=audit)).size == 0
