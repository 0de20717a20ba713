"""A small parent for a training process: `python3 -m relabel.container.supervisor COMMAND ARGUMENT...`.

It passes signals on, reaps what its children leave behind (in a container it is process 1), ends with the command's own
exit code, and writes the failure file for a command that could not: one that the kernel killed or that never started.

Its signals stay blocked and are taken one by one from the kernel, so no handler can interrupt anything here.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from relabel.container import environment, failure, memory
from relabel.container.environment import Environment
from relabel.container.memory import GIB, Memory
from relabel.container.paths import Paths
from relabel.errors import AlgorithmError, PlatformError, RelabelError, UserError

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
WATCHED = (*FORWARDED, signal.SIGCHLD)
IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes of shells."""

BY_EXIT_CODE: dict[int, type[RelabelError]] = {
    kind.exit_code: kind for kind in (AlgorithmError, UserError, PlatformError)
}


@dataclass(frozen=True, slots=True)
class End:
    """How the command ended.

    code:      its exit code, or 128 + the number of the signal that killed it.
    killed_by: that signal's number, or 0.
    forwarded: the signals passed on to it before.
    """

    code: int
    killed_by: int = 0
    forwarded: frozenset[int] = field(default_factory=frozenset)

    @property
    def wanted(self) -> bool:
        """Whether it ended well, or in answer to a signal that was passed on."""
        return self.code == 0 or self.code - 128 in self.forwarded


def main(command: list[str]) -> int:
    """Run the command to its end, leave a failure file where one is due, and return the exit code."""
    if not command:
        sys.stderr.write("give a command: python3 -m relabel.container.supervisor COMMAND ARGUMENT...\n")
        return 2
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # where it was ignored, no child could be waited for
    here = environment.read()
    paths = _paths(here, command)
    failure.clear(paths.failure, paths.output_data)
    with failure.room(paths.failure):
        return _run(command, here, paths)


def _run(command: list[str], here: Environment, paths: Paths) -> int:
    before = memory.read()
    try:
        child = os.posix_spawnp(command[0], command, here.variables, setsigmask=(), setsigdef=IGNORED_BY_PYTHON)
    except OSError as error:
        cause = f"command {command[0]!r} cannot be started: {error.strerror}. Is it on PATH, and executable?"
        _explain(paths, UserError(cause))
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    end = _wait(child)
    if not end.wanted and not paths.failure.exists():
        _explain(paths, _cause(end, before, memory.read()))
    return end.code


def _paths(here: Environment, command: list[str]) -> Paths:
    """Find where the command writes: the options of `relabel train` that move its folders are looked for here too."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in ("--root", "--output"):
        parser.add_argument(option, type=Path, nargs="?")
    said, _ = parser.parse_known_args(command)
    moved = here if said.root is None else here.moved(said.root)
    return moved.paths.moved(output=said.output)


def _wait(child: int) -> End:
    """Pass signals on until the command has ended."""
    forwarded: set[int] = set()
    while True:
        signum = signal.sigwait(WATCHED)
        if signum != signal.SIGCHLD:
            forwarded.add(signum)
            os.kill(child, signum)  # it has not been reaped, so the number is still its own
        elif (status := _reap(child)) is not None:
            code = os.waitstatus_to_exitcode(status)
            return End(code if code >= 0 else 128 - code, max(-code, 0), frozenset(forwarded))


def _reap(child: int) -> int | None:
    """Collect every process that has ended; the command's wait status where it is among them."""
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended in (0, child):
            return status if ended else None


def _cause(end: End, before: Memory, after: Memory) -> RelabelError:
    """Say why the command ended, and what to do."""
    if not end.killed_by:
        kind = BY_EXIT_CODE.get(end.code, AlgorithmError)
        return kind(f"the training process ended with exit code {end.code} and no reason: see the end of its log.")
    if end.killed_by == signal.SIGKILL:
        return _killed(before, after)
    if end.killed_by == signal.SIGBUS:
        return PlatformError(
            "the training process died of a bus error (SIGBUS): a file or shared memory that it had mapped was cut "
            "short or could not be written. Give the job a larger volume or more shared memory, and leave its inputs "
            "alone while it runs."
        )
    name = signal.strsignal(end.killed_by) or "unknown"
    if end.killed_by in FORWARDED:
        return PlatformError(f"another process of the container ended the training process ({name}). Start it again.")
    return AlgorithmError(
        f"the training process crashed in native code, by signal {end.killed_by} ({name}): see the end of its log."
    )


def _killed(before: Memory, after: Memory) -> PlatformError:
    """Name what the kernel knows of a SIGKILL; where it counts no process killed for want of memory, that is the less likely cause."""
    facts = [f"memory {after.limit / GIB:.1f} GiB"]
    if after.peak is not None:
        facts.append(f"peak {after.peak / GIB:.1f} GiB")
    kills = None if after.kills is None else after.kills - (before.kills or 0)
    if kills is not None:
        facts.append(f"{kills} processes killed for want of it")
    told = ", ".join(facts)
    if kills == 0:
        return PlatformError(
            f"the training process was killed (SIGKILL) by something outside the job, or out of memory ({told}). Start it again; where it is "
            "killed again, take an instance with more memory, or fewer rows."
        )
    return PlatformError(
        f"the training process was killed (SIGKILL): most likely out of memory ({told}). "
        "Take an instance with more memory, or fewer rows."
    )


def _explain(paths: Paths, error: RelabelError) -> None:
    """Leave the reason in the failure file and in the log."""
    failure.write(paths.failure, error)
    sys.stderr.write(f"ERROR {error}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
