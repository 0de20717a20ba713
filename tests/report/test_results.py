"""Promises of reading a job's results for a report."""

from __future__ import annotations

import re

import pytest

from relabel.errors import UserError
from relabel.report import results


def test_all_that_a_job_left_is_read(made) -> None:
    """What is there is given, what is not is None or empty, and of run.json the versions alone."""
    found = results.read(made())
    assert found.classes == ("no", "yes")
    assert found.audit.num_rows == 120
    assert found.predictions is not None
    assert found.overview is not None
    assert found.population is found.neighbours is found.outlook is None
    assert found.explanations == []
    assert found.build == {"relabel": "0.0", "threads": 1}


def test_another_folder_is_refused(tmp_path) -> None:
    """A folder without results is refused, with what to give."""
    with pytest.raises(UserError, match="give the folder output/data of a training job"):
        results.read(tmp_path)


def test_what_is_missing_is_named(made, tmp_path) -> None:
    """One file of two, no folder, a file; and where results lie further down, where."""
    folder = made("job/output/data")
    (folder / "audit.parquet").unlink()
    seen = {folder: "no audit.parquet: give", tmp_path / "none": "no such folder", folder / "metrics.json": "a file"}
    for path, word in seen.items():
        with pytest.raises(UserError, match=word):
            results.read(path)
    with pytest.raises(UserError, match=rf"no audit.parquet and no metrics.json: give {re.escape(str(folder))}$"):
        results.read(tmp_path / "job")


def test_all_torn_files_are_told_at_once(made) -> None:
    """Every file that cannot be read is named in one message, and nothing of it is echoed."""
    folder = made()
    (folder / "population.json").write_text('{"secret": ')
    (folder / "predictions.parquet").write_bytes(b"PAR1")
    (folder / "outlook.json").write_text("[]")
    with pytest.raises(UserError) as raised:
        results.read(folder)
    assert {problem.split(":")[0] for problem in raised.value.problems} == {
        "population.json",
        "predictions.parquet",
        "outlook.json",
    }
    assert "secret" not in str(raised.value)
