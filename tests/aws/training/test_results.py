"""Promises of a job's results on this machine."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from relabel.aws import results
from relabel.errors import PlatformError, UserError
from relabel.report import page
from relabel.results import metrics_file


def put(folder: Path, archives: dict[str, bytes]) -> Path:
    """Write archives into a folder."""
    folder.mkdir(exist_ok=True)
    for name, content in archives.items():
        (folder / name).write_bytes(content)
    return folder


def test_results_lie_as_a_local_job_lays_them(tmp_path, archives) -> None:
    """model/ holds the model, output/data/ the results, also of an archive without that folder; the record says whose they are."""
    results.unpack(put(tmp_path / "in", archives), tmp_path / "out", {"job": "relabel-a"})
    flat = io.BytesIO()
    with tarfile.open(fileobj=flat, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("./report.html"))
    results.unpack(put(tmp_path / "in", {"output.tar.gz": flat.getvalue()}), tmp_path / "flat", {"job": "relabel-b"})
    assert (tmp_path / "out/output/data/report.html").is_file()
    assert (tmp_path / "flat/output/data/report.html").is_file()
    assert (tmp_path / "out/model/model.json").is_file()
    assert results.is_here(tmp_path / "out", "relabel-a")
    assert not results.is_here(tmp_path / "out", "relabel-b")


def test_an_archive_writes_nowhere_else(tmp_path, archives) -> None:
    """Paths upwards, absolute ones and links are passed over."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name in ("../evil", "/tmp/evil", "data/../../evil", "data/report.html"):  # noqa: S108
            archive.addfile(tarfile.TarInfo(name))
        link = tarfile.TarInfo("data/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    results.unpack(put(tmp_path / "in", archives | {"output.tar.gz": made.getvalue()}), tmp_path / "out", {"job": "a"})
    found = {path.relative_to(tmp_path / "out/output").as_posix() for path in (tmp_path / "out/output").rglob("*")}
    assert found == {"data", "data/report.html"}
    assert not (tmp_path / "evil").exists()


def test_a_torn_archive_leaves_what_was_there_and_no_record(tmp_path, archives) -> None:
    """It is said, and the folder does not pass for whole."""
    results.unpack(put(tmp_path / "in", archives), tmp_path / "out", {"job": "a"})
    torn = archives["output.tar.gz"][:-40]
    with pytest.raises(UserError, match="torn"):
        results.unpack(put(tmp_path / "in", {"output.tar.gz": torn}), tmp_path / "out", {"job": "b"})
    assert (tmp_path / "out/output/data/report.html").is_file()
    assert not results.is_here(tmp_path / "out", "a")
    assert not results.is_here(tmp_path / "out", "b")


def test_results_whose_command_was_stopped_are_fetched_again(tmp_path, archives, monkeypatch) -> None:
    """What it left in the folder does not pass for somebody else's files."""

    def stopped(*_arguments: object, **_named: object) -> None:
        raise KeyboardInterrupt

    put(tmp_path / "in", archives)
    with monkeypatch.context() as patch:
        patch.setattr(results.shutil, "rmtree", stopped)
        with pytest.raises(KeyboardInterrupt):
            results.unpack(tmp_path / "in", tmp_path / "out", {"job": "a"})
    assert not results.is_here(tmp_path / "out", "a")
    results.unpack(tmp_path / "in", tmp_path / "out", {"job": "a"})
    assert results.is_here(tmp_path / "out", "a")


def test_a_job_that_left_no_model_is_fetched_again(tmp_path, archives) -> None:
    """The folder is still its own."""
    results.unpack(put(tmp_path / "in", {"output.tar.gz": archives["output.tar.gz"]}), tmp_path / "out", {"job": "a"})
    with pytest.raises(PlatformError, match="left no model"):
        results.check(tmp_path / "out", "a")
    assert not results.is_here(tmp_path / "out", "a")


def test_the_names_of_files_are_those_that_jobs_write() -> None:
    """Who writes them needs the packages of training, so the names stand here too."""
    assert (results.REPORT, results.FIGURES) == (page.NAME, metrics_file.NAME)
