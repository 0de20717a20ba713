"""Promises of counting processor cores."""

import os

import pytest

from relabel.container import processors

ALL = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("said", "cores"),
    [
        ("max 100000", ALL),
        ("100000 100000", 1),
        ("50000 100000", 1),
        (f"{ALL * 200000} 100000", ALL),
        ("", ALL),
        ("x y", ALL),
    ],
)
def test_version_2_is_read(tmp_path, said, cores) -> None:
    """A quota of time counts as cores, rounded up; without one all cores that the process may run on."""
    (tmp_path / "cpu.max").write_text(f"{said}\n")
    assert processors.count(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", ALL), ("100000", 1), ("150000", min(2, ALL))])
def test_version_1_is_read(tmp_path, quota, cores) -> None:
    """-1 is no limit."""
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert processors.count(tmp_path) == cores


def test_a_kernel_that_tells_nothing_is_no_failure(tmp_path) -> None:
    """Then all cores count that the process may run on."""
    assert processors.count(tmp_path / "absent") == ALL
