"""Promises of the doctor about machines that tests have not: what is short is named with its figure."""

from __future__ import annotations

import shutil

import pytest

from relabel.container.gpu import Facts
from relabel.container.memory import GIB, Memory
from relabel.doctor import machine
from relabel.doctor.machine import Size


@pytest.mark.parametrize(
    ("limit", "size", "level"),
    [
        (8 * GIB, Size(), "ok"),
        (8 * GIB, Size(embeddings=3 * GIB), "ok"),
        (8 * GIB, Size(embeddings=50 * GIB), "ok"),
        (GIB // 2, Size(embeddings=GIB // 64), "warning"),
        (8 * GIB, Size(texts=GIB), "ok"),
        (8 * GIB, Size(texts=2 * GIB), "warning"),
    ],
)
def test_memory_is_held_against_the_data(limit, size, level) -> None:
    """Embeddings may lie on disk, what is known of each row, models of terms and torch take their parts."""
    assert machine.memory(Memory(limit), size).level == level


def test_what_is_not_installed_is_named() -> None:
    """With the way to install it."""
    there = {"flask": "3.1", "gunicorn": "27.0"}
    finding = machine.versions(there)
    assert finding.level == "problem"
    assert "torch, pytorch-lightning, cleanlab, pandas not installed: install 'relabel[train,serve]'" in finding.text


@pytest.mark.parametrize(
    ("facts", "required", "level"),
    [
        (Facts(), False, "ok"),
        (Facts(), True, "problem"),
        (Facts("12.6", "470.1", 1), False, "warning"),
        (Facts("12.6", "470.1", 1), True, "problem"),
        (Facts("12.6", "560.1", 1), True, "ok"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_a_problem_only_where_one_is_required(facts, required, level) -> None:
    """Else the work goes on with the processors."""
    assert machine.gpu(facts, required=required).level == level


def test_folders_on_one_volume_are_one_line(tmp_path) -> None:
    """Folders that are not there yet count as the one above them."""
    folders = {"model": tmp_path / "model", "output": tmp_path / "a" / "b"}
    (finding,) = machine.disks(folders, lambda _folder: 5 * GIB)
    assert (finding.level, finding.text) == ("ok", "5.0 GiB free for model, output")


@pytest.mark.parametrize(("free", "level"), [(0, "problem"), (GIB // 2, "warning"), (GIB, "ok")])
def test_a_full_disk_is_a_problem_and_a_nearly_full_one_a_warning(tmp_path, free, level) -> None:
    """Both name the folder, so that one knows which volume is meant."""
    (finding,) = machine.disks({"model": tmp_path}, lambda _folder: free)
    assert finding.level == level
    assert (str(tmp_path) in finding.text) == (level != "ok")


def test_the_disk_that_is_measured_is_the_folders_own(tmp_path) -> None:
    """The figure is what this machine says."""
    assert 0 <= machine.free_bytes(tmp_path) <= shutil.disk_usage(tmp_path).total


def test_shared_memory_is_never_a_problem(tmp_path) -> None:
    """Nothing is put there, so that none may be there at all."""
    assert machine.shared_memory(tmp_path / "none").level == "ok"
    assert machine.shared_memory(tmp_path).level == "ok"
