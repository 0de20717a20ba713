"""Promises of files that are whole or not there."""

from __future__ import annotations

import os

import pytest

from relabel import files
from relabel.errors import AlgorithmError, PlatformError, UserError, explained


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path) -> None:
    """A failure while writing leaves the old content and no temporary file."""
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "old")

    def fail_half_way() -> None:
        with files.replacing(path) as temporary:
            temporary.write_text("ne")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail_half_way()
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_json_refuses_what_is_no_json(tmp_path) -> None:
    """NaN is not written into a file that other programs read."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_failures_are_explained_by_who_can_mend_them() -> None:
    """A full disk is the platform's, a user's error stays as it is, anything else is ours."""
    full = explained(OSError(28, os.strerror(28), "/x/y"))
    assert isinstance(full, PlatformError)
    assert full.exit_code == 3
    assert "/x/y" in str(full)
    assert isinstance(explained(MemoryError()), PlatformError)
    mine = UserError("a", "b")
    assert explained(mine) is mine
    assert (mine.exit_code, str(mine)) == (2, "2 problems:\n- a\n- b")
    assert isinstance(explained(ZeroDivisionError("x")), AlgorithmError)
