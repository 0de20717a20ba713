"""Promises of reading the memory of a control group."""

import os

from relabel.container import memory
from relabel.container.memory import GIB, Memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_version_2_is_read(tmp_path) -> None:
    """Limit, peak and the kills of the group itself, not those of its neighbours in the same file."""
    (tmp_path / "memory.max").write_text(f"{GIB // 4}\n")
    (tmp_path / "memory.peak").write_text(f"{GIB // 8}\n")
    (tmp_path / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n")
    assert memory.read(tmp_path) == Memory(limit=GIB // 4, peak=GIB // 8, kills=2)


def test_version_1_is_read(tmp_path) -> None:
    """The older names say the same."""
    group = tmp_path / "memory"
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(f"{GIB // 4}\n")
    (group / "memory.max_usage_in_bytes").write_text(f"{GIB // 8}\n")
    (group / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert memory.read(tmp_path) == Memory(limit=GIB // 4, peak=GIB // 8, kills=1)


def test_no_limit_is_the_machine_s_memory(tmp_path) -> None:
    """Both ways of saying `no limit` mean all that the machine has."""
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.read(tmp_path).limit == MACHINE
    (tmp_path / "memory.max").write_text("9223372036854771712\n")
    assert memory.read(tmp_path).limit == MACHINE


def test_a_kernel_that_tells_nothing_is_no_failure(tmp_path) -> None:
    """What is unknown is None."""
    assert memory.read(tmp_path / "absent") == Memory(limit=MACHINE)
