"""Promises of reading the memory of a control group."""

import mmap
import os
from pathlib import Path

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


def test_a_process_beside_other_groups_finds_its_own(tmp_path) -> None:
    """By the name that the kernel tells it; where there is no such folder, what is mounted is its group."""
    for name, size in (("jobs/one", 8), ("jobs/two", 4)):
        (tmp_path / "v2" / name).mkdir(parents=True)
        (tmp_path / "v2" / name / "memory.max").write_text(f"{GIB // size}\n")
        (tmp_path / "v1" / "memory" / name).mkdir(parents=True)
        (tmp_path / "v1" / "memory" / name / "memory.limit_in_bytes").write_text(f"{GIB // size}\n")
    (tmp_path / "v1" / "memory" / "memory.limit_in_bytes").write_text(f"{GIB // 2}\n")
    own = tmp_path / "own"
    own.write_text("0::/jobs/one\n")
    assert memory.read(tmp_path / "v2", own).limit == GIB // 8
    own.write_text("5:cpu,cpuacct:/jobs/one\n4:memory:/jobs/two\n0::/\n")
    assert memory.read(tmp_path / "v1", own).limit == GIB // 4
    own.write_text("4:memory:/docker/elsewhere\n")
    assert memory.read(tmp_path / "v1", own).limit == GIB // 2


def test_what_a_process_holds_grows_with_what_it_takes() -> None:
    """Bytes of its own, and none where the kernel does not tell."""
    before, size = memory.held(), 64 << 20
    # Pages of the kernel: what else Python takes may be what it gave back to itself before.
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as taken:
        taken.write(b"x" * size)
        assert memory.held() - before > size // 2
    assert memory.held(Path("/proc/nowhere")) == 0
