"""Promises of the small parent, kept by real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relabel.container import supervisor
from relabel.container.memory import GIB, Memory
from relabel.container.supervisor import FORWARDED

SUPERVISOR = [sys.executable, "-m", "relabel.container.supervisor"]


@pytest.fixture
def failure(tmp_path: Path) -> Path:
    """Where the failure file of the jobs of this test is."""
    return tmp_path / "output" / "failure"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command under the supervisor, in a contract below the test's folder; nothing of it outlives the test."""
    started = []

    def starting(*command: str) -> subprocess.Popen[str]:
        here = {**os.environ, "RELABEL_ROOT": str(tmp_path)}
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*SUPERVISOR, *command], env=here, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        started.append(process)
        return process

    yield starting
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., tuple[int, str, str]]:
    """Run a command to its end: exit code, stdout, stderr."""

    def running(*command: str) -> tuple[int, str, str]:
        process = start(*command)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    return running


def python(code: str) -> tuple[str, ...]:
    """Make a command of Python code."""
    return sys.executable, "-c", code


def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds; a minute at most."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_command_that_ends_well_leaves_no_failure(run, failure) -> None:
    """Arguments arrive as given, and exit code 0 comes back."""
    code, out, err = run(*python("import sys; print(sys.argv[1:])"), "a b", "--c=*")
    assert (code, out, err) == (0, "['a b', '--c=*']\n", "")
    assert not failure.exists()


def test_a_failure_file_of_an_earlier_run_is_removed(run, failure) -> None:
    """A folder used twice does not report the first run's failure for the second."""
    traceback = failure.parent / "data" / "traceback.txt"
    traceback.parent.mkdir(parents=True)
    failure.write_text("old")
    traceback.write_text("old")
    assert run("true")[0] == 0
    assert not failure.exists()
    assert not traceback.exists()


def test_a_command_s_own_failure_file_stays(run, failure) -> None:
    """Who knows the cause has said it, whichever way the process ends afterwards."""
    failure.parent.mkdir(parents=True)
    for end, expected in (("sys.exit(2)", 2), ("os.kill(os.getpid(), 9)", 137)):
        code = f"import os, pathlib, sys; pathlib.Path({str(failure)!r}).write_text('cause'); {end}"
        assert run(*python(code))[0] == expected
        assert failure.read_text() == "cause"


@pytest.mark.parametrize("spelled", [("--output", "{}"), ("--output={}",), ("--root", "{}"), ("--root={}",)])
def test_a_job_that_is_told_where_to_write_has_its_failure_file_there(run, failure, tmp_path, spelled) -> None:
    """The options of `relabel train` that move its folders count: one file, at that place, and none of an earlier run."""
    moved = tmp_path / "else where"
    arguments = [part.format(moved) for part in spelled]
    there = moved / "output" / "failure"
    assert run(*python("import os; os.kill(os.getpid(), 9)"), *arguments)[0] == 137
    assert "out of memory" in there.read_text()
    assert not failure.exists()
    assert run(*python("pass"), *arguments)[0] == 0
    assert not there.exists()


def test_an_option_without_its_value_is_the_commands_to_refuse(run) -> None:
    """The supervisor has no options of its own, and complains of none."""
    assert run(*python("import sys; print(sys.argv[1:])"), "--output") == (0, "['--output']\n", "")


@pytest.mark.parametrize(("code", "ours"), [(1, True), (2, False), (3, False)])
def test_a_command_that_fails_in_silence_is_explained(run, failure, code, ours) -> None:
    """The exit code is named and the log pointed to; only an unforeseen end is called our fault."""
    assert run(*python(f"raise SystemExit({code})"))[0] == code
    assert f"exit code {code} " in failure.read_text()
    assert "log" in failure.read_text()
    assert ("fault of relabel" in failure.read_text()) is ours


@pytest.mark.parametrize(
    ("signum", "expected"),
    [
        (signal.SIGKILL, ["SIGKILL", "memory", "GiB", "instance with more memory"]),
        (signal.SIGBUS, ["SIGBUS", "shared memory", "larger volume"]),
        (signal.SIGSEGV, ["signal 11", "Segmentation fault"]),
        (signal.SIGTERM, ["another process", "Terminated"]),
        (signal.SIGRTMIN + 1, ["signal 35"]),
    ],
)
def test_a_command_that_a_signal_killed_is_explained(run, failure, signum, expected) -> None:
    """Cause and what to do are in the failure file and in the log, and the exit code is the shell's."""
    code, _, err = run(*python(f"import os; os.kill(os.getpid(), {int(signum)})"))
    assert code == 128 + signum
    for part in expected:
        assert part in failure.read_text()
        assert part in err


