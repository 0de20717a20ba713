"""Promises of files that are whole or not there."""

from __future__ import annotations

import errno
import os
import re

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


def test_a_write_that_fails_names_the_file(tmp_path) -> None:
    """The one that was meant, where the system names none."""

    def fill() -> None:
        with files.replacing(tmp_path / "a.txt"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left") as raised:
        fill()
    assert raised.value.filename == str(tmp_path / "a.txt")


def test_what_a_killed_process_had_begun_to_write_is_swept_away(tmp_path) -> None:
    """At any depth; all else stays, and a folder that is not there is none to sweep."""
    for name in ("a.txt", f"a.txt.12345678{files.TEMPORARY}", f"deep/b.txt.12345678{files.TEMPORARY}"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files.sweep(tmp_path, tmp_path / "none")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.txt"]


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


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOTDIR, UserError), (errno.EACCES, UserError), (errno.ENOSPC, PlatformError)]
)
def test_a_write_that_failed_is_said_to_who_can_mend_it(tmp_path, number, kind) -> None:
    """A wrong place is the user's, a full disk the machine's."""
    with pytest.raises(kind, match=re.escape(os.strerror(number))), files.told(tmp_path / "x"):
        raise OSError(number, os.strerror(number), str(tmp_path / "x"))
