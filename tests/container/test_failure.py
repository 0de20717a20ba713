"""Promises of what a failed job leaves behind."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from relabel.container import failure
from relabel.errors import AlgorithmError, PlatformError, UserError


@settings(deadline=None)
@given(text=st.text(max_size=3000), kind=st.sampled_from([UserError, PlatformError, AlgorithmError]))
@example("é" * 600, UserError)
@example("a" + "é" * 600, UserError)
@example("😀" * 400, AlgorithmError)
@example("x" * 1024, PlatformError)
@example("x" * 1025, PlatformError)
@example("\udcff" * 2000, UserError)
def test_any_failure_fits(tmp_path_factory, text, kind) -> None:
    """At most 1024 bytes of whole characters are written, never none, whatever the message is made of."""
    path = tmp_path_factory.mktemp("job") / "output" / "failure"
    assert failure.write(path, kind(text))
    written = path.read_bytes()
    assert 0 < len(written) <= 1024
    assert len(written.decode()) <= 1024


@settings(deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1100, max_size=3000))
def test_a_long_cause_is_cut_visibly_at_its_end(tmp_path_factory, text) -> None:
    """What is kept is how the message began, as much of it as fits, and a sign that there was more."""
    path = tmp_path_factory.mktemp("job") / "failure"
    failure.write(path, UserError(text))
    kept = path.read_text(encoding="utf-8")
    assert kept.endswith("…")
    assert text.startswith(kept[:-1])
    assert len(kept.encode()) > 1024 - 4


def test_a_short_failure_is_written_as_it_is(tmp_path) -> None:
    """The message already says the cause and what to do."""
    failure.write(tmp_path / "failure", UserError("folds is 1: give at least 2"))
    assert (tmp_path / "failure").read_text() == "folds is 1: give at least 2"


def test_our_own_fault_says_so_after_the_cause(tmp_path) -> None:
    """A person need not search their data for it, even where the cause is cut."""
    failure.write(tmp_path / "failure", AlgorithmError("x" * 5000))
    text = (tmp_path / "failure").read_text(encoding="utf-8")
    assert text.startswith("xxx")
    assert text.endswith("please report it with the log.")


def test_a_disk_that_is_full_hides_nothing(tmp_path, monkeypatch) -> None:
    """Writing answers False, raises nothing, and leaves no half file."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert not failure.write(tmp_path / "failure", UserError("cause"))
    assert not failure.write_traceback(tmp_path, "trace")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_has_room_for_the_cause(tmp_path, monkeypatch) -> None:
    """Where room was kept, a failure is written over it; and nothing is left of the room."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with failure.room(tmp_path / "failure"):
        monkeypatch.setattr(os, "fsync", full)
        assert failure.write(tmp_path / "failure", PlatformError("no space left"))
    assert (tmp_path / "failure").read_text() == "no space left"
    assert [path.name for path in tmp_path.iterdir()] == ["failure"]


def test_room_that_was_not_needed_goes(tmp_path) -> None:
    """A job that ended well leaves its folder as if there had been none; where none can be kept, nothing fails."""
    with failure.room(tmp_path / "failure"):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with failure.room(tmp_path / "file" / "failure"):
        pass


@pytest.mark.parametrize("place", ["file/failure", "folder"])
def test_a_place_that_cannot_be_written_hides_nothing(tmp_path, place) -> None:
    """A file where a folder should be, or a folder where the file should be, is no second failure."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    assert not failure.write(tmp_path / place, UserError("cause"))


def test_the_whole_traceback_is_kept(tmp_path) -> None:
    """It is not cut, and characters that UTF-8 lacks do not stop it."""
    text = "line\n" * 10_000 + "\udcff"
    assert failure.write_traceback(tmp_path / "output" / "data", text)
    written = Path(tmp_path / "output" / "data" / "traceback.txt").read_text(encoding="utf-8")
    assert written == text.replace("\udcff", "?")


def test_an_earlier_run_s_failure_is_removed(tmp_path) -> None:
    """Clearing removes both files, and does nothing where there are none."""
    failure.write(tmp_path / "failure", UserError("old"))
    failure.write_traceback(tmp_path / "data", "old")
    failure.clear(tmp_path / "failure", tmp_path / "data")
    failure.clear(tmp_path / "failure", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
    assert not (tmp_path / "failure").exists()