@pytest.mark.parametrize(("kills", "likely"), [(None, "most likely out of memory"), (4, "most likely"), (3, "outside")])
def test_a_kill_is_explained_by_what_the_kernel_counts(kills, likely) -> None:
    """Memory is named first, unless the kernel counts no process that was killed for want of it since the job began."""
    explained = str(supervisor._killed(Memory(8 * GIB, kills=3), Memory(8 * GIB, peak=7 * GIB, kills=kills)))
    assert likely in explained
    assert "memory 8.0 GiB, peak 7.0 GiB" in explained


def test_a_mapped_file_that_is_cut_short_is_explained(run, tmp_path, failure) -> None:
    """The process dies of reading what is no longer there, with no word of its own: the failure file says what is likely."""
    (tmp_path / "rows.npy").write_bytes(bytes(1 << 16))
    code, _, _ = run(
        *python(f"""
import mmap, os
with open({str(tmp_path / "rows.npy")!r}, "r+b") as file:
    rows = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    os.truncate(file.fileno(), 0)
    rows[5000]
""")
    )
    assert code == 128 + signal.SIGBUS
    assert "a file or shared memory that it had mapped was cut short" in failure.read_text()


def test_a_command_that_is_not_there_is_explained(run, failure) -> None:
    """Exit code 127, as shells say it."""
    assert run("no-such-command")[0] == 127
    assert "'no-such-command'" in failure.read_text()


def test_a_command_that_cannot_be_executed_is_explained(run, tmp_path, failure) -> None:
    """Exit code 126, as shells say it."""
    (tmp_path / "plain.txt").write_text("x")
    assert run(str(tmp_path / "plain.txt"))[0] == 126
    assert "plain.txt" in failure.read_text()


def test_no_command_is_a_mistake(run) -> None:
    """Usage is said, with the exit code of a user's mistake."""
    code, _, err = run()
    assert code == 2
    assert "COMMAND" in err


@pytest.mark.parametrize("signum", FORWARDED)
def test_signals_reach_the_command(start, failure, signum) -> None:
    """The command decides how it ends; ending by what was passed on is no failure."""
    process = start(
        *python(f"""
import signal, sys
signal.signal({int(signum)}, lambda *_: sys.exit(128 + {int(signum)}))
print("ready", flush=True)
signal.pause()
"""),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signum)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signum
    assert not failure.exists()


def test_a_command_that_a_forwarded_signal_killed_was_stopped(start, failure) -> None:
    """SIGTERM to a process without a handler gives 143 and no failure."""
    process = start(*python("import signal; print('ready', flush=True); signal.pause()"))
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not failure.exists()


def test_a_command_may_finish_in_spite_of_a_signal(start) -> None:
    """The supervisor waits: it never ends before its command, nor kills it."""
    process = start(
        *python("""
import signal, time
signal.signal(signal.SIGTERM, lambda *_: None)
print("ready", flush=True)
time.sleep(.5)
print("finished")
"""),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "finished\n")


def test_a_failure_after_a_signal_is_still_a_failure(start, failure) -> None:
    """A stop that went wrong is not taken for one that went well."""
    process = start(
        *python("""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
print("ready", flush=True)
signal.pause()
"""),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert "exit code 1 " in failure.read_text()


def test_the_command_starts_with_ordinary_signals(run) -> None:
    """It inherits neither the blocked signals of the supervisor nor those that Python ignores."""
    _, out, _ = run("grep", "-E", "^Sig(Blk|Ign):", "/proc/self/status")
    masks = {line.split()[0]: int(line.split()[1], 16) for line in out.splitlines()}
    assert masks["SigBlk:"] == 0
    assert not masks["SigIgn:"] & (1 << (signal.SIGPIPE - 1))


def test_orphans_of_the_command_are_reaped(tmp_path) -> None:
    """As process 1 it collects grandchildren that end after their parent, while the command still runs."""
    marker = tmp_path / "orphan"
    adopt = "import ctypes, os, sys; assert ctypes.CDLL(None).prctl(36, 1) == 0; os.execv(sys.executable, sys.argv[1:])"
    command = f"(sh -c 'echo $$ > {marker}; sleep .2' &); exec sleep 30"
    here = {**os.environ, "RELABEL_ROOT": str(tmp_path)}
    process = subprocess.Popen([*python(adopt), *SUPERVISOR, "sh", "-c", command], env=here)
    try:
        until(lambda: marker.exists() and marker.read_text().endswith("\n"))
        orphan = Path("/proc") / marker.read_text().strip()
        until(lambda: not orphan.exists())
        assert process.poll() is None
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 143


def test_signals_in_quick_succession_all_arrive(start) -> None:
    """Children that end while signals come in hide neither."""
    process = start(
        *python("""
import signal, subprocess, sys
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
signal.signal(signal.SIGHUP, lambda *_: seen.append(2))
print("ready", flush=True)
while len(set(seen)) < 2:
    subprocess.run(["true"])
print("both")
"""),
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "both\n")
